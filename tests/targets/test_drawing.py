"""Parameters whose entries are all equal are varied, others are not."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.targets.drawing import varied


@pytest.mark.parametrize("constant", [0.0, 1.0, -3.0, 40.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_constant_arrays_get_noise_of_their_size(constant, dtype):
    found = varied("gamma", np.full((40, 50), constant, dtype))
    spread = 0.25 * (abs(constant) or 1.0)
    assert found.dtype == dtype
    assert abs(np.median(found) - constant) < 0.1 * spread
    assert abs(found.std() - spread) < 0.15 * spread
    assert constant == 0 or np.all(found * constant > 0)


def test_noise_depends_on_the_name_alone():
    ones = np.ones(5)
    np.testing.assert_array_equal(varied("gamma", ones), varied("gamma", ones))
    assert np.all(varied("gamma", ones) != varied("beta", ones))
    np.testing.assert_array_equal(ones, 1.0)


@pytest.mark.parametrize("array", [np.array([1.0, 1.0, 2.0]), np.ones((0, 2))])
def test_other_arrays_are_as_they_were(array):
    np.testing.assert_array_equal(varied("gamma", array), array)


def test_one_number_is_a_constant():
    assert varied("slope", np.array([0.25])) != 0.25
    assert varied("slope", np.array(0.25)).shape == ()
