"""Every report renders in every reporter, also with hostile names; and what it says, in full."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from made_reports import case_result, rendered, report_of

from gradverify.numerics.geometry import Window, measure
from gradverify.reporters import REPORTERS
from gradverify.reporters.json import document
from gradverify.reporters.words import printable
from gradverify.results import Verdict

HOSTILE = [
    "[bold]red[/bold]",
    "[/foo]",
    "<script>alert(1)</script>",
    "]]>",
    "a|b|c",
    "&amp; \"quoted\" 'too'",
    "new\nline\ttab",
    "\x1b[31mescape\x07",
    "\x00null",
    "∂L/∂x 梯度 🙂",
    "\ud800 lone surrogate",
    "%s {braces} \\back",
    "x" * 300,
]


@pytest.mark.parametrize("format_name", sorted(REPORTERS))
@pytest.mark.parametrize("verbosity", [-1, 0, 1])
@pytest.mark.parametrize("command", ["run", "audit", "sweep"])
def test_every_verdict_and_every_hostile_name_renders_everywhere(format_name, verbosity, command):
    verdicts = [verdict for verdict in Verdict if verdict is not Verdict.EMPTY]
    cases = tuple(case_result(name, verdict) for name in HOSTILE for verdict in verdicts)
    text = rendered(
        format_name,
        report_of(*cases, command=command),
        verbosity=verbosity,
        map_keys=("stride", "padding"),
        width=80,
        color=True,
    )
    assert text.encode("utf-8", "backslashreplace")
    assert "\x07" not in text
    assert "\x00" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_the_terminal_shows_a_hostile_name_as_it_is_but_for_control_characters(name):
    text = rendered("terminal", report_of(case_result(name, Verdict.FAIL)), width=1000)
    assert f"FAIL  {printable(name)}/stride=2" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_json_gives_a_hostile_name_back(name):
    cases = json.loads(rendered("json", report_of(case_result(name, Verdict.FAIL))))["cases"]
    assert cases[0]["name"] == name


def test_the_empty_report_renders():
    assert rendered("terminal", report_of()).splitlines()[-1] == "EMPTY: no case was selected in 1.50 s"
    assert json.loads(rendered("json", report_of()))["verdict"] == "empty"


def test_where_nothing_had_finished_it_was_selected_all_the_same():
    assert rendered("terminal", report_of(exit_code=130)).splitlines()[-1] == (
        "INTERRUPTED: no case had finished in 1.50 s"
    )


def test_the_document_has_the_fields_of_the_contract_in_their_order():
    made = document(report_of(case_result(verdict=Verdict.FAIL)))
    assert list(made) == [
        "gradverify", "verdict", "exit_code", "seed", "seconds", "counts", "conditions", "cases", "networks", "tried",
        "before", "baseline", "problems",
    ]  # fmt: skip
    assert made["counts"] == {"pass": 0, "fail": 1, "inconclusive": 0, "error": 0, "skip": 0}
    (case,) = made["cases"]
    assert list(case) == [
        "id", "name", "spec", "line", "column", "target", "verdict", "reason", "expect", "params", "sweep", "seconds",
        "forward_evaluations", "backward_evaluations", "contracts", "gradients", "geometry", "battery", "reproduce",
        "network", "rule",
    ]  # fmt: skip
    (gradient,) = case["gradients"]
    assert gradient == {
        "input": "x",
        "shape": [2, 3],
        "verdict": "fail",
        "reason": "because of conv",
        "method": "dense",
        "elements": 6,
        "compared": 6,
        "failed": 1,
        "inconclusive": 0,
        "max_relative_error": 0.5,
        "max_absolute_error": "inf",
        "error_bar": "nan",
        "worst": {"index": [1, 2], "analytic": "-inf", "numerical": 0.25},
        "footprint": [1, 3],
        "certificate": {"bound": 1e-9, "miss_probability": 1e-12, "directions": 4},
        "diagnosis": [{"code": "scaled", "message": "conv", "evidence": "conv"}],
        "backward": ["the last row of conv is zero"],
        "rule": "GV103",
    }
    assert case["geometry"][0] == {
        "axis": "H",
        "input": 7,
        "kernel": 3,
        "stride": 3,
        "padding": [0, 0],
        "dilation": 1,
        "output": 2,
        "padded": 7,
        "dilated_cotangent": 8,
        "reconstructed": 6,
        "residual": 1,
        "identity": False,
        "unread_padding": 0,
        "unread_data": 1,
        "gap": 0,
        "severity": "data-lost",
        "suggestions": [
            "input 6 (output 2)",
            "kernel 4 (output 2)",
            "padding 1 (output 3)",
            "stride 2 (output 3)",
            "input 9 (output 3)",
        ],
        "transposed": False,
        "output_padding": 0,
        "overhang": 0,
        "full_padding": [2, 2],
        "notes": [],
        "rule": "GV202",
    }


def test_the_terminal_report_in_full():
    good = case_result("good", reason=None, contracts=(), geometry=())
    bad = case_result("bad", Verdict.FAIL, spec="good.yaml")
    assert rendered("terminal", report_of(good, bad, command="run"), width=80) == GOLDEN


GOLDEN = """\
gradverify 1.2.3: 2 cases, seed 5

