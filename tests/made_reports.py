"""Results as a run would leave them, and what a reporter makes of them."""

from __future__ import annotations

import io
from dataclasses import replace

from gradverify.numerics.geometry import Window, measure
from gradverify.reporters import Appearance, reporter
from gradverify.results import (
    CaseResult,
    Certificate,
    Contract,
    Diagnosis,
    ErrorGrid,
    GradientCheck,
    Plan,
    Report,
    Severity,
    StepCurve,
    Verdict,
    Work,
    WorstEntry,
    counts_of,
    exit_code_of,
    verdict_of,
)


def case_result(name: str = "conv", verdict: Verdict = Verdict.PASS, **changes) -> CaseResult:
    gradient = GradientCheck(
        input="x",
        shape=(2, 3),
        verdict=verdict if verdict in {Verdict.FAIL, Verdict.INCONCLUSIVE} else Verdict.PASS,
        reason=f"because of {name}",
        method="dense",
        elements=6,
        compared=6,
        failed=1,
        max_relative_error=0.5,
        max_absolute_error=float("inf"),
        error_bar=float("nan"),
        worst=WorstEntry(index=(1, 2), analytic=float("-inf"), numerical=0.25),
        footprint=(1, 3),
        certificate=Certificate(bound=1e-9, miss_probability=1e-12, directions=4),
        diagnosis=(Diagnosis(code="scaled", message=name, evidence=name),),
        backward=(f"the last row of {name} is zero",),
        work=Work(derivative=name, step=1e-20, groups=3, passes={name: 3}, seconds={name: 1.0}),
    )
    fields = {
        "id": f"{name}/stride=2",
        "name": name,
        "spec": f"{name}.yaml",
        "line": 7,
        "target": name,
        "verdict": verdict,
        "reason": name,
        "expect": Verdict.PASS,
        "params": {"stride": 2, name: [1, {"deep": name}]},
        "sweep": {"stride": 2, "padding": 0},
        "contracts": (
            Contract(code="shape", verdict=Verdict.PASS, severity=Severity.FAILURE, message=name),
            Contract(code="dtype", verdict=Verdict.FAIL, severity=Severity.WARNING, message=name),
        ),
        "gradients": (gradient,),
        "geometry": (measure("H", Window(7, 3, 3)), measure("W", Window(2, 3))),
    }
    return CaseResult(**fields | changes)


def report_of(*cases: CaseResult, **changes) -> Report:
    verdict = verdict_of(cases)
    made = Report(
        version="1.2.3",
        command="sweep",
        verdict=verdict,
        exit_code=exit_code_of(verdict),
        seed=5,
        seconds=1.5,
        counts=counts_of(cases),
        cases=cases,
    )
    return replace(made, **changes)


def rendered(name: str, report: Report, **appearance) -> str:
    stream = io.StringIO()
    made = reporter(name, stream, Appearance(**appearance))
    made.start(Plan(version="1.2.3", command=report.command, seed=5, cases=tuple(case.id for case in report.cases)))
    for case in report.cases:
        made.case(case)
    made.finish(report)
    return stream.getvalue()


def step_curve(**changes) -> StepCurve:
    """Return a curve like that of a smooth function: truncation ``h^4``, roundoff ``1e-16 / h``."""
    steps = tuple(2.0**exponent for exponent in range(-26, 0))
    truncation = tuple(step**4 for step in steps)
    roundoff = tuple(1e-16 / step for step in steps)
    fields = {
        "index": (1, 2),
        "order": 4,
        "steps": steps,
        "errors": tuple(
            max(a, b / (2 + place % 3)) for place, (a, b) in enumerate(zip(truncation, roundoff, strict=True))
        ),
        "truncation": truncation,
        "roundoff": roundoff,
        "derivative": "differences of order 4",
        "step": 2.0**-11,
        "analytic": 0.5,
        "numerical": 0.5,
        "bar": 4e-13,
        "allowed": 5e-7,
    }
    return StepCurve(**fields | changes)


def error_grid(**changes) -> ErrorGrid:
    """Return the errors of a gradient that is wrong in its last row, by 100 times what is allowed."""
    excess = tuple(tuple(100.0 if row == 3 else 1e-4 * (column + 1) for column in range(5)) for row in range(4))
    failed = tuple(tuple(2 if row == 3 else 0 for _ in range(5)) for row in range(4))
    return ErrorGrid(**{"axes": (0, 1), "together": (1, 1), "excess": excess, "failed": failed} | changes)
