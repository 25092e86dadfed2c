"""Complex steps are believed of code that carries them, and of no other."""

from __future__ import annotations

import numpy as np
import pytest
from built_ins import BuiltIn, behind_cotangents
from test_engine_accuracy import SMOOTH

from gradverify.numerics.complex_step import ComplexUnsafeError, complex_derivative, imaginary_parts, prove_complex
from gradverify.numerics.functional import Functional

SHAPE = (6, 4)
RIGHT = {
    "tanh": np.tanh,
    "a square root far from zero": lambda x: np.sqrt(x + 10),
    "a maximum": lambda x: np.maximum(x, 0),
    "a branch": lambda x: np.where(x.real > 0, x, 0.1 * x),
    "a variance without conjugates": lambda x: ((x - x.mean(axis=0)) ** 2).mean(axis=0),
    "a matrix product": lambda x: x @ np.arange(12.0).reshape(4, 3),
    "a buffer of its dtype": lambda x: in_buffer(x, x.dtype),
    "many sizes": lambda x: x * 10.0 ** np.arange(-6, 2, 2),
    "several outputs": lambda x: (x**2, x.sum(axis=0)),
    "nothing": lambda x: np.ones(3, dtype=x.dtype),
    "large data": lambda x: (x + 1e6) ** 2,
}


def in_buffer(x, dtype):
    out = np.zeros(x.shape, dtype=dtype)
    for row, value in enumerate(x):
        out[row] = value**2
    return out


def wrong_in_one_output(x):
    out = np.array(x**2)
    out[2, 1] = out[2, 1].real
    return out


def slightly_wrong_in_one_output(x):
    out = np.array(x**2)
    place = np.unravel_index(np.argmax(np.abs(x)), x.shape)
    out[place] += 1e-4 * out[place].conj()
    return out


WRONG = {
    "np.var": lambda x: (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5),
    "np.std": lambda x: x / x.std(axis=0),
    "np.abs": np.abs,
    "np.linalg.norm": lambda x: x / np.linalg.norm(x),
    "a real part": lambda x: x.real**2 + 0j,
    "a real output": lambda x: x.real**2,
    "a conjugate": lambda x: x * np.conj(x),
    "a cast to float64": lambda x: x.astype(np.float64) ** 2,
    "a float64 buffer": lambda x: in_buffer(x, np.float64),
    "a float32 buffer": lambda x: in_buffer(x, np.float32),
    "complex64 inside": lambda x: x.astype(np.complex64) ** 2 if np.iscomplexobj(x) else x**2,
    "complex64 inside, hidden": lambda x: (x.astype(np.complex64) ** 2).astype(complex) if np.iscomplexobj(x) else x**2,
    "code that raises": lambda x: np.array([float(value) ** 2 for value in np.ravel(x)]),
    "wrong in one output": wrong_in_one_output,
    "slightly wrong in one output": slightly_wrong_in_one_output,
    "an angle": lambda x: x * np.exp(np.angle(x)),
    "infinite": lambda x: x / (1 - np.iscomplexobj(x)),
}  # fmt: skip


def drawn(function, seed, scale=1.0):
    with np.errstate(all="ignore"):
        return behind_cotangents(function, seed, x=scale * np.random.default_rng([seed, 70]).normal(size=SHAPE))


def proved(subject, seed=0, names=("x",)):
    with np.errstate(divide="ignore", invalid="ignore"):
        return prove_complex(
            subject, {name: np.ones(subject.inputs[name].shape) for name in names}, np.random.default_rng([seed, 71])
        )


@pytest.mark.parametrize("kind", RIGHT)
def test_right_code_is_proved(kind):
    for seed in range(20):
        subject = drawn(RIGHT[kind], seed)
        proof = proved(subject, seed)
        assert proof is not None
        assert 0 < proof.noise < 1e-9
        found = complex_derivative(subject, proof.directions)
        np.testing.assert_array_equal(proof.terms, subject.weights * found)


@pytest.mark.parametrize("kind", WRONG)
def test_other_code_is_not(kind):
    for seed in range(20):
        assert proved(drawn(WRONG[kind], seed), seed) is None


