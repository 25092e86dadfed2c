"""Where curves end: at code that raises, at the range and the spacing of numbers, at passes and seconds."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
from curves import METHODS, curve, curve_of, mixed
from functionals import examined, functional

from gradverify.numerics.step_curve import PASSES, step_curve
from gradverify.results import Work


def raising(*, around=0.0, limit=np.inf, holes=False):
    """Return ``exp`` that raises far from a point, or at some distances from it."""

    def evaluate(x):
        distance = np.max(np.abs(x.real - around))
        if distance > limit or (holes and distance * 1e9 % 4 > 3):
            raise ValueError("not defined there")
        return np.exp(x)

    return evaluate


def test_steps_at_which_the_code_raises_are_left_out():
    subject = functional(np.exp, x=np.linspace(0.3, 0.9, 5))
    finding = examined(subject, subject.cotangents[0] * np.exp(subject.inputs["x"]), method="auto")
    whole = curve_of(finding)

    def inside(evaluate):
        changed = replace(subject, evaluate=lambda inputs: (evaluate(inputs["x"]),))
        return step_curve(replace(finding.nearby, functional=changed), finding.check, np.random.default_rng(5), 60.0)

    limited = inside(raising(around=subject.inputs["x"], limit=2.0**-8))
    assert limited.steps == whole.steps[: len(limited.steps)]
    assert 8 <= len(limited.steps) < 20
    assert limited.errors == whole.errors[: len(limited.steps)]
    holes = inside(raising(around=subject.inputs["x"], holes=True))
    assert set(holes.steps) < set(whole.steps)
    assert len(holes.steps) >= 4
    assert (
        dict(zip(holes.steps, holes.errors, strict=True)).items()
        <= dict(zip(whole.steps, whole.errors, strict=True)).items()
    )


@pytest.mark.parametrize("error", [ValueError, MemoryError, SystemExit])
def test_no_curve_of_code_that_raises_everywhere(error):
    subject, gradient = mixed("exp", 0)
    finding = examined(subject, gradient)

    def evaluate(_):
        raise error("no more")

    manner = replace(finding.nearby.manner, functional=replace(finding.nearby.functional, evaluate=evaluate))
    assert curve_of(replace(finding, nearby=replace(finding.nearby, manner=manner))) is None


def test_values_out_of_the_range_of_numbers_are_left_out_and_warn_nobody():
    subject = functional(lambda x: np.where(x.real > 1.51, np.inf, np.exp(x.real)), x=[1.5, 0.5, -0.5])
    with np.errstate(all="ignore"):
        finding = examined(subject, subject.cotangents[0] * np.exp(subject.inputs["x"]))
    with np.errstate(all="warn"), warnings.catch_warnings():
        warnings.simplefilter("error")
        found = curve_of(finding)
    assert 4 <= len(found.steps) < 24
    assert np.all(np.isfinite(found.errors))


def test_single_precision_has_no_steps_below_its_spacing():
    def single(x):
        if x.dtype != np.float32:
            raise TypeError("single precision alone")
        return np.exp(x)

    x = np.linspace(0.5, 1.5, 6).astype(np.float32)
    subject = functional(single, x=x)
    subject = replace(subject, cotangents=(subject.cotangents[0].astype(np.float32),))
    found = curve(subject, subject.cotangents[0] * np.exp(x))
    steps = np.array(found.steps)
    assert 4 <= len(steps) < 24
    assert steps[0] / np.spacing(x[found.index]) >= 8
    assert min(found.errors) < 1e-3
    assert np.all(np.array(found.errors) < 20 * np.array(found.roundoff) + found.bar)


@pytest.mark.parametrize("method", METHODS)
def test_at_most_so_many_passes(method):
    subject, gradient = mixed("exp", 2)
    finding, count = examined(subject, gradient, method=method), 0

    def evaluate(inputs):
        nonlocal count
        count += 1
        return subject.evaluate(inputs)

    counted = replace(finding.nearby.functional, evaluate=evaluate)
    manner = finding.nearby.manner
    manner = replace(manner, functional=replace(manner.functional, evaluate=evaluate))
    assert curve_of(replace(finding, nearby=replace(finding.nearby, functional=counted, manner=manner))) is not None
    assert 50 <= count <= PASSES
    assert PASSES <= 100


def test_no_curve_where_passes_take_long():
    subject, gradient = mixed("exp", 2)
    finding, count = examined(subject, gradient), 0

    def evaluate(inputs):
        nonlocal count
        count += 1
        time.sleep(0.25)
        return subject.evaluate(inputs)

    manner = replace(finding.nearby.manner, functional=replace(subject, evaluate=evaluate))
    slow = replace(finding, nearby=replace(finding.nearby, manner=manner))
    assert curve_of(slow) is None
    assert count == 2  # the first may have been a pause of the machine
    known = replace(slow.check, work=Work(derivative="complex step", passes={"noise": 4}, seconds={"noise": 1.0}))
    assert curve_of(replace(slow, check=known)) is None
    assert count == 2


@pytest.mark.parametrize("method", METHODS)
def test_no_curve_where_there_is_no_time(method):
    subject, gradient = mixed("exp", 2)
    finding = examined(subject, gradient, method=method)
    quick = replace(finding, check=replace(finding.check, work=None))
    assert curve_of(quick, seconds=1e-9) is None
    assert curve_of(quick, seconds=60.0) is not None
    passes, times = {"compiled": 2, "noise": 10}, {"compiled": 9.0, "noise": 1.0}
    known = replace(finding.check, work=replace(finding.check.work, passes=passes, seconds=times))
    assert curve_of(replace(finding, check=known), seconds=PASSES * 0.1 - 0.1) is None
    assert curve_of(replace(finding, check=known), seconds=PASSES * 0.1 + 0.1) is not None


def test_no_curve_without_elements_and_none_where_nothing_could_be_computed():
    assert curve_of(examined(functional(np.exp, x=np.zeros((0, 3))), np.zeros((0, 3)))) is None
    subject, gradient = mixed("exp", 4)
    assert examined(subject, gradient, budget=3).nearby is None
