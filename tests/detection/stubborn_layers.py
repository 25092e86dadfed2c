"""Forward passes that mislead whoever probes them, each with a right backward pass and a wrong one.

Where a probe can be fooled, the wrong backward makes the very mistake that a fooled probe would agree with.
"""

from __future__ import annotations

import math

import numpy as np


class RaisesOnNan:
    """Checks its input, as careful code does."""

    @staticmethod
    def forward(x):
        if not np.all(np.isfinite(x)):
            raise ValueError("x is not finite")
        out = np.tanh(x)
        return out, out

    @staticmethod
    def backward(dout, out):
        return dout * (1 - out**2)

    @staticmethod
    def wrong(dout, out):
        return dout * (1 - out)


class ReplacesNan:
    """Depends on two neighbours, and shows no NaN of either."""

    @staticmethod
    def forward(x):
        known = np.nan_to_num(x)
        return known[:, :-1] * known[:, 1:], x

    @staticmethod
    def backward(dout, x):
        dx = ReplacesNan.wrong(dout, x)
        dx[:, 1:] += dout * x[:, :-1]
        return dx

    @staticmethod
    def wrong(dout, x):
        dx = np.zeros_like(x)
        dx[:, :-1] = dout * x[:, 1:]
        return dx


class StopsNanInWhere:
    """A relu whose comparison takes NaN for a negative number."""

    @staticmethod
    def forward(x):
        return np.where(x > 0, x, 0), x

    @staticmethod
    def backward(dout, x):
        return np.where(x > 0, dout, 0)

    @staticmethod
    def wrong(dout, x):
        return np.where(x > 0.5, dout, 0)


class Branches:
    """Takes one way or the other by a comparison that NaN always loses."""

    @staticmethod
    def forward(x):
        factor = 3.0 if abs(x.sum()) < 1e9 else 1.0
        return factor * x, factor

    @staticmethod
    def backward(dout, factor):
        return factor * dout

    @staticmethod
    def wrong(dout, _):
        return dout


class Prints:
    """Writes megabytes over a check."""

    @staticmethod
    def forward(x):
        print("x" * 2**14)  # noqa: T201  that is the point
        return x**2, x

    @staticmethod
    def backward(dout, x):
        return 2 * x * dout

    @staticmethod
    def wrong(dout, x):
        return 2.0001 * x * dout


class Identity:
    """Returns its own input."""

    @staticmethod
    def forward(x):
        return x, None

    @staticmethod
    def backward(dout, _):
        return dout

    @staticmethod
    def wrong(dout, _):
        dout[-1] = 0
        return dout


class InPlace:
    """Works in its input, and returns it."""

    @staticmethod
    def forward(x):
        np.multiply(x, 3, out=x)
        return x, None

    @staticmethod
    def backward(dout, _):
        return 3 * dout

    @staticmethod
    def wrong(dout, _):
        return dout


class OneBuffer:
    """Returns the same buffer on every call."""

    buffers: dict[tuple[int, ...], np.ndarray] = {}  # noqa: RUF012  shared on purpose

    @staticmethod
    def forward(x):
        buffer = OneBuffer.buffers.setdefault(x.shape, np.empty(x.shape))
        buffer[:] = np.sin(x)
        return buffer, x

    @staticmethod
    def backward(dout, x):
        return dout * np.cos(x)

    @staticmethod
    def wrong(dout, x):
        return dout * np.sin(x)


class RealBuffer:
    """Fills zeros of its own, which hold no imaginary part."""

    @staticmethod
    def forward(x):
        out = np.zeros(x.shape)
        for number, row in enumerate(x):
            out[number] = row**3
        return out, x

    @staticmethod
    def backward(dout, x):
        return 3 * x**2 * dout

    @staticmethod
    def wrong(dout, x):
        return 0 * x * dout


class HalfRealBuffer:
    """Loses the imaginary part of one of two terms."""

    @staticmethod
    def forward(x):
        kept = np.zeros(x.shape)
        kept[:] = np.sin(x)
        return x**2 + kept, x

    @staticmethod
    def backward(dout, x):
        return (2 * x + np.cos(x)) * dout

    @staticmethod
    def wrong(dout, x):
        return 2 * x * dout


class Variance:
    """Divides by a deviation from ``np.var``, which is real for complex data."""

    @staticmethod
    def forward(x):
        variance = np.var(x, axis=1, keepdims=True) + 1e-5
        return x / np.sqrt(variance), (x, variance)

    @staticmethod
    def backward(dout, cache):
        x, variance = cache
        dvariance = -np.sum(dout * x, axis=1, keepdims=True) / (2 * variance**1.5)
        return Variance.wrong(dout, cache) + dvariance * 2 * (x - x.mean(axis=1, keepdims=True)) / x.shape[1]

    @staticmethod
    def wrong(dout, cache):
        return dout / np.sqrt(cache[1])


class Absolute:
    """Multiplies by a size, which is real for complex data."""

    @staticmethod
    def forward(x):
        return x * np.abs(x), x

    @staticmethod
    def backward(dout, x):
        return 2 * np.abs(x) * dout

    @staticmethod
    def wrong(dout, x):
        return np.abs(x) * dout


