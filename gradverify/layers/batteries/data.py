"""How the rows of batteries fill inputs, as a spec says it."""

from __future__ import annotations

from typing import Any

__all__ = [
    "CONSTANT",
    "LARGE",
    "MOSTLY_ZEROS",
    "NEGATIVE",
    "POSITIVE",
    "SHIFTED",
    "SMALL",
    "TRAINED",
    "ZEROS_AMONG",
    "of_x",
]

LARGE: dict[str, Any] = {"init": "normal", "std": 1e3}
SMALL: dict[str, Any] = {"init": "normal", "std": 1e-2}
SHIFTED: dict[str, Any] = {"init": "normal", "mean": 100.0}
CONSTANT: dict[str, Any] = {"init": "ones"}
POSITIVE: dict[str, Any] = {"init": "uniform", "low": 0.5, "high": 2.0}
NEGATIVE: dict[str, Any] = {"init": "uniform", "low": -3.0, "high": -0.5}
ZEROS_AMONG: dict[str, Any] = {"values": [[0.0, -1.5, 2.0, 0.0], [0.75, 0.0, -0.5, 1.25], [-2.0, 0.5, 0.0, -0.25]]}
# Enough of them that no mask drops them all.
MOSTLY_ZEROS: dict[str, Any] = {
    "values": [
        [0.0, 0.0, 1.5, 0.0, 0.0],
        [0.0, -0.5, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 2.0, 0.0],
        [0.75, 0.0, 0.0, 0.0, 0.0],
    ]
}
# Gamma and beta as they are after some training, and not the ones and zeros that hide mistakes.
TRAINED: dict[str, dict[str, Any]] = {"gamma": {"init": "normal", "mean": 0.5}, "beta": {"init": "normal"}}


def of_x(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return how a row is filled whose input x is special."""
    return {"x": data}
