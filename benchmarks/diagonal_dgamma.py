"""Time the two forms of batch normalization's dgamma: element-wise, and the diagonal of a full matrix product.

``sum_i dy_i * xhat_i`` costs N D products; ``diag(dy^T xhat)`` costs N D^2, of which all but one D-th is thrown away.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = ((64, 16), (64, 128), (64, 1024), (1024, 128), (1024, 1024), (8192, 512))
RUNS = 15


def elementwise(dy: np.ndarray, xhat: np.ndarray) -> np.ndarray:
    """Return ``sum_i dy_i * xhat_i``."""
    return (dy * xhat).sum(axis=0)


def diagonal(dy: np.ndarray, xhat: np.ndarray) -> np.ndarray:
    """Return ``diag(dy^T xhat)``."""
    return np.diagonal(dy.T @ xhat)


def seconds(form: Callable[[np.ndarray, np.ndarray], np.ndarray], dy: np.ndarray, xhat: np.ndarray) -> float:
    """Return the median time of one call, each measured over enough calls to be seen."""
    form(dy, xhat)
    calls = max(1, 200_000 // dy.size)
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        for _ in range(calls):
            form(dy, xhat)
        times.append((perf_counter() - start) / calls)
    return median(times)


def main() -> None:
    """Print one line for each size."""
    random = np.random.default_rng(0)
    print(f"{'N':>6} {'D':>6} {'element-wise':>14} {'diagonal':>14} {'ratio':>8}")
    for samples, features in SIZES:
        dy, xhat = random.normal(size=(2, samples, features))
        np.testing.assert_allclose(elementwise(dy, xhat), diagonal(dy, xhat), rtol=1e-9, atol=1e-9)
        cheap, wasteful = (seconds(form, dy, xhat) for form in (elementwise, diagonal))
        print(f"{samples:6} {features:6} {cheap * 1e6:11.1f} us {wasteful * 1e6:11.1f} us {wasteful / cheap:7.1f}x")


if __name__ == "__main__":
    main()
