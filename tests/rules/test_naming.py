"""Ids are stable, every finding has one, and every one has a finding."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from made_reports import case_result

from gradverify.numerics.geometry import Window, measure
from gradverify.problems import Problem, ProblemKind
from gradverify.results import Cause, Contract, GradientCheck, Severity, Verdict, WorstEntry
from gradverify.rules import (
    RULES,
    rule_of_case,
    rule_of_contract,
    rule_of_geometry,
    rule_of_gradient,
    rule_of_problem,
)
from gradverify.spec.contract_table import CONTRACTS

GRADIENT = GradientCheck(
    input="x",
    shape=(2,),
    verdict=Verdict.FAIL,
    compared=2,
    worst=WorstEntry(index=(0,), analytic=1.0, numerical=float("inf")),
)
# Written out once more: an id that changes breaks what people wrote into their CI.
STABLE = {
    "GV101": "gradient-mismatch", "GV102": "gradient-unusable", "GV103": "gradient-not-finite",
    "GV104": "gradient-inconclusive", "GV105": "unexpected-pass",
    "GV201": "geometry-impossible", "GV202": "data-lost", "GV203": "padding-unread", "GV204": "gap-between-windows",
    "GV301": "spec-unreadable", "GV302": "spec-unknown-name", "GV303": "spec-invalid-value",
    "GV304": "spec-repeated-name", "GV305": "spec-missing-key",
    "GV401": "contract-arity", "GV402": "contract-shape", "GV403": "contract-dtype", "GV404": "contract-finite",
    "GV405": "contract-coverage", "GV406": "contract-agreement", "GV407": "contract-forward-deterministic",
    "GV408": "contract-backward-deterministic", "GV409": "contract-input-unchanged",
    "GV410": "contract-cotangent-unchanged", "GV411": "contract-parameters-unchanged",
    "GV412": "contract-backward-twice", "GV413": "contract-stale-cache", "GV414": "contract-linear-in-cotangent",
    "GV415": "contract-zero-cotangent", "GV416": "contract-layout", "GV417": "contract-sample-independence",
    "GV418": "contract-footprint", "GV419": "contract-reference-forward", "GV420": "contract-reference-gradients",
    "GV901": "code-raised", "GV902": "code-unusable", "GV903": "timed-out", "GV904": "process-died",
    "GV905": "out-of-memory", "GV906": "environment-spoiled", "GV907": "layer-not-judged", "GV908": "model-unreadable",
}  # fmt: skip


def test_ids_and_names_are_what_they_were():
    assert {rule.id: rule.name for rule in RULES.values()} == STABLE


def test_ids_have_their_form_and_titles_are_one_sentence():
    assert all(re.fullmatch(r"GV[12349]\d\d", name) and rule.id == name for name, rule in RULES.items())
    assert all("\n" not in rule.title and not rule.title.endswith(".") for rule in RULES.values())


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_rule_where_a_case_does_not_pass(cause):
    case = replace(case_result(verdict=Verdict.ERROR), cause=cause)
    assert rule_of_case(case) in RULES
    assert rule_of_case(replace(case, verdict=Verdict.SKIP)) is None
    assert rule_of_case(replace(case, verdict=Verdict.PASS)) is None


def test_causes_have_rules_of_their_own():
    cases = [replace(case_result(verdict=Verdict.ERROR), cause=cause) for cause in Cause]
    assert len({rule_of_case(case) for case in cases}) == len(cases)


@pytest.mark.parametrize("kind", list(ProblemKind))
def test_every_kind_of_problem_has_a_rule(kind):
    assert rule_of_problem(Problem("a.yaml", 1, 1, "wrong", kind)) in RULES


@pytest.mark.parametrize("code", CONTRACTS)
@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.SKIP])
def test_a_contract_has_a_rule_where_it_is_not_kept(code, verdict):
    found = rule_of_contract(Contract(code=code, verdict=verdict, severity=Severity.WARNING, message=""))
    assert found == (CONTRACTS[code].rule if verdict in {Verdict.FAIL, Verdict.INCONCLUSIVE} else None)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, "GV101"),
        ({"worst": None}, "GV101"),
        ({"compared": 0, "worst": None}, "GV102"),
        ({"worst": WorstEntry(index=(0,), analytic=float("nan"), numerical=1.0)}, "GV103"),
        ({"worst": WorstEntry(index=(0,), analytic=float("-inf"), numerical=1.0)}, "GV103"),
        ({"verdict": Verdict.INCONCLUSIVE}, "GV104"),
        ({"verdict": Verdict.PASS}, None),
    ],
)
def test_a_gradient_has_a_rule_where_it_does_not_pass(changes, rule):
    assert rule_of_gradient(replace(GRADIENT, **changes)) == rule


@pytest.mark.parametrize(
    ("window", "rule"),
    [
        (Window(3, 5, 1), "GV201"),
        (Window(8, 3, 2), "GV202"),
        (Window(7, 4, 2, (0, 1)), None),
        (Window(7, 3, 2, (0, 1)), "GV203"),
        (Window(7, 2, 5), "GV204"),
        (Window(7, 3, 2), None),
    ],
)
def test_an_axis_has_a_rule_where_something_is_lost(window, rule):
    assert rule_of_geometry(measure("H", window)) == rule
