"""Numerical gradients and their error bars against hand-derived ones evaluated in extended precision."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest
from built_ins import CODE, BuiltIn, found

from gradverify.layers.registry import LAYERS

# Sizes that are no powers of two: means over those are exact, and flatter.
IMAGES = {"x": (3, 3, 3, 5), "gamma": (3,), "beta": (3,)}
ROWS = {"x": (7, 5), "gamma": (5,), "beta": (5,)}
SMOOTH = [
    BuiltIn("affine", {"x": (3, 2, 4), "w": (8, 5), "b": (5,)}),
    BuiltIn("conv2d", {"x": (2, 3, 7, 6), "w": (2, 3, 3, 2), "b": (2,)}, {"stride": (2, 1), "padding": (1, 2)}),
    BuiltIn("conv2d", {"x": (1, 2, 9, 8), "w": (2, 2, 3, 3), "b": (2,)}, {"padding": 1, "dilation": (2, 1)}),
    BuiltIn("avgpool2d", {"x": (2, 2, 7, 7)}, {"kernel_size": 3, "stride": 2, "padding": 1}),
    BuiltIn("batchnorm", ROWS),
    BuiltIn("batchnorm", ROWS, {"mode": "test", "running_mean": 0.5, "running_var": 2.0}),
    BuiltIn("spatial_batchnorm", IMAGES),
    BuiltIn("layernorm", {"x": (6, 7), "gamma": (7,), "beta": (7,)}),
    BuiltIn("groupnorm", {"x": (2, 6, 3, 3), "gamma": (6,), "beta": (6,)}, {"groups": 2}),
    BuiltIn("softmax_loss", {"x": (6, 5), "y": (6,)}),
    BuiltIn("dropout", {"x": (4, 5)}, {"p": 0.8}),
    BuiltIn("sigmoid", {"x": (4, 5)}),
    BuiltIn("tanh", {"x": (4, 5)}),
]
FAR = 1e3
# Nothing is left of their gradients that far out.
SATURATED = {"sigmoid", "tanh"}
CASES = [
    pytest.param(subject, code, mean, id=f"{subject} {code}{' mean of 1e3' if mean else ''}")
    for subject in SMOOTH
    for code in CODE
    for mean in (0.0, FAR)
    if not (mean and subject.layer in SATURATED)
]
# A seeded tenth runs by default.
SEEDS = [pytest.param(range(20), id="a tenth"), pytest.param(range(200), id="all", marks=pytest.mark.slow)]

every_case = pytest.mark.parametrize(("subject", "code", "mean"), CASES)
as_shipped = pytest.mark.parametrize(
    ("subject", "code", "mean"), [case for case in CASES if case.values[1] == "complex-safe"]
)
over_seeds = pytest.mark.parametrize("seeds", SEEDS)


@dataclass(frozen=True)
class Measured:
    """Of one input over many seeds: true errors, bars, what errors are relative to, and why gradients did not pass."""

    error: np.ndarray
    bar: np.ndarray
    size: np.ndarray
    reasons: list[str]


@lru_cache
def measured(name, code, mean, seeds):
    """Return by input what the engine's error is, and what it says that it is."""
    built_in, parts, reasons = next(one for one in SMOOTH if str(one) == name), defaultdict(list), defaultdict(list)
    for seed in seeds:
        subject = CODE[code](built_in.functional(seed, mean))
        exact = built_in.gradients(subject, np.longdouble)
        for one, finding in found(subject, built_in.gradients(subject), "compressed", seed=seed).items():
            wide = np.abs(exact[one])
            rows = (np.abs(finding.numerical - exact[one]), finding.bar, np.maximum(wide, 1e-3 * np.max(wide)))
            parts[one].append(np.stack([np.ravel(row).astype(np.float64) for row in rows]))
            if finding.check.verdict != "pass":
                reasons[one].append(f"seed {seed}: {finding.check.verdict}: {finding.check.reason}")
    return {one: Measured(*np.concatenate(rows, axis=1), reasons[one]) for one, rows in parts.items()}


def test_every_smooth_layer_is_here():
    assert {subject.layer for subject in SMOOTH} == set(LAYERS) - {"relu", "leaky_relu", "maxpool2d"}


@over_seeds
@every_case
def test_right_gradients_pass(subject, code, mean, seeds):
    assert not any(one.reasons for one in measured(str(subject), code, mean, seeds).values())


@over_seeds
@as_shipped  # differences of real numbers cannot: rounding over a step leaves some 1e-10 far from zero
def test_errors_are_within_1e_9_and_mostly_within_1e_12(subject, code, mean, seeds):
    for name, one in measured(str(subject), code, mean, seeds).items():
        relative = one.error / one.size
        assert float(np.max(relative)) <= 1e-9, name
        assert float(np.median(relative)) <= 1e-12, name


@over_seeds
@every_case
def test_errors_are_far_below_the_tolerance(subject, code, mean, seeds):
    for name, one in measured(str(subject), code, mean, seeds).items():
        assert float(np.max(one.error / one.size)) <= (1e-6 if mean else 1e-8), name


@over_seeds
@every_case
def test_bars_cover_the_true_error(subject, code, mean, seeds):
    for name, one in measured(str(subject), code, mean, seeds).items():
        assert float(np.mean(one.error <= one.bar)) >= 0.999, name


@over_seeds
@as_shipped
def test_bars_are_within_50_times_the_true_error(subject, code, mean, seeds):
    """An error below one rounding of the entry is a matter of luck, and counts as one rounding."""
    for name, one in measured(str(subject), code, mean, seeds).items():
        known = np.maximum(one.error, np.finfo(np.float64).eps * one.size)
        assert float(np.median(one.bar / known)) <= 50, name
