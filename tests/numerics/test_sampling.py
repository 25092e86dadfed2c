"""Data are the same today and tomorrow, whatever else is drawn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.numerics.sampling import cotangent, fill, signs, stream

# What stream(7, "input", "conv", "x") gives.
NORMAL = [-2.463700154118267, 1.0998944162828843]
UNIFORM = [-0.040099511614434924, 0.8535181869480188]
INTEGERS = [5, 4, 7, 9]
COTANGENT = [1.4267590934740095, -1.0786941565581265]
SIGNS = [1.0, -1.0, 1.0, 1.0]


def test_streams_do_not_depend_on_order():
    forwards = [stream(0, "case", name).random() for name in ("x", "w", "b")]
    backwards = [stream(0, "case", name).random() for name in ("b", "w", "x")]
    assert forwards == backwards[::-1]


def test_streams_of_different_names_and_seeds_differ():
    paths = [("",), ("", ""), ("x",), ("x", ""), ("", "x"), ("x", "y"), ("xy",), ("y", "x"), ("ü",), ("\udcff",)]
    seeds = (0, 1, 2**32, 2**64, 2**32 + 1)
    drawn = {stream(seed, *path).integers(2**63) for seed, path in itertools.product(seeds, paths)}
    assert len(drawn) == len(seeds) * len(paths)


def test_streams_are_uncorrelated():
    table = np.array([stream(seed, f"case{number}").normal(size=400) for seed in range(5) for number in range(5)])
    correlation = np.corrcoef(table) - np.eye(len(table))
    assert np.max(np.abs(correlation)) < 5 / np.sqrt(400)


def test_values_of_version_one():
    """Literal values: if these change, every user's data change, and that needs a major version."""
    random = [stream(7, "input", "conv", "x") for _ in range(5)]
    np.testing.assert_array_equal(fill("normal", (2,), {}, random[0]), NORMAL)
    np.testing.assert_array_equal(fill("uniform", (2,), {"low": -1.0}, random[1]), UNIFORM)
    np.testing.assert_array_equal(fill("integers", (4,), {"high": 10}, random[2]), INTEGERS)
    np.testing.assert_array_equal(cotangent((2,), random[3]), COTANGENT)
    np.testing.assert_array_equal(signs((4,), random[4]), SIGNS)


def test_fill_follows_its_options():
    random = stream(0, "x")
    normal = fill("normal", (4000,), {"mean": 1e3, "std": 2.0}, random)
    assert abs(normal.mean() - 1e3) < 0.2
    assert abs(normal.std() - 2) < 0.2
    uniform = fill("uniform", (4000,), {"low": 3.0, "high": 4.0}, random)
    assert 3 <= uniform.min() < 3.01
    assert 3.99 < uniform.max() < 4
    integers = fill("integers", (400,), {"low": -1, "high": 2}, random)
    assert set(integers.tolist()) == {-1, 0, 1}
    assert integers.dtype == np.int64


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("kind", ["normal", "uniform", "integers", "arange", "ones", "zeros"])
def test_fill_has_the_shape_asked_for(kind, shape):
    assert np.shape(fill(kind, shape, {"high": 3}, stream(0))) == shape


def test_fixed_fills():
    np.testing.assert_array_equal(fill("arange", (2, 2), {}, stream(0)), [[0, 1], [2, 3]])
    np.testing.assert_array_equal(fill("ones", (2,), {}, stream(0)), [1.0, 1.0])
    np.testing.assert_array_equal(fill("zeros", (2,), {}, stream(0)), [0.0, 0.0])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**64))
def test_cotangent_is_signed_and_away_from_zero(seed):
    drawn = cotangent((40,), stream(seed))
    assert np.all((np.abs(drawn) >= 0.5) & (np.abs(drawn) < 1.5))
    assert np.any(drawn > 0)
    assert np.any(drawn < 0)
    assert len(np.unique(drawn)) == 40
    assert set(np.unique(signs((40,), stream(seed)))) == {-1.0, 1.0}
