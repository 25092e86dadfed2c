"""What gradverify finds in neuralnetlib 5.0.0, confirmed without it.

Run it as ``python examples/confirm/neuralnetlib_findings.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from confirming import Arrays, Run, confirm, corrected, header
from neuralnetlib import layers, losses

DRAW = np.random.default_rng(0)
NO_CLIPPING = 1e9


def normal(*shape: int) -> Any:
    """Draw from a standard normal."""
    return DRAW.standard_normal(shape)


def recurrent(kind: Any, clip_value: float, cell: Any = None) -> Run:
    """Return passes of a recurrent layer, with a cell of its own or another."""

    def made(values: Arrays) -> Any:
        found = kind(2, True, random_state=0, clip_value=clip_value)
        found.forward_pass(values["x"])
        if cell is not None:
            found.cell = cell(2, 0)
            found.cell.initialize_weights(2)
        for name, parameter, _ in found.get_trainable_parameters():
            parameter[...] = values[name]
        output = found.forward_pass(values["x"])

        def backward(cotangent: Any) -> Arrays:
            dx = found.backward_pass(cotangent)
            return {"x": dx} | {name: gradient for name, _, gradient in found.get_trainable_parameters()}

        return output, backward

    return made


def values_of(kind: Any, x: Any, **scales: float) -> dict[str, Any]:
    """Return an input and parameters of a recurrent layer, those named with a larger spread."""
    found = kind(2, True, random_state=0)
    found.forward_pass(x)
    parameters = {name: parameter.shape for name, parameter, _ in found.get_trainable_parameters()}
    return {"x": x} | {name: normal(*shape) * scales.get(name, 0.5) for name, shape in parameters.items()}


def embedded(kind: Any) -> Run:
    """Return passes of an embedding with index 0 among the ids."""
    ids = np.array([[0, 2, 2], [4, 0, 1]])

    def made(values: Arrays) -> Any:
        found = kind(5, 3)
        found.forward_pass(ids)
        found.weights = values["weights"]
        output = found.forward_pass(ids)

        def backward(cotangent: Any) -> Arrays:
            found.backward_pass(cotangent)
            return {"weights": found.d_weights}

        return output, backward

    return made


def adaptive(values: Arrays) -> Any:
    """Run a dropout whose rate depends on its input."""
    found = layers.Dropout(0.6, adaptive=True, random_state=3)
    return found.forward_pass(values["x"]), lambda cotangent: {"x": found.backward_pass(cotangent)}


def loss(found: Any, y_true: Any) -> Run:
    """Return passes of a loss."""

    def made(values: Arrays) -> Any:
        y_pred = values["y_pred"]
        return np.asarray(found(y_true, y_pred)), lambda _: {"y_pred": found.derivative(y_true, y_pred)}

    return made


def confirm_layers() -> None:
    """Confirm what is wrong with layers."""
    fixed = corrected(layers.Embedding, ("valid = indices != 0", "valid = indices >= 0"))
    confirm("embedding-padding", embedded(layers.Embedding), {"weights": normal(5, 3)}, embedded(fixed))
    confirm("dropout-adaptive", adaptive, {"x": 0.5 * normal(3, 4)})
    exact = corrected(layers.LSTMCell, (" + self.EPSILON)", ")"))
    moves = "(abs({0} - 0.5) < 0.5 - self.EPSILON_SIGMOID)"  # beyond it, forward has a constant in the gate's place
    slopes = [f"{gate} * (1 - {gate})" for gate in ("o_t", "f_t", "i_t")]
    masked = [(slope, f"{slope} * {moves.format(slope[:3])}") for slope in slopes]
    constant = recurrent(layers.LSTM, NO_CLIPPING, corrected(layers.LSTMCell, (" + self.EPSILON)", ")"), *masked))
    installed = recurrent(layers.LSTM, NO_CLIPPING)
    values = values_of(layers.LSTM, normal(2, 3, 2))
    confirm("lstm/return_sequences=true", installed, values, recurrent(layers.LSTM, NO_CLIPPING, exact))
    values = values_of(layers.LSTM, normal(2, 3, 2), Wf=12, Wi=12, Wc=12, Wo=12)
    confirm("lstm-saturated", installed, values, constant)
    values = values_of(layers.LSTM, normal(2, 3, 2)) | {"bo": np.array([[12.0, 0.2]])}
    confirm("lstm-constant-gate", installed, values, constant)
    for case, kind, cell in (("lstm-clipped", layers.LSTM, exact), ("gru-clipped", layers.GRU, None)):
        values = values_of(kind, 3 * normal(6, 8, 2))
        confirm(case, recurrent(kind, 5.0), values, recurrent(kind, NO_CLIPPING, cell))


def confirm_losses() -> None:
    """Confirm what is wrong with losses."""
    chances, labels = DRAW.uniform(0.15, 0.85, (4, 3)), np.eye(3)[[0, 2, 1, 1]]
    bits, clipped = np.array([[1.0, 0.0, 1.0, 0.0]]), ("        grad = np.clip(grad, -10, 10)\n", "")
    inside = (
        ("y_pred = np.clip(y_pred, self.clip, 1 - self.clip)",
         "inside = abs(y_pred - 0.5) < 0.5 - self.clip; y_pred = np.clip(y_pred, self.clip, 1 - self.clip)"),
        ("return gradient / gradient.size", "return gradient * inside / gradient.size"),
    )  # fmt: skip
    one = "return (y_pred - y_true) / (y_pred * (1 - y_pred))"
    for case, kind, options, y_true, y_pred, changes in (
        ("binary-cross-entropy", losses.BinaryCrossentropy, (), labels, chances, ((one, f"{one} / y_pred.size"),)),
        ("categorical-cross-entropy", losses.CategoricalCrossentropy, (), labels, chances,
         (("-y_true / y_pred", "-y_true / y_pred / len(y_true)"),)),
        ("sparse-categorical-cross-entropy", losses.SparseCategoricalCrossentropy, (), labels.argmax(1), chances,
         (("-y_true_one_hot / y_pred", "-y_true_one_hot / y_pred / len(y_true)"),)),
        ("multi-label-loss-clipped", losses.MultiLabelBCELoss, (), bits, [[0.05, 0.97, 0.5, 0.6]], (clipped,)),
        ("focal-loss-per-label-clipped", losses.BinaryFocalLossPerLabel, (0.0, 1.0), bits, [[0.005, 0.97, 0.5, 0.6]],
         (clipped,)),
        ("asymmetric-loss-clipped", losses.AsymmetricLoss, (), bits, [[0.02, 0.97, 0.5, 0.6]], inside),
    ):  # fmt: skip
        fixed = corrected(kind, *changes)(*options)
        confirm(case, loss(kind(*options), y_true), {"y_pred": np.array(y_pred)}, loss(fixed, y_true))


if __name__ == "__main__":
    header()
    confirm_layers()
    confirm_losses()
