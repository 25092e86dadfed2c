"""Element-wise activations.

All of them take complex numbers, which numpy's ``maximum`` and ``minimum`` order by their real parts: a complex step
stays on its branch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ActivationCache",
    "LeakyReluCache",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "relu_backward",
    "relu_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "tanh_backward",
    "tanh_forward",
]


class ActivationCache(NamedTuple):
    """The input of the forward pass."""

    x: NDArray[Any]


class LeakyReluCache(NamedTuple):
    """The input of the forward pass, and the slope."""

    x: NDArray[Any]
    negative_slope: float


def relu_forward(x: NDArray[Any]) -> tuple[NDArray[Any], ActivationCache]:
    """Cut off what is below zero.

    ::

        out = max(x, 0)

    Parameters
    ----------
    x
        Input, any shape.

    Returns
    -------
    out
        Of the shape of x.
    cache
        For the backward pass.
    """
    return np.maximum(x, 0), ActivationCache(x)


def relu_backward(dout: NDArray[Any], cache: ActivationCache) -> tuple[NDArray[Any]]:
    """Pass the cotangent on where the input was above zero; at the kink the derivative is taken to be 0.

    ::

        dx = dout * [x > 0]

    Parameters
    ----------
    dout
        Of the shape of x.
    cache
        From the forward pass.

    Returns
    -------
    tuple of ndarray
        dx, of the shape of x.
    """
    return (dout * (cache.x > 0),)


def leaky_relu_forward(x: NDArray[Any], *, negative_slope: float = 0.01) -> tuple[NDArray[Any], LeakyReluCache]:
    """Scale what is below zero (Maas, Hannun & Ng, 2013).

    ::

        out = max(x, 0) + negative_slope * min(x, 0)

    Parameters
    ----------
    x
        Input, any shape.
    negative_slope
        Slope below zero.

    Returns
    -------
    out
        Of the shape of x.
    cache
        For the backward pass.
    """
    out = np.maximum(x, 0) + negative_slope * np.minimum(x, 0)
    return out, LeakyReluCache(x, negative_slope)


def leaky_relu_backward(dout: NDArray[Any], cache: LeakyReluCache) -> tuple[NDArray[Any]]:
    """Pass the cotangent on, scaled where the input was not above zero.

    ::

        dx = dout * (1 where x > 0, else negative_slope)

    Parameters and returns are those of ``relu_backward``.
    """
    return (np.where(cache.x > 0, dout, cache.negative_slope * dout),)


def _logistic(x: NDArray[Any]) -> NDArray[Any]:
    """Return ``1 / (1 + exp(-x))`` without ever raising e to a positive power."""
    value: NDArray[Any] = np.exp(np.minimum(x, 0)) / (1 + np.exp(np.minimum(x, -x)))
    return value


def sigmoid_forward(x: NDArray[Any]) -> tuple[NDArray[Any], ActivationCache]:
    """Apply the logistic function, in a form that cannot overflow.

    ::

        out = s(x) = 1 / (1 + exp(-x)) = exp(min(x, 0)) / (1 + exp(-|x|))

    Parameters
    ----------
    x
        Input, any shape.

    Returns
    -------
    out
        Of the shape of x.
    cache
        For the backward pass.
    """
    return _logistic(x), ActivationCache(x)


def sigmoid_backward(dout: NDArray[Any], cache: ActivationCache) -> tuple[NDArray[Any]]:
    """Multiply by the derivative of the logistic function.

    ::

        dx = dout * s(x) * (1 - s(x)) = dout * s(x) * s(-x)

    The second form keeps its digits where s(x) is close to 1. Parameters and returns are those of ``relu_backward``.
    """
    return (dout * _logistic(cache.x) * _logistic(-cache.x),)


def tanh_forward(x: NDArray[Any]) -> tuple[NDArray[Any], ActivationCache]:
    """Apply the hyperbolic tangent.

    ::

        out = tanh(x)

    Parameters
    ----------
    x
        Input, any shape.

    Returns
    -------
    out
        Of the shape of x.
    cache
        For the backward pass.
    """
    return np.tanh(x), ActivationCache(x)


def tanh_backward(dout: NDArray[Any], cache: ActivationCache) -> tuple[NDArray[Any]]:
    """Multiply by the derivative of the hyperbolic tangent.

    ::

        dx = dout * (1 - tanh(x)^2) = dout * sech(x)^2,   sech(x) = 2 e / (1 + e^2) with e = exp(-|x|)

    The second form keeps its digits where tanh(x) is close to 1. Parameters and returns are those of ``relu_backward``.
    """
    falling = np.exp(np.minimum(cache.x, -cache.x))
    sech = 2 * falling / (1 + falling * falling)
    return (dout * sech * sech,)
