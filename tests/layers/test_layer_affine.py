"""The affine layer against einsum."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.layers.affine import affine_backward, affine_forward


def test_affine_is_einsum() -> None:
    random = np.random.default_rng(0)
    x, w, b = random.normal(size=(3, 2, 4)), random.normal(size=(8, 5)), random.normal(size=5)
    dout = random.normal(size=(3, 5))
    out, cache = affine_forward(x, w, b)
    spread = w.reshape(2, 4, 5)
    np.testing.assert_allclose(out, np.einsum("nij,ijm->nm", x, spread) + b, rtol=1e-13)
    dx, dw, db = affine_backward(dout, cache)
    np.testing.assert_allclose(dx, np.einsum("nm,ijm->nij", dout, spread), rtol=1e-12)
    np.testing.assert_allclose(dw, np.einsum("nij,nm->ijm", x, dout).reshape(8, 5), rtol=1e-12)
    np.testing.assert_allclose(db, np.einsum("nm->m", dout), rtol=1e-12)


def test_an_empty_batch_has_gradients_of_zero() -> None:
    out, cache = affine_forward(np.zeros((0, 4)), np.ones((4, 2)), np.ones(2))
    dx, dw, db = affine_backward(out, cache)
    assert (out.shape, dx.shape) == ((0, 2), (0, 4))
    assert not np.any(dw)
    assert not np.any(db)


def test_weights_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        affine_forward(np.ones((3, 4)), np.ones((5, 2)), np.ones(2))