@pytest.mark.parametrize("layer", SMOOTH, ids=str)
def test_built_ins_are_proved(layer):
    for seed in range(5):
        for mean in (0.0, 1e3):
            assert proved(layer.functional(seed, mean), seed, layer.differentiable) is not None


@pytest.mark.parametrize(
    "function",
    [lambda x: np.maximum(x, 0), lambda x: x[:, 1:] * (x[:, 1:].real > x[:, :-1].real)],
    ids=["relu at zero", "a jump"],
)
def test_ties_are_not_proved(function):
    for seed in range(20):
        x = np.random.default_rng([seed, 72]).normal(size=SHAPE)
        x[3, 1:3] = 0
        assert proved(behind_cotangents(function, seed, x=x), seed) is None


def test_tied_maxima_are_not_proved():
    layer = BuiltIn("maxpool2d", {"x": (1, 2, 4, 4)}, {"kernel_size": 2})
    for seed in range(20):
        subject = layer.functional(seed)
        subject.inputs["x"][0, 0, :2, :2] = 5
        tied = Functional(subject.evaluate, subject.inputs, subject.cotangents, subject.evaluate(subject.inputs))
        assert proved(tied, seed) is None


def test_the_imaginary_part_of_one_input_may_be_dropped_alone():
    subject = behind_cotangents(lambda x, w: x * w.real, x=np.ones(4), w=np.arange(1.0, 5))
    assert proved(subject, names=("x",)) is not None
    assert proved(subject, names=("x", "w")) is None


@pytest.mark.parametrize(
    "layer",
    [
        BuiltIn("maxpool2d", {"x": (4, 8, 16, 16)}, {"kernel_size": 2, "stride": 2}),
        BuiltIn("relu", {"x": (100, 100)}),
        BuiltIn("softmax_loss", {"x": (200, 50), "y": (200,)}),
    ],
    ids=str,
)
def test_some_kinks_beside_many_outputs_disprove_nothing(layer):
    for seed in range(10):
        assert proved(layer.functional(seed), seed) is not None


def test_an_input_without_effect_is_no_reason_for_doubt():
    """A bias before a norm: neither derivative shows more of it than rounding."""
    for seed in range(20):
        x, b = np.random.default_rng([seed, 74]).normal(size=(8, 5)), np.random.default_rng([seed, 75]).normal(size=5)
        subject = behind_cotangents(lambda x, b: (x + b) - (x + b).mean(axis=0) + x**2, seed, x=x, b=b)
        noise = 1e-17 * np.random.default_rng([seed, 76]).normal(size=5)
        for nothing in (np.zeros(5), noise):
            expected = {"x": np.ones(x.shape), "b": nothing}
            assert prove_complex(subject, expected, np.random.default_rng([seed, 71])) is not None


def test_derivatives_are_exact():
    x, v = np.random.default_rng(73).normal(size=(2, 50))
    subject = behind_cotangents(lambda x: np.exp(x) * np.sin(x), x=x)
    wide = x.astype(np.longdouble)
    exact = np.exp(wide) * (np.sin(wide) + np.cos(wide)) * v
    np.testing.assert_allclose(complex_derivative(subject, {"x": v}), exact.astype(float), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(imaginary_parts(subject, {"x": 1e-200 * v}) * 1e200, exact.astype(float), rtol=1e-13)


@pytest.mark.parametrize("kind", ["a cast to float64", "a real output", "complex64 inside", "code that raises"])
def test_code_that_cannot_carry_them_is_unsafe(kind):
    with pytest.raises(ComplexUnsafeError):
        complex_derivative(drawn(WRONG[kind], 0), {"x": np.ones(SHAPE)})


def test_noise_is_that_of_the_code():
    """Data far from zero lose digits where their mean is taken off, and the noise says so."""
    near, far = (
        np.median(
            [proved(drawn(lambda x, m=mean: (x + m) - (x + m).mean(axis=0) + x**2, seed)).noise for seed in range(9)]
        )
        for mean in (0.0, 1e6)
    )
    assert near < 1e-14
    assert near <= far
