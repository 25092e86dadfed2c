"""What a spec cannot say of numpy-ml: a cell that runs over time, and a loss whose prediction its caller computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy_ml.linear_models import LogisticRegression

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Steps:
    """A cell of numpy-ml, called once for every step, and backwards in reverse."""

    def __init__(self, cell: Any, n_in: int) -> None:
        self.cell = cell
        cell.n_in = n_in
        cell._init_params()  # noqa: SLF001  there is no public way to have parameters before the first step

    def forward(self, X: NDArray) -> NDArray:  # noqa: N803  as numpy-ml has it
        """Return the hidden state after every step, of inputs by step, sample and feature."""
        states = [self.cell.forward(step) for step in X]
        return np.stack([state[0] if isinstance(state, tuple) else state for state in states])

    def backward(self, dLdA: NDArray) -> NDArray:  # noqa: N803  as numpy-ml has it
        """Return the gradient of the inputs."""
        return np.stack([self.cell.backward(step) for step in dLdA[::-1]][::-1])


class PenalizedLikelihood:
    """The loss of a logistic regression as its ``fit`` computes it, step by step."""

    def __init__(self, penalty: str, gamma: float) -> None:
        self.model = LogisticRegression(penalty, gamma, fit_intercept=False)

    def forward(self, beta: NDArray, X: NDArray, y: NDArray) -> float:  # noqa: N803  as numpy-ml has it
        """Return the penalized negative log likelihood."""
        self.model.beta, self.given = beta, (X, y, 1 / (1 + np.exp(-(X @ beta))))
        return self.model._NLL(*self.given)  # noqa: SLF001  what fit calls

    def backward(self) -> NDArray:
        """Return what ``fit`` takes off the coefficients."""
        return self.model._NLL_grad(*self.given)  # noqa: SLF001  what fit calls
