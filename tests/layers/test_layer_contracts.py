"""What every built-in keeps: dtypes, NaN, the complex step, and the caller's arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from layer_variants import FURTHER, VARIANTS, Variant, arrays_of

from gradverify.layers.registry import LAYERS

every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)
STEP = 1e-30

# Far above rounding on these small examples, far below a wrong term.
CLOSE = {np.float16: 3e-2, np.float32: 3e-5, np.float64: 1e-12, np.longdouble: 1e-12}
CLOSE |= {np.complex64: 3e-5, np.complex128: 1e-12}


def test_every_layer_and_implementation_is_covered() -> None:
    assert set(FURTHER) == set(LAYERS)
    covered = {(variant.layer, variant.implementation) for variant in VARIANTS}
    assert covered == {(layer.name, item.name) for layer in LAYERS.values() for item in layer.implementations}


@every_variant
def test_the_gradient_is_the_complex_step(variant: Variant) -> None:
    inputs = variant.inputs()
    out, cache = variant.forward(inputs)
    dout = variant.cotangent(out)
    analytic = variant.backward(dout, cache)
    for name in variant.differentiable:
        exact = _complex_step_gradient(variant, inputs, name, dout)
        assert analytic[name].shape == inputs[name].shape
        np.testing.assert_allclose(analytic[name], exact, rtol=1e-11, atol=1e-12 * np.max(np.abs(exact), initial=1))


def _complex_step_gradient(variant: Variant, inputs: dict[str, np.ndarray], name: str, dout: np.ndarray) -> np.ndarray:
    gradient = np.zeros(inputs[name].shape)
    for index in np.ndindex(gradient.shape):
        nudged = inputs[name].astype(np.complex128)
        nudged[index] += 1j * STEP
        out, _ = variant.forward({**inputs, name: nudged})
        gradient[index] = np.sum(dout * np.imag(out)) / STEP
    return gradient


@every_variant
@pytest.mark.parametrize("dtype", CLOSE, ids=lambda dtype: dtype.__name__)
def test_outputs_and_gradients_follow_the_dtype(variant: Variant, dtype: Any) -> None:
    inputs = variant.inputs(dtype)
    out, cache = variant.forward(inputs)
    gradients = variant.backward(variant.cotangent(out), cache)
    assert out.dtype == dtype
    assert {gradient.dtype for gradient in gradients.values()} == {np.dtype(dtype)}
    wide = np.result_type(dtype, np.float64)
    exact, exact_cache = variant.forward({name: _widened(value, wide) for name, value in inputs.items()})
    expected = variant.backward(variant.cotangent(out).astype(wide), exact_cache)
    _assert_close(out, exact, CLOSE[dtype])
    for name, gradient in gradients.items():
        _assert_close(gradient, expected[name], CLOSE[dtype])


def _widened(value: np.ndarray, wide: Any) -> np.ndarray:
    return value if value.dtype.kind == "i" else value.astype(wide)


def _assert_close(found: Any, expected: Any, tolerance: float) -> None:
    scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
    assert np.max(np.abs(found - expected), initial=0) <= tolerance * scale


@every_variant
def test_one_complex_input_makes_the_output_complex(variant: Variant) -> None:
    inputs = variant.inputs()
    out, _ = variant.forward(inputs)
    for name in variant.differentiable:
        promoted, _ = variant.forward({**inputs, name: inputs[name].astype(np.complex128)})
        assert promoted.dtype == np.complex128
        np.testing.assert_allclose(np.real(promoted), out, rtol=1e-12, atol=1e-12)
        assert not np.any(np.imag(promoted))


@every_variant
def test_nan_reaches_every_output_that_depends_on_it(variant: Variant) -> None:
    inputs = variant.inputs()
    for name in variant.differentiable:
        for index in np.ndindex(inputs[name].shape):
            probed = {key: value.copy() for key, value in inputs.items()}
            probed[name][index] = np.nan
            reached = np.isnan(variant.forward(probed)[0])
            nudged = inputs[name].astype(np.complex128)
            nudged[index] += 1j * STEP
            depends = np.imag(variant.forward({**inputs, name: nudged})[0]) != 0
            assert np.all(reached | ~depends)


@pytest.mark.parametrize("layer", ["relu", "leaky_relu", "sigmoid", "tanh", "dropout"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_nan_stays_in_its_place_in_an_elementwise_layer(layer: str, dtype: Any) -> None:
    variant = Variant(layer, "vectorized", {"x": (4, 5)})
    x = variant.inputs(dtype)["x"]
    x[1, 2] = x[3, 4] = np.nan
    # numpy warns of a NaN in a complex quotient.
    with np.errstate(invalid="ignore"):
        out, _ = variant.forward({"x": x})
    np.testing.assert_array_equal(np.isnan(out), np.isnan(x))


@every_variant
def test_nan_in_the_cotangent_reaches_the_gradients(variant: Variant) -> None:
    out, cache = variant.forward(variant.inputs())
    for index in np.ndindex(out.shape):
        dout = np.array(variant.cotangent(out))
        probe = np.zeros_like(dout)
        probe[index], dout[index] = 1, np.nan
        reached = variant.backward(dout, cache)
        for name, gradient in variant.backward(probe, cache).items():
            assert np.all(np.isnan(reached[name]) | (gradient == 0))


@every_variant
def test_nothing_is_changed_or_handed_back(variant: Variant) -> None:
    inputs = variant.inputs()
    kept = {name: value.copy() for name, value in inputs.items()}
    out, cache = variant.forward(inputs)
    dout = variant.cotangent(out)
    cached = arrays_of(cache)
    before = [array.copy() for array in (dout, *cached, np.asarray(out))]
    gradients = variant.backward(dout, cache)
    for name, value in kept.items():
        np.testing.assert_array_equal(inputs[name], value)
    for now, then in zip((dout, *cached, np.asarray(out)), before, strict=True):
        np.testing.assert_array_equal(now, then)
    others = [dout, *cached, *inputs.values()]
    for made in (np.asarray(out), *gradients.values()):
        assert not any(np.shares_memory(made, other) for other in others)
    assert all(np.asarray(gradient).flags.writeable for gradient in gradients.values())
    assert not np.shares_memory(*_two(gradients))


def _two(gradients: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return two gradients, or one beside nothing where there is one."""
    first, *rest = gradients.values()
    return first, rest[0] if rest else np.zeros(1)


