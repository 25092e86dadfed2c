"""Sweeps into cases, in the spec and from ``--set``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gradverify.errors import SpecError, UsageError
from gradverify.spec import expansion
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.model import Tolerance
from gradverify.spec.overriding import Overrides
from gradverify.spec.sweeping import format_value, overlapping, with_parameters

if TYPE_CHECKING:
    from pathlib import Path

    from gradverify.spec.model import Case

CasesOf = "Callable[..., tuple[Case, ...]]"

SPEC = """
tolerance: {rtol: 1e-3}
method: certificate
max_passes: 70
cases:
  - name: conv
    layer: conv2d
    dims: {K: 3}
    inputs: {x: [1, 1, 9, 9], w: [1, 1, K, K], b: [1]}
    params: {dilation: 1}
    sweep: {stride: [1, 2], K: [1, 3]}
  - name: bn
    layer: batchnorm
    inputs: {x: [8, 5], gamma: [5], beta: [5]}
  - name: own
    functions: {forward: m:f, backward: m:b}
    inputs: {x: [2]}
    params: {p: {stride: 1, mode: train}, words: a}
"""


def _ids(cases: tuple[Case, ...]) -> list[str]:
    return [case.id for case in cases]


SETS = {
    "a range": ({"padding": "1:3"}, ["padding=1", "padding=2", "padding=3"]),
    "a range with a step": ({"padding": "1:9:2"}, [f"padding={number}" for number in (1, 3, 5, 7, 9)]),
    "a step past the end": ({"padding": "0:5:3"}, ["padding=0", "padding=3"]),
    "a range of one": ({"padding": "2:2"}, ["padding=2"]),
    "a list": ({"padding": "1,3,7"}, ["padding=1", "padding=3", "padding=7"]),
    "spaces": ({"padding": " 1, 3 "}, ["padding=1", "padding=3"]),
    "one value": ({"padding": "0"}, ["padding=0"]),
    "pairs": ({"padding": "1x2,2x1"}, ["padding=1x2", "padding=2x1"]),
    "pairs and numbers": ({"padding": "1,1x2"}, ["padding=1", "padding=1x2"]),
    "hexadecimal": ({"padding": "0x3,0o7"}, ["padding=0x3", "padding=7"]),
}


@pytest.mark.parametrize(("sweeps", "points"), SETS.values(), ids=SETS)
def test_set_is_appended_behind(sweeps: dict[str, str], points: list[str], cases_of: CasesOf) -> None:
    found = _ids(cases_of(SPEC, sweeps))
    front = ["stride=1,K=1", "stride=1,K=3", "stride=2,K=1", "stride=2,K=3"]
    assert found == [*(f"conv/{keys},{point}" for keys in front for point in points), "bn", "own"]


def test_set_replaces_in_place(cases_of: CasesOf) -> None:
    found = cases_of(SPEC, {"stride": "3,4"})
    assert _ids(found) == [f"conv/stride={stride},K={size}" for stride in (3, 4) for size in (1, 3)] + ["bn", "own"]
    assert found[0].params == {"stride": 3, "padding": 0, "dilation": 1}


def test_set_of_a_dim(cases_of: CasesOf) -> None:
    found = cases_of(SPEC, {"K": "2:3"})
    assert [case.inputs[1].shape for case in found[:4]] == [(1, 1, 2, 2), (1, 1, 3, 3)] * 2


def test_set_replaces_a_param(cases_of: CasesOf) -> None:
    found = cases_of(SPEC, {"dilation": "2"})
    assert found[0].id == "conv/stride=1,K=1,dilation=2"
    assert found[0].params["dilation"] == 2
    assert found[0].sweep == {"stride": 1, "K": 1, "dilation": 2}


def test_set_of_words_and_numbers(cases_of: CasesOf) -> None:
    assert _ids(cases_of(SPEC, {"mode": "train,test", "eps": "1e-5,0.1"}))[4:] == [
        "bn/mode=train,eps=1e-05", "bn/mode=train,eps=0.1", "bn/mode=test,eps=1e-05", "bn/mode=test,eps=0.1", "own",
    ]  # fmt: skip
    own = cases_of(SPEC, {"p.mode": "no,true", "words": "b"})[5:]
    assert [case.params for case in own] == [
        {"p": {"stride": 1, "mode": "no"}, "words": "b"},
        {"p": {"stride": 1, "mode": True}, "words": "b"},
    ]


def test_cases_without_the_name_are_unchanged(cases_of: CasesOf) -> None:
    before, after = cases_of(SPEC), cases_of(SPEC, {"stride": "1:2"})
    assert after == before


EXTENT = "a whole number of at least 1, or a pair [vertical, horizontal] of them"
MISSING = "a value is missing, expected values like 1:4, 1,3,7 or 1x2,2x1"
REFUSED = {
    ("stride", "4:1"): "the range 4:1 is empty, expected low:high[:step] with low <= high and step >= 1",
    ("stride", "1:4:0"): "the range 1:4:0 is empty, expected low:high[:step] with low <= high and step >= 1",
    ("stride", "1:4:-1"): "the range 1:4:-1 is empty, expected low:high[:step] with low <= high and step >= 1",
    ("stride", "1:"): "'1:' is not a range, expected a list or a range like 1:4 or 1:9:2",
    ("stride", "1:2:3:4"): "'1:2:3:4' is not a range, expected a list or a range like 1:4 or 1:9:2",
    ("stride", "a:b"): "'a:b' is not a range, expected a list or a range like 1:4 or 1:9:2",
    ("stride", "1:999999999"): "the range 1:999999999 has more than 100000 values, expected fewer",
    ("stride", "0:2"): f"got the number 0, expected {EXTENT}",
    ("stride", "1,0,-1"): f"got the number 0, expected {EXTENT}; got the number -1, expected {EXTENT}",
    ("stride", "fast"): f"got the text 'fast', expected {EXTENT}",
    ("stride", "1x2x3"): f"got the text '1x2x3', expected {EXTENT}",
    ("stride", "²x2"): f"got the text '²x2', expected {EXTENT}",
    ("stride", "0x0"): "got the number 0, expected a whole number of at least 1",
    ("stride", "1,1"): "the value 1 stands twice, expected each value once",
    ("stride", "1x2,1x2"): "the value 1x2 stands twice, expected each value once",
    ("stride", ""): MISSING,
    ("stride", "1,,2"): MISSING,
    ("stride", "1,2,"): MISSING,
    ("K", "0"): "got the number 0, expected a whole number of at least 1",
    ("mode", "trian"): "'trian' is not a mode, did you mean 'train'?",
    ("eps", "1e999"): "1e999 is not finite in double precision, expected a finite number",
}


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_sets_that_are_refused(name: str, text: str, cases_of: CasesOf) -> None:
    with pytest.raises(UsageError) as caught:
        cases_of(SPEC, {name: text})
    assert str(caught.value) == f"--set {name}={text}: {REFUSED[name, text]}"


LONG = ["9" * 5000, "9" * 5000 + "x1", "1:" + "9" * 5000, ",".join("a" * 3000), "a" * 5000]


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:4])
def test_long_sets_are_refused_briefly(text: str, cases_of: CasesOf) -> None:
    with pytest.raises(UsageError) as caught:
        cases_of(SPEC, {"stride": text})
    assert str(caught.value).startswith(f"--set stride={text[:37]}...: ")
    assert len(str(caught.value)) < 500


UNKNOWN = {
    "strid": "no case has a parameter or dim 'strid', did you mean 'stride'?",
    "p.strid": "no case has a parameter or dim 'p.strid', did you mean 'p.stride'?",
    "implementation": "no case has a parameter or dim 'implementation', did you mean 'dilation'?",
    "x": "no case has a parameter or dim 'x', expected one of K, dilation, eps, mode, momentum, p, p.mode, p.stride, "
    "padding, running_mean, running_var, stride, words",
}


@pytest.mark.parametrize(("name", "message"), UNKNOWN.items())
def test_unknown_names_in_set(name: str, message: str, cases_of: CasesOf) -> None:
    with pytest.raises(UsageError) as caught:
        cases_of(SPEC, {name: "1"})
    assert str(caught.value) == f"--set {name}: {message}"


def test_a_set_inside_another_is_refused(cases_of: CasesOf) -> None:
    with pytest.raises(UsageError, match=r"^--set: 'own' sweeps 'p\.stride', and 'p' around it, expected one of them$"):
        cases_of(SPEC, {"p.stride": "1", "p": "2"})


def test_a_set_of_a_name_that_is_param_and_dim_is_refused(cases_of: CasesOf) -> None:
    text = "cases: [{name: a, layer: conv2d, dims: {stride: 3}, inputs: {x: [1, 1, 5, 5], w: [1, 1, 3, 3], b: [1]}}]"
    with pytest.raises(
        UsageError, match=r"^--set stride: 'stride' is a parameter and one of dims in 'a', expected two"
    ):
        cases_of(text, {"stride": "1:2"})


def test_shapes_are_checked_at_the_points_of_set(cases_of: CasesOf, data_folder: Path) -> None:
    text = "cases: [{name: a, layer: relu, dims: {N: 1}, inputs: {x: [N, N]}}]"
    with pytest.raises(SpecError) as caught:
        cases_of(text, {"N": "1,100000,200000"})
    message = (
        "the inputs have 10000000000 elements in all, expected at most 134217728; 'x' is the largest (in a/N=100000)"
    )
    assert tuple(map(str, caught.value.problems)) == (f"{data_folder / 'spec.yaml'}:1:55: {message}",)


def test_too_many_cases_in_all(monkeypatch: pytest.MonkeyPatch, cases_of: CasesOf) -> None:
    monkeypatch.setattr(expansion, "MAX_CASES", 5)
    with pytest.raises(UsageError, match=r"^more than 5 cases in all, expected fewer"):
        cases_of(SPEC)


def test_many_cases_are_expanded_soon(cases_of: CasesOf) -> None:
    found = cases_of(SPEC, {"stride": "1:40", "padding": "0:39", "K": "1:3"})
    assert len(set(_ids(found))) == len(found) == 40 * 40 * 3 + 2


def test_overrides(cases_of: CasesOf, data_folder: Path) -> None:
    cases_of(SPEC)
    specs = read_specs((data_folder / "spec.yaml",))
    (*_, kept) = expand_specs(specs, Overrides())
    (*_, zero) = expand_specs(specs, Overrides(seed=0, rtol=0.0, atol=0.0, timeout=0.5, dtype="float32"))
    (*_, other) = expand_specs(specs, Overrides(method="dense", max_passes=1, memory=300))
    (*_, part) = expand_specs(specs, Overrides(atol=1e-9))
    assert (kept.tolerance, part.tolerance, zero.tolerance) == (
        Tolerance(1e-3), Tolerance(1e-3, 1e-9), Tolerance(0.0, 0.0),
    )  # fmt: skip
    assert (zero.seed, zero.timeout, zero.dtype) == (0, 0.5, "float32")
    assert [(case.method, case.max_passes) for case in (kept, other)] == [("certificate", 70), ("dense", 1)]
    assert (kept.memory, other.memory) == (None, 300)


VALUES = [
    (1, "1"), (True, "true"), (False, "false"), (None, "null"), (0.1, "0.1"), ("a b", "a b"), ((1, 2), "1x2"),
    ([1, [2, 3]], "1x2x3"), ({"a": 1, "b": [1, 2]}, "a:1;b:1x2"), ("a\nb\x1b", "a\\nb\\x1b"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_values_in_ids(value: object, text: str) -> None:
    assert format_value(value) == text


def test_with_parameters_copies() -> None:
    params, inner = {"a": {"b": 1, "c": [1]}}, {"x": 1}
    changed = with_parameters(params, {"a.b": inner, "d": 3})
    assert changed == {"a": {"b": {"x": 1}, "c": [1]}, "d": 3}
    changed["a"]["c"].append(2)
    changed["a"]["b"]["x"] = 2
    assert (params, inner) == ({"a": {"b": 1, "c": [1]}}, {"x": 1})


def test_overlapping() -> None:
    assert overlapping(["a", "ab", "b.c", "b.cd"]) is None
    assert overlapping(["a.b.c", "a"]) == ("a", "a.b.c")
    assert overlapping(["a.b", "a.b.c"]) == ("a.b", "a.b.c")
