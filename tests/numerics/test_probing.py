"""One probe tells every output the topmost part of an input that it depends on."""

from __future__ import annotations

import numpy as np
import pytest
from built_ins import behind_cotangents

from gradverify.numerics.probing import (
    AmbiguousProbeError,
    CodedProber,
    PoisonProber,
    complex_prober,
    impulse_prober,
)

IMAGINARY, REAL = (-1000, -20), (60, 960)


def topmost(pattern, labels):
    """Return for every row of a pattern the largest label that it has."""
    return np.max(np.where(pattern, np.ravel(labels), -1), axis=1, initial=-1)


def drawn(seed, elements=60, outputs=50, share=0.2):
    """Return a Jacobian with holes, and labels, some of which are -1."""
    random = np.random.default_rng([seed, 60])
    pattern = random.random((outputs, elements)) < share
    pattern[:3] = False
    return random, pattern, np.where(pattern, random.normal(size=pattern.shape), 0.0)


@pytest.mark.parametrize("exponents", [IMAGINARY, REAL])
@pytest.mark.parametrize(
    ("count", "size"),
    [(1, 1e-9), (1, 1e9), (2, 1e-12), (2, 1e9), (8, 1e-9), (8, 1.0), (8, 1e6), (24, 1e-6), (24, 1.0), (24, 1e3)],
)
def test_coded_probes_tell_the_topmost_part(count, size, exponents):
    """Whatever the common size of the Jacobian's entries, in bounds that are the narrower the more parts there are."""
    for seed in range(10):
        random, pattern, jacobian = drawn(seed)
        labels = random.integers(-1, count, (6, 10))
        prober = CodedProber(lambda coded, j=jacobian: size * j @ coded.ravel(), random, exponents, 24)
        np.testing.assert_array_equal(prober.top(labels, count), topmost(pattern, labels))


def test_entries_that_add_up_to_nothing_do_not_hide():
    """The rows of a softmax's Jacobian do."""
    random = np.random.default_rng(61)
    jacobian = np.eye(30) - 1 / 30
    prober = CodedProber(lambda coded: jacobian @ coded, random, IMAGINARY, 24)
    for _ in range(20):
        np.testing.assert_array_equal(prober.top(np.zeros(30, dtype=int), 1), np.zeros(30))
        np.testing.assert_array_equal(prober.top(np.arange(30) % 3, 3), np.full(30, 2))


def test_answers_that_lie_between_parts_are_ambiguous():
    random = np.random.default_rng(62)
    sizes = np.exp2(random.uniform(-200, 200, 400))
    with pytest.raises(AmbiguousProbeError):
        CodedProber(lambda coded: sizes * coded, random, IMAGINARY, 24).top(np.arange(400) % 24, 24)
    with pytest.raises(AmbiguousProbeError):
        CodedProber(lambda coded: coded * np.nan, random, IMAGINARY, 24).top(np.zeros(400, dtype=int), 1)


def rejecting(x):
    if np.iscomplexobj(x) or np.max(np.abs(x)) > 1e3:
        raise ValueError("out of the domain")
    return x


@pytest.mark.parametrize("make", [complex_prober, impulse_prober])
def test_code_that_raises_is_ambiguous(make):
    subject = behind_cotangents(rejecting, x=np.ones(5))
    with pytest.raises(AmbiguousProbeError):
        make(subject, "x", np.random.default_rng(63), 24).top(np.arange(5), 5)


@pytest.mark.parametrize("make", [complex_prober, impulse_prober])
def test_small_entries_of_other_inputs_do_not_hide_a_part(make):
    """Products with the other input decide how large an answer is; some of them are nearly nothing."""
    random = np.random.default_rng(64)
    other = np.where(np.arange(40) % 4, random.normal(size=40), 1e-200)
    subject = behind_cotangents(lambda x, w: x * w, x=random.normal(size=40), w=other)
    np.testing.assert_array_equal(make(subject, "x", random, 24).top(np.arange(40) % 20, 20), np.arange(40) % 20)


@pytest.mark.parametrize("make", [complex_prober, impulse_prober])
def test_other_inputs_keep_apart(make):
    """What is moved away from zero must not become equal: of two equal values a normalization leaves nothing."""
    for seed in range(20):
        random = np.random.default_rng([seed, 65])
        subject = behind_cotangents(
            lambda x, g: g * (x - x.mean(axis=1, keepdims=True)), x=random.normal(size=(8, 2)), g=random.normal(size=2)
        )
        np.testing.assert_array_equal(make(subject, "g", random, 24).top(np.arange(2), 2), np.tile([0, 1], 8))


def checked(x):
    if not np.all(np.isfinite(x)):
        raise ValueError("x is not finite")
    return x[1:] + x[:-1]


POISONED = {
    "passes NaN on": lambda x: x[1:] + x[:-1],
    "stops NaN, follows what is above zero": lambda x: np.where(x > 0, x, 0)[1:],
    "stops NaN, follows what is below zero": lambda x: np.where(x < 0, x, 0)[1:],
    "raises on NaN": checked,
}


@pytest.mark.parametrize("kind", POISONED)
def test_poison_tells_which_outputs_change(kind):
    random = np.random.default_rng(66)
    subject = behind_cotangents(POISONED[kind], x=random.normal(size=20))
    pattern = np.eye(19, 20, 1, dtype=bool) | (np.eye(19, 20, dtype=bool) & ("stops" not in kind))
    prober = PoisonProber(subject, "x", random)
    for _ in range(10):
        labels = random.integers(0, 2, 20)
        np.testing.assert_array_equal(prober.top(labels, 2) == 1, topmost(pattern, labels) == 1)
    np.testing.assert_array_equal(prober.top(np.zeros(20, dtype=int), 1), np.zeros(19))


def test_poison_of_nothing_changes_nothing():
    subject = behind_cotangents(lambda x: x, x=np.arange(1.0, 5))
    for labels in (np.zeros(4, dtype=int), np.full(4, -1)):
        np.testing.assert_array_equal(PoisonProber(subject, "x", np.random.default_rng(0)).top(labels, 2), np.zeros(4))


def test_code_that_raises_on_every_move_is_ambiguous():
    def raising(x):
        if np.any(x != 1):
            raise ValueError("x must be 1")
        return x

    subject = behind_cotangents(raising, x=np.ones(5))
    with pytest.raises(AmbiguousProbeError):
        PoisonProber(subject, "x", np.random.default_rng(0)).top(np.ones(5, dtype=int), 2)