@every_variant
def test_backward_can_be_called_twice(variant: Variant) -> None:
    out, cache = variant.forward(variant.inputs())
    dout = variant.cotangent(out)
    first, second = variant.backward(dout, cache), variant.backward(dout, cache)
    for name, gradient in first.items():
        np.testing.assert_array_equal(gradient, second[name])


@every_variant
def test_strides_and_write_protection_do_not_matter(variant: Variant) -> None:
    inputs = variant.inputs()
    out, cache = variant.forward(inputs)
    dout = variant.cotangent(out)
    expected = variant.backward(dout, cache)
    assert not _every_second(np.ones((2, 2))).flags.contiguous
    for arranged in (_fortran, _every_second, _read_only):
        given = {name: arranged(value) for name, value in inputs.items()}
        other, other_cache = variant.forward(given)
        np.testing.assert_allclose(other, out, rtol=1e-12, atol=1e-12)
        for name, gradient in variant.backward(arranged(dout), other_cache).items():
            np.testing.assert_allclose(gradient, expected[name], rtol=1e-12, atol=1e-12)


def _fortran(value: np.ndarray) -> np.ndarray:
    return np.array(value, order="F")


def _every_second(value: np.ndarray) -> np.ndarray:
    """Return the values as a view with gaps, along axes in reverse."""
    if value.ndim == 0:
        return value
    holder = np.zeros(tuple(2 * length for length in value.shape[::-1]), dtype=value.dtype)
    view = holder[tuple(slice(None, None, 2) for _ in value.shape)].T
    view[...] = value
    return view


def _read_only(value: np.ndarray) -> np.ndarray:
    protected = value.copy()
    protected.flags.writeable = False
    return protected