class PurePython:
    """Knows no arrays, and no complex numbers."""

    @staticmethod
    def forward(x):
        return np.array([[math.exp(-value * value) for value in row] for row in x.tolist()]), x

    @staticmethod
    def backward(dout, x):
        return -2 * x * np.exp(-(x**2)) * dout

    @staticmethod
    def wrong(dout, x):
        return -x * np.exp(-(x**2)) * dout


class RefusesOtherTypes:
    """Takes float64 and nothing else."""

    @staticmethod
    def forward(x):
        if x.dtype != np.float64:
            raise TypeError(f"expected float64, got {x.dtype}")
        return x**2, x

    @staticmethod
    def backward(dout, x):
        return 2 * x * dout

    @staticmethod
    def wrong(dout, x):
        return x * dout


class Domain:
    """Refuses what it has no value for."""

    @staticmethod
    def forward(x):
        if not np.all(x > 0):
            raise ValueError("logarithm of a number that is not positive")
        return np.log(x), x

    @staticmethod
    def backward(dout, x):
        return dout / x

    @staticmethod
    def wrong(dout, x):
        return dout / (x + 1e-4)


class Sorts:
    """Moves every NaN to the end of its row."""

    @staticmethod
    def forward(x):
        order = np.argsort(x, axis=1)
        return np.sort(x, axis=1) ** 2, (x, order)

    @staticmethod
    def backward(dout, cache):
        x, order = cache
        dx = np.zeros_like(x)
        np.put_along_axis(dx, order, dout, axis=1)
        return 2 * x * dx

    @staticmethod
    def wrong(dout, cache):
        return 2 * cache[0] * dout


class Shuffles:
    """Moves every element to where no box of neighbours leads."""

    @staticmethod
    def forward(x):
        order = np.random.default_rng(5).permutation(x.size)
        return np.sin(x.ravel()[order]), (x, order)

    @staticmethod
    def backward(dout, cache):
        x, order = cache
        dx = np.zeros(x.size)
        dx[order] = dout
        return dx.reshape(x.shape) * np.cos(x)

    @staticmethod
    def wrong(dout, cache):
        x, order = cache
        return dout[order].reshape(x.shape) * np.cos(x)


class Wraps:
    """Has neighbours round the edge."""

    @staticmethod
    def forward(x):
        return x * np.roll(x, 1, axis=0), x

    @staticmethod
    def backward(dout, x):
        return dout * np.roll(x, 1, axis=0) + np.roll(dout * x, -1, axis=0)

    @staticmethod
    def wrong(dout, x):
        dx = Wraps.backward(dout, x)
        dx[-1] -= dout[0] * x[0]
        return dx


class Gap:
    """Reads two elements that are far apart and nothing between."""

    @staticmethod
    def forward(x):
        return x[:-4] + np.sin(x[4:]), x

    @staticmethod
    def backward(dout, x):
        dx = Gap.wrong(dout, x)
        dx[4:] += dout * np.cos(x[4:])
        return dx

    @staticmethod
    def wrong(dout, x):
        dx = np.zeros_like(x)
        dx[:-4] = dout
        return dx


class FarLink:
    """Lets one element reach one more output, a little."""

    @staticmethod
    def forward(x):
        out = np.tanh(x)
        out[-1, -1] += 1e-3 * np.nan_to_num(x[0, 0]) ** 2
        return out, x

    @staticmethod
    def backward(dout, x):
        dx = FarLink.wrong(dout, x)
        dx[0, 0] += 2e-3 * x[0, 0] * dout[-1, -1]
        return dx

    @staticmethod
    def wrong(dout, x):
        return dout * (1 - np.tanh(x) ** 2)


class RareLink:
    """Lets the largest of all elements scale every output: which one that is depends on the data."""

    @staticmethod
    def forward(x):
        largest = np.unravel_index(np.nanargmax(x), x.shape)
        return x * x[largest], (x, largest)

    @staticmethod
    def backward(dout, cache):
        x, largest = cache
        dx = RareLink.wrong(dout, cache)
        dx[largest] += np.sum(dout * x)
        return dx

    @staticmethod
    def wrong(dout, cache):
        x, largest = cache
        return dout * x[largest]


class Cumulative:
    """Depends on more elements from row to row."""

    @staticmethod
    def forward(x):
        return np.cumsum(x, axis=0), None

    @staticmethod
    def backward(dout, _):
        return np.cumsum(dout[::-1], axis=0)[::-1]

    @staticmethod
    def wrong(dout, _):
        return np.cumsum(dout, axis=0)


class Outer:
    """Has more outputs than inputs, each of two rows."""

    @staticmethod
    def forward(x):
        return x @ x.T, x

    @staticmethod
    def backward(dout, x):
        return (dout + dout.T) @ x

    @staticmethod
    def wrong(dout, x):
        return 2 * dout @ x


class Constant:
    """Ignores what it is given."""

    @staticmethod
    def forward(x):
        return np.ones(x.shape), None

    @staticmethod
    def backward(dout, _):
        return np.zeros_like(dout)

    @staticmethod
    def wrong(dout, _):
        return 1e-3 * dout


class OneNumber:
    """Returns a loss, which is no array."""

    @staticmethod
    def forward(x):
        return float(np.sqrt(np.sum(np.square(x)))), x

    @staticmethod
    def backward(dout, x):
        return dout * x / np.sqrt(np.sum(x**2))

    @staticmethod
    def wrong(dout, x):
        return dout * x / np.sum(x**2)


STUBBORN = tuple(name for name, found in dict(globals()).items() if isinstance(found, type))
