"""What people write for jax, right and wrong: for test_jax.py."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


def _with_rule(backward, forward=None):
    """Return ``tanh(x w)`` with a derivative of its own."""

    def value(x, w):
        return jnp.tanh(x @ w)

    def rule(x, w):
        out = jnp.tanh(x @ w)
        return out, (x, w, out)

    layer = jax.custom_vjp(value)
    layer.defvjp(forward or rule, backward)
    return layer


def _backward(residuals, dout):
    x, w, out = residuals
    inner = dout * (1 - out**2)
    return inner @ w.T, x.T @ inner


def _other_rule(x, w):
    out = jnp.tanh(x @ w)
    return 2 * out, (x, w, out)


layer = _with_rule(_backward)
wrong = _with_rule(lambda residuals, dout: (dout @ residuals[1].T, residuals[0].T @ dout))
transposed = _with_rule(lambda residuals, dout: (_backward(residuals, dout)[0], _backward(residuals, dout)[1].T))
one_gradient = _with_rule(lambda residuals, dout: _backward(residuals, dout)[:1])
without_one = _with_rule(lambda residuals, dout: (_backward(residuals, dout)[0], None))
other_forward = _with_rule(_backward, _other_rule)
jitted = jax.jit(layer)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def power(x, exponent):
    return x**exponent


power.defvjp(
    lambda x, exponent: (x**exponent, x),
    lambda exponent, x, dout: (exponent * x ** (exponent - 1) * dout,),
)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def power_wrong(x, exponent):
    return x**exponent


power_wrong.defvjp(
    lambda x, exponent: (x**exponent, x),
    lambda exponent, x, dout: (exponent * x**exponent * dout,),
)


@jax.custom_jvp
def sine(x):
    return jnp.sin(x)


sine.defjvp(lambda primals, tangents: (jnp.sin(primals[0]), jnp.cos(primals[0]) * tangents[0]))


@jax.custom_jvp
def sine_wrong(x):
    return jnp.sin(x)


sine_wrong.defjvp(lambda primals, tangents: (jnp.sin(primals[0]), jnp.sin(primals[0]) * tangents[0]))


def network(x, w, b, scale=1.0):
    hidden = layer(x, w) + b
    return scale * hidden, hidden.sum(axis=0), jnp.argmax(hidden)


def network_wrong(x, w, b, scale=1.0):
    hidden = wrong(x, w) + b
    return scale * hidden, hidden.sum(axis=0), jnp.argmax(hidden)


def picked(rows, table):
    return table[rows]


def picked_wrong(rows, table):
    return jax.lax.stop_gradient(table[rows])


def convolution(x, w):
    return jax.lax.conv_general_dilated(x, w, (2, 2), "SAME")


def normalized(x):
    centred = x - x.mean(axis=0)
    return centred / jnp.sqrt((centred**2).mean(axis=0) + 1e-5)


def masked(x):
    """Draws other masks in other precisions."""
    return x * (jax.random.uniform(jax.random.key(0), x.shape, x.dtype) > 0.5)


def branching(x):
    return x**2 if x.sum() > 0 else -x


def drawn(x):
    return x * np.random.rand(*x.shape)  # noqa: NPY002  as people write it


def named(x):
    return {"out": x}


def spectrum(x):
    return jnp.fft.fft(x)


def largest(x):
    return jnp.argmax(x)


def halved(x):
    return (2 * x).astype(jnp.bfloat16)


def raising(x):
    raise ValueError(f"not this one: {x.ndim}")


def double_precision(x):
    assert x.dtype == jnp.float64
    return jnp.zeros(x.shape) + 3 * x


def forward(x, w):
    return x @ w, (x, w)


def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


def backward_wrong(dout, cache):
    x, w = cache
    return dout @ w.T, 2 * x.T @ dout
