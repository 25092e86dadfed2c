"""One normalization kernel behind four layers: three backward passes, running statistics, and known values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.layers import normalization

FORMS = ("graph", "closed", "diagonal")
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "batchnorm": ((6, 4), (4,), {}),
    "spatial_batchnorm": ((3, 4, 2, 3), (4,), {}),
    "layernorm": ((3, 4, 5), (4, 5), {}),
    "groupnorm": ((3, 6, 2, 2), (6,), {"groups": 2}),
}


def _forward(layer: str, *inputs: np.ndarray, **params: Any) -> tuple[np.ndarray, Any]:
    return getattr(normalization, f"{layer}_forward")(*inputs, **params)


def _backward(layer: str, form: str, dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return getattr(normalization, f"{layer}_backward_{form}")(dout, cache)


def _arrays(
    x_shape: tuple[int, ...], gamma_shape: tuple[int, ...], mean: float = 0, std: float = 1
) -> list[np.ndarray]:
    random = np.random.default_rng(5)
    return [
        random.normal(mean, std, x_shape),
        random.uniform(0.5, 1.5, gamma_shape),
        random.normal(size=gamma_shape),
        random.normal(size=x_shape),
    ]


def _assert_same(found: Any, expected: Any, tolerance: float) -> None:
    for mine, other in zip(found, expected, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=0, atol=tolerance * np.max(np.abs(other)))


@pytest.mark.parametrize("layer", SHAPES)
@pytest.mark.parametrize(("mean", "std", "tolerance"), [(0, 1, 1e-13), (1e3, 1, 1e-10), (-2, 1e-3, 1e-11)])
def test_the_three_backward_passes_agree(layer: str, mean: float, std: float, tolerance: float) -> None:
    x_shape, gamma_shape, params = SHAPES[layer]
    x, gamma, beta, dout = _arrays(x_shape, gamma_shape, mean, std)
    _, cache = _forward(layer, x, gamma, beta, **params)
    graph, closed, diagonal = (_backward(layer, form, dout, cache) for form in FORMS)
    _assert_same(closed, graph, tolerance)
    _assert_same(diagonal, graph, tolerance)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    groups=st.integers(1, 3),
    seed=st.integers(0, 999),
)
def test_the_forms_agree_on_every_shape(shape: tuple[int, ...], groups: int, seed: int) -> None:
    samples, per_group, *space = shape
    x_shape = (samples, groups * per_group, *space)
    random = np.random.default_rng(seed)
    x, dout = random.normal(size=x_shape), random.normal(size=x_shape)
    gammas = {"spatial_batchnorm": (x_shape[1],), "layernorm": x_shape[1:], "groupnorm": (x_shape[1],)}
    for layer, gamma_shape in gammas.items():
        gamma, beta = random.normal(size=gamma_shape), random.normal(size=gamma_shape)
        # An eps of ordinary size: a mean over one or two values has next to no variance of its own.
        params = {"eps": 0.5} | ({"groups": groups} if layer == "groupnorm" else {})
        out, cache = _forward(layer, x, gamma, beta, **params)
        assert out.shape == x_shape
        graph, closed, diagonal = (_backward(layer, form, dout, cache) for form in FORMS)
        for mine, other in ((closed, graph), (diagonal, graph)):
            for found, expected in zip(mine, other, strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("layer", SHAPES)
def test_what_shares_a_mean_comes_out_with_mean_0_and_variance_1(layer: str) -> None:
    x_shape, gamma_shape, params = SHAPES[layer]
    x, *_ = _arrays(x_shape, gamma_shape, mean=1e3, std=3)
    out, _ = _forward(layer, x, np.ones(gamma_shape), np.zeros(gamma_shape), eps=1e-12, **params)
    shared = {
        "batchnorm": out.T,
        "spatial_batchnorm": np.moveaxis(out, 1, 0).reshape(4, -1),
        "layernorm": out.reshape(3, -1),
        "groupnorm": out.reshape(6, -1),
    }[layer]
    np.testing.assert_allclose(shared.mean(axis=1), 0, atol=1e-10)
    np.testing.assert_allclose(shared.var(axis=1), 1, atol=1e-10)


def test_batchnorm_of_two_samples_by_hand() -> None:
    """Mean 2, variance 1, eps 0.44: xhat is -1 and 1 over 1.2."""
    x, gamma, beta = np.array([[1.0], [3.0]]), np.array([2.4]), np.array([5.0])
    out, cache = normalization.batchnorm_forward(x, gamma, beta, eps=0.44)
    np.testing.assert_allclose(out, [[3.0], [7.0]], rtol=1e-14)
    for form in FORMS:
        dx, dgamma, dbeta = _backward("batchnorm", form, np.array([[1.0], [2.0]]), cache)
        np.testing.assert_allclose(dgamma, [1 / 1.2], rtol=1e-14)
        np.testing.assert_allclose(dbeta, [3.0], rtol=1e-14)
        # y2 - y1 = gamma d / sqrt(d^2/4 + eps) with d = x2 - x1 = 2, whose derivative by d is gamma eps / 1.2^3.
        np.testing.assert_allclose(dx, [[-0.5 * 2.4 * 0.44 / 1.728], [0.5 * 2.4 * 0.44 / 1.728]], rtol=1e-13)


def test_a_cotangent_of_ones_has_no_input_gradient() -> None:
    x, gamma, beta, dout = _arrays((6, 4), (4,))
    _, cache = normalization.batchnorm_forward(x, gamma, beta)
    for form in FORMS:
        dx, *_ = _backward("batchnorm", form, np.ones_like(dout), cache)
        np.testing.assert_allclose(dx, 0, atol=1e-14)


@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("form", FORMS)
def test_spatial_batchnorm_is_batchnorm_of_the_pixels(mode: str, form: str) -> None:
    x, gamma, beta, dout = _arrays((3, 4, 2, 5), (4,))
    params = {"mode": mode, "running_mean": [1, 2, 3, 4], "running_var": [4, 3, 2, 1]}
    out, cache = normalization.spatial_batchnorm_forward(x, gamma, beta, **params)
    flat_out, flat_cache = normalization.batchnorm_forward(_pixels(x), gamma, beta, **params)
    np.testing.assert_allclose(_pixels(out), flat_out, rtol=1e-12, atol=1e-13)
    dx, dgamma, dbeta = _backward("spatial_batchnorm", form, dout, cache)
    expected = _backward("batchnorm", form, _pixels(dout), flat_cache)
    _assert_same((_pixels(dx), dgamma, dbeta), expected, 1e-13)
    np.testing.assert_allclose(cache.running_mean, flat_cache.running_mean, rtol=1e-13)
    np.testing.assert_allclose(cache.running_var, flat_cache.running_var, rtol=1e-13)


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.transpose(0, 2, 3, 1).reshape(-1, images.shape[1])


@pytest.mark.parametrize("form", FORMS)
def test_groupnorm_of_one_group_has_the_statistics_of_layernorm(form: str) -> None:
    x, gamma, beta, dout = _arrays((3, 4, 2, 5), (4,))
    wide = [np.broadcast_to(item[:, None, None], (4, 2, 5)) for item in (gamma, beta)]
    out, cache = normalization.groupnorm_forward(x, gamma, beta, groups=1)
    layer_out, layer_cache = normalization.layernorm_forward(x, *wide)
    np.testing.assert_allclose(out, layer_out, rtol=1e-12, atol=1e-13)
    dx, dgamma, dbeta = _backward("groupnorm", form, dout, cache)
    layer_dx, layer_dgamma, layer_dbeta = _backward("layernorm", form, dout, layer_cache)
    _assert_same((dx, dgamma, dbeta), (layer_dx, layer_dgamma.sum(axis=(1, 2)), layer_dbeta.sum(axis=(1, 2))), 1e-13)


def test_layernorm_is_batchnorm_of_the_transpose() -> None:
    x, _, _, dout = _arrays((5, 3), (3,))
    out, cache = normalization.layernorm_forward(x, np.ones(3), np.zeros(3))
    turned, turned_cache = normalization.batchnorm_forward(x.T, np.ones(5), np.zeros(5))
    np.testing.assert_allclose(out, turned.T, rtol=1e-13, atol=1e-14)
    for form in FORMS:
        dx, *_ = _backward("layernorm", form, dout, cache)
        turned_dx, *_ = _backward("batchnorm", form, dout.T, turned_cache)
        np.testing.assert_allclose(dx, turned_dx.T, rtol=1e-11, atol=1e-13)


def test_dgamma_is_the_diagonal_of_the_matrix_product() -> None:
    x, gamma, beta, dout = _arrays((6, 4), (4,))
    _, cache = normalization.batchnorm_forward(x, gamma, beta)
    xhat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    expected = np.diag(dout.T @ xhat)
    for form in FORMS:
        np.testing.assert_allclose(_backward("batchnorm", form, dout, cache)[1], expected, rtol=1e-12)


def test_running_statistics_move_by_the_momentum() -> None:
    x = np.array([[1.0, 10.0], [3.0, 30.0]])
    given_mean, given_var = [0.0, 4.0], [1.0, 2.0]
    _, cache = normalization.batchnorm_forward(
        x, np.ones(2), np.zeros(2), momentum=0.75, running_mean=given_mean, running_var=given_var
    )
    # Batch means 2 and 20, biased variances 1 and 100.
    np.testing.assert_allclose(cache.running_mean, [0.5, 8.0], rtol=1e-15)
    np.testing.assert_allclose(cache.running_var, [1.0, 26.5], rtol=1e-15)
    assert (given_mean, given_var) == ([0.0, 4.0], [1.0, 2.0])


def test_running_statistics_start_from_0_and_1() -> None:
    x = np.random.default_rng(0).normal(3, 2, (50, 2))
    _, cache = normalization.batchnorm_forward(x, np.ones(2), np.zeros(2))
    np.testing.assert_allclose(cache.running_mean, 0.1 * x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(cache.running_var, 0.9 + 0.1 * x.var(axis=0), rtol=1e-13)


@pytest.mark.parametrize("layer", ["batchnorm", "spatial_batchnorm"])
def test_test_mode_uses_and_keeps_the_running_statistics(layer: str) -> None:
    x_shape, gamma_shape, _ = SHAPES[layer]
    x, gamma, beta, dout = _arrays(x_shape, gamma_shape)
    mean, var = np.array([1.0, 2.0, 3.0, 4.0]), np.array([4.0, 3.0, 2.0, 1.0])
    out, cache = _forward(layer, x, gamma, beta, mode="test", running_mean=mean, running_var=var, eps=0.5)
    channel = (slice(None), *(None for _ in x_shape[2:]))
    root = np.sqrt(var + 0.5)[channel]
    np.testing.assert_allclose(out, gamma[channel] * (x - mean[channel]) / root + beta[channel], rtol=1e-12)
    np.testing.assert_array_equal(cache.running_mean, mean)
    np.testing.assert_array_equal(cache.running_var, var)
    assert not np.shares_memory(cache.running_mean, mean)
    for form in FORMS:
        dx, _, _ = _backward(layer, form, dout, cache)
        np.testing.assert_allclose(dx, dout * gamma[channel] / root, rtol=1e-12)


@pytest.mark.parametrize("name", ["running_mean", "running_var"])
@pytest.mark.parametrize("value", [[1.0], [1.0, 2.0, 3.0], [[1.0, 1.0]]])
def test_running_statistics_of_another_length_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"{name} has shape .*, expected one number, or one for each of 2"):
        normalization.batchnorm_forward(np.ones((3, 2)), np.ones(2), np.zeros(2), **{name: value})


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode is 'eval', expected 'train' or 'test'"):
        normalization.batchnorm_forward(np.ones((3, 2)), np.ones(2), np.zeros(2), mode="eval")


def test_groups_must_divide_the_channels() -> None:
    with pytest.raises(ValueError, match="4 groups do not divide 6 channels"):
        normalization.groupnorm_forward(np.ones((2, 6)), np.ones(6), np.zeros(6), groups=4)


def test_running_statistics_follow_the_dtype_of_x() -> None:
    x = np.ones((3, 2), dtype=np.float32)
    for mode in ("train", "test"):
        out, cache = normalization.batchnorm_forward(
            x, x[0], x[0], mode=mode, running_mean=np.zeros(2), running_var=[1.0, 2.0]
        )
        assert {out.dtype, cache.running_mean.dtype, cache.running_var.dtype} == {np.dtype(np.float32)}
