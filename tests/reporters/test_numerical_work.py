"""How a numerical gradient was found: shown to people who ask, and what is sure to all; in full."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from made_reports import case_result, rendered, report_of

from gradverify.reporters.json import document
from gradverify.reporters.words import bound, duration
from gradverify.results import Certificate, GradientCheck, Verdict, Work

X = GradientCheck(
    input="x",
    shape=(2, 3, 7, 7),
    verdict=Verdict.PASS,
    method="compressed",
    elements=294,
    compared=294,
    max_relative_error=1.5e-10,
    max_absolute_error=2.5e-11,
    error_bar=3e-11,
    footprint=(1, 3, 3, 3),
    certificate=Certificate(bound=3e-11, miss_probability=1e-12, directions=24),
    work=Work(
        derivative="complex step",
        step=1e-20,
        groups=27,
        passes={"footprint": 14, "gradient": 27, "proof": 4},
        seconds={"footprint": 0.0014, "gradient": 1.25, "proof": 0.12345},
    ),
)
W = replace(
    X,
    input="w",
    shape=(4, 3, 3, 3),
    elements=108,
    compared=108,
    footprint=None,
    certificate=None,
    work=Work(derivative="impulses", passes={"gradient": 108}, seconds={"gradient": 0.002}),
)
B = GradientCheck(
    input="b",
    shape=(),
    verdict=Verdict.PASS,
    method="certificate",
    elements=1,
    footprint=(),
    certificate=Certificate(bound=3.01e-11, miss_probability=2.5e-13, directions=1),
    work=Work(derivative="differences of order 4", step=0.00123, groups=1),
)
BARE = GradientCheck(input="y", shape=(2,), verdict=Verdict.PASS)


def shown(*gradients: GradientCheck, verdict: Verdict = Verdict.PASS, **appearance) -> list[str]:
    """Return the lines of a report of one case that has these gradients and nothing else."""
    case = case_result(verdict=verdict, reason=None, contracts=(), gradients=gradients, geometry=())
    return rendered("terminal", report_of(case, command="run"), **appearance).splitlines()[3:-2]


VERBOSE = """\
  PASS  conv/stride=2  1.5e-10
     dx (2x3x7x7) pass
       largest relative error 1.5e-10, absolute 2.5e-11 (294 compared)
       widest error bar 3e-11
       method compressed, footprint 1x3x3x3, 27 groups
       derivative by complex step, step size 1e-20
       forward passes: 45 (footprint 14, gradient 27, proof 4)
       time: 1.37 s (footprint 1.4 ms, gradient 1.25 s, proof 123.5 ms)
       no element of dx is wrong by more than 3e-11 (miss probability below
         1e-12), 24 directions
     dw (4x3x3x3) pass
       largest relative error 1.5e-10, absolute 2.5e-11 (108 compared)
       widest error bar 3e-11
       method compressed
       derivative by impulses
       forward passes: 108 (gradient 108)
       time: 2.0 ms (gradient 2.0 ms)
     db (scalar) pass
       method certificate, footprint scalar, 1 group
       derivative by differences of order 4, step size 0.0012
       no element of db is wrong by more than 3.1e-11 (miss probability below
         2.5e-13), 1 direction
     dy (2) pass
"""


def test_v_shows_how_every_gradient_was_found():
    lines = shown(X, W, B, BARE, verbosity=1, width=80)
    assert lines == VERBOSE.splitlines()
    assert max(map(len, lines)) <= 80


def test_a_pipe_gets_the_sentence_in_one_line():
    lines = shown(X, W, B, BARE, verbosity=1)
    assert len(lines) == len(VERBOSE.splitlines()) - 2
    assert "       no element of dx is wrong by more than 3e-11 (miss probability below 1e-12), 24 directions" in lines


def test_without_v_only_what_was_not_compared_one_by_one_has_its_sentence():
    assert shown(X, W, B, BARE, width=80) == [
        "  PASS  conv/stride=2  1.5e-10",
        "     no element of db is wrong by more than 3.1e-11 (miss probability below",
        "       2.5e-13), 1 direction",
    ]
    assert shown(B, verbosity=-1, width=80) == []


def test_a_failing_gradient_has_its_sentence_where_it_is_explained():
    some = replace(X, verdict=Verdict.FAIL, reason="5 elements differ", compared=200, footprint=None)
    assert shown(some, B, verdict=Verdict.FAIL) == [
        "  FAIL  conv/stride=2  1.5e-10",
        "     no element of db is wrong by more than 3.1e-11 (miss probability below 2.5e-13), 1 direction",
        "",
        "-- FAIL conv/stride=2 (conv.yaml:7, conv)",
        "     dx (2x3x7x7) fail: 5 elements differ",
        "       largest relative error 1.5e-10, absolute 2.5e-11 (200 compared)",
        "       widest error bar 3e-11",
        "       no element of dx is wrong by more than 3e-11 (miss probability below 1e-12), 24 directions",
    ]


def test_brackets_are_no_markup():
    work = Work(derivative="differences [bold]of order 4[/bold]", passes={"[red]look[/red]": 3})
    lines = shown(replace(X, work=work), verbosity=1, width=200, color=True)
    assert "       derivative by differences [bold]of order 4[/bold]" in lines
    assert "       forward passes: 3 ([red]look[/red] 3)" in lines


def test_machines_do_not_see_it():
    with_it, without = (document(report_of(case_result(gradients=(part,)))) for part in (X, replace(X, work=None)))
    assert with_it == without
    assert list(with_it["cases"][0]["gradients"][0])[-3:] == ["diagnosis", "backward", "rule"]


def test_it_comes_back_from_a_worker():
    assert pickle.loads(pickle.dumps(X)) == X  # noqa: S301  our own


@pytest.mark.parametrize(
    ("value", "text"),
    [(3e-11, "3e-11"), (3.01e-11, "3.1e-11"), (1e-12, "1e-12"), (9.91e-10, "1e-09"), (0.0, "0"), (120.5, "1.3e+02")],
)
def test_bounds_are_rounded_up(value, text):
    assert bound(value) == text


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_bound_that_is_none_is_said_as_it_is(value):
    assert bound(value) == str(value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.0 ms"), (0.00124, "1.2 ms"), (0.5, "500.0 ms"), (61, "61.00 s")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
