"""gradverify, by the public route: a spec that names the two functions, expanded and verified."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from problems import Finding, Problem
from subjects import LEDGER

from gradverify.checks.case import verify
from gradverify.results import CaseResult, GradientCheck, Verdict
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.overriding import Overrides

if TYPE_CHECKING:
    from gradverify.spec.model import Case

__all__ = ["auto", "certificate", "compressed"]

_VERDICTS = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.INCONCLUSIVE: "undecided"}


def _check(problem: Problem, method: str) -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        result = verify(_case(problem, method, Path(folder)))
    if result.verdict not in _VERDICTS:
        raise RuntimeError(f"{result.verdict}: {result.reason}")
    return Finding(_VERDICTS[result.verdict], error=_error(result), notes=tuple(map(_note, result.gradients)))


def _case(problem: Problem, method: str, folder: Path) -> Case:
    """Write data and a spec as a user would, and read them back."""
    named = dict(zip(problem.workload.shapes, problem.inputs, strict=True))
    np.savez(folder / "data.npz", **named)
    entry = {
        "name": "case",
        "functions": {"forward": "subjects:forward", "backward": "subjects:backward"},
        "inputs": {name: {"file": f"data.npz:{name}"} for name in named},
        "params": {name: value for name, value in problem.params.items() if value is not None},
        "dtype": problem.dtype,
        "seed": problem.seed,
        "method": method,
    }
    spec = folder / "spec.yaml"
    spec.write_text(json.dumps({"cases": [entry]}))
    (case,) = expand_specs(read_specs((spec,)), Overrides())
    return case


def _error(result: CaseResult) -> float | None:
    """Return the largest error in units of the largest entry of the same gradient.

    Right code is right to rounding, so that what is left between it and the numerical gradient is the latter's error.
    """
    errors = [_absolute(part) for part in result.gradients]
    if None in errors:
        return None
    return max(error / LEDGER.largest[part.input] for error, part in zip(errors, result.gradients, strict=True))


def _absolute(part: GradientCheck) -> Any:
    """Return the error of what was compared, or the bound on what was not."""
    if part.max_absolute_error is None and part.certificate is not None:
        return part.certificate.bound
    return part.max_absolute_error


def _note(part: GradientCheck) -> str:
    footprint = "" if part.footprint is None else f" {part.footprint}"
    return f"{part.input}: {part.method}{footprint}"


auto = partial(_check, method="auto")
compressed = partial(_check, method="compressed")
certificate = partial(_check, method="certificate")