good.yaml
  PASS  good/stride=2  0.5
  FAIL  bad/stride=2  0.5  identity violated: H r=1 (data lost)  1 warning

-- FAIL bad/stride=2 (good.yaml:7, bad)
     contract dtype: warning: bad
     dx (2x3) fail: because of bad
       worst entry [1, 2]
         analytic  -inf
         numerical 0.25
       largest relative error 0.5, absolute inf (6 compared)
       widest error bar nan
       geometry: the last row of bad is zero
     size identity violated along H
       (H'-1)S + K = 6, H + 2P = 7, residual 1
       rows never read: 1 of data at the far end
       holds with: input 6 (output 2); kernel 4 (output 2); padding 1 (output
         3); stride 2 (output 3); input 9 (output 3)
     impossible geometry along W
       kernel 3 is larger than the padded input 2 + 0 + 0 = 2
       holds with: input 3 (output 1); kernel 2 (output 1); padding 1 (output 2)

FAIL: 1 pass, 1 fail in 1.50 s
"""


def test_a_violated_geometry_in_full():
    made = measure("H", Window(5, 3, 2, dilation=2, transposed=True, output_padding=1))
    case = case_result(
        "t", Verdict.FAIL, reason=None, gradients=(), contracts=(), geometry=(made, replace(made, axis="W"))
    )
    lines = rendered("terminal", report_of(case, command="run")).split("-- FAIL")[1].splitlines()
    assert lines[1:6] == [
        "     size identity violated along H and W",
        "       (H-1)S + K = 13, H' + 2P = 14, residual 1",
        "       rows never made: 1 of output at the far end, some in holes of the dilation",
        "       stride 2, dilation 2 and kernel 3 leave holes: it makes at most 1 of 2 neighbouring rows",
        "       holds with: output_padding 0 (output 13)",
    ]


def test_why_a_geometry_is_impossible_is_said_once():
    none = measure("H", Window(2, 3))
    reason = f"impossible geometry along H: {none.notes[0]}"
    case = case_result("i", Verdict.ERROR, reason=reason, gradients=(), contracts=(), geometry=(none,))
    assert rendered("terminal", report_of(case, command="run")).count(none.notes[0]) == 1


def test_the_map_holds_the_worst_over_the_remaining_keys():
    exact, violated = measure("H", Window(6, 3, 3)), measure("H", Window(7, 3, 3))
    grid = [
        (1, 0, Verdict.PASS, 1e-9, exact),
        (1, 0, Verdict.FAIL, 0.5, exact),
        (1, 1, Verdict.PASS, 1e-10, violated),
        (2, 0, Verdict.SKIP, None, None),
        (2, 1, Verdict.INCONCLUSIVE, 1e-3, exact),
    ]
    cases = []
    for stride, padding, verdict, error, geometry in grid:
        base = case_result(verdict=verdict, geometry=(geometry,) if geometry else ())
        gradients = tuple(replace(part, max_relative_error=error) for part in base.gradients)
        cases.append(replace(base, sweep={"stride": stride, "padding": padding}, gradients=gradients))
    text = rendered("terminal", report_of(*cases), verbosity=-1, map_keys=("stride", "padding"), width=80)
    assert text.splitlines()[1:6] == [
        "conv: stride down, padding across; verdict and worst relative error",
        "     stride  0               1",
        "          1  FAIL 0.5 =      pass 1e-10 !",
        "          2  skip            UNSURE 0.001 =",
        "     =  the size identity holds      !  it is violated",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_wide_maps_are_folded_into_blocks(width):
    cases = [case_result(sweep={"stride": 1, "padding": padding}) for padding in range(12)]
    text = rendered("terminal", report_of(*cases), verbosity=-1, map_keys=("stride", "padding"), width=width)
    lines = [line for line in text.splitlines() if line.startswith("      ")]
    assert max(len(line) for line in lines) <= width
    assert " ".join(lines).count("pass 0.5 !") == 12


def test_long_lines_are_wrapped_in_a_terminal_and_left_alone_in_a_pipe():
    case = case_result("word " * 60, Verdict.ERROR, gradients=(), contracts=(), geometry=())
    narrow = rendered("terminal", report_of(case), width=80)
    assert max(len(line) for line in narrow.splitlines() if line.startswith("     ")) <= 80
    piped = rendered("terminal", report_of(case))
    assert any(len(line) > 250 for line in piped.splitlines())
