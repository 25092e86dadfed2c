"""What a spec cannot say of npdl: two objects make one loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from npdl.activations import Softmax
from npdl.objectives import SoftmaxCategoricalCrossEntropy

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SoftmaxLoss:
    """The cross entropy behind a softmax, as a model of npdl joins them: its backward is that of the scores."""

    def __init__(self) -> None:
        self.softmax, self.loss = Softmax(), SoftmaxCategoricalCrossEntropy()

    def forward(self, scores: NDArray, targets: NDArray) -> float:
        """Return the mean over the samples."""
        self.outputs = self.softmax.forward(scores)
        return self.loss.forward(self.outputs, targets)

    def backward(self, targets: NDArray) -> NDArray:
        """Return what npdl hands to the layer before the softmax."""
        return self.loss.backward(self.outputs, targets) * self.softmax.derivative()
