"""What gradverify finds in npdl 0.4.0.1, confirmed without it: ``python examples/confirm/npdl_findings.py``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from confirming import Arrays, Run, confirm, corrected, header
from npdl import activations, layers, objectives
from npdl.utils.random import set_dtype

DRAW = np.random.default_rng(0)


def layer(kind: Any, *arguments: Any, shape: tuple[int, ...] | None = None, **options: Any) -> Run:
    """Return passes of a layer whose parameters are among the arrays, with gradients dW for W, d_AllW for AllW."""

    def made(values: Arrays) -> Any:
        found = kind(*arguments, **options)
        found.connect_to(None if shape is None else SimpleNamespace(out_shape=shape))
        states = {name: values[name] for name in ("c0", "h0") if name in values}
        for name in values.keys() - states.keys() - {"x"}:
            setattr(found, name, values[name])

        def backward(cotangent: Any) -> Arrays:
            gradients = {"x": found.backward(cotangent)}
            for name in values.keys() - {"x"}:
                gradient = vars(found).get(f"d{name}", vars(found).get(f"d_{name}"))
                gradients[name] = np.zeros_like(values[name]) if gradient is None else gradient
            return gradients

        return found.forward(values["x"], **states), backward

    return made


def loss(kind: Any, targets: Any, before: Any = None) -> Run:
    """Return passes of a loss, with or without an activation before it."""

    def made(values: Arrays) -> Any:
        ((name, given),) = values.items()
        outputs = given if before is None else before.forward(given)
        found = kind()
        return np.asarray(found.forward(outputs, targets)), lambda _: {name: found.backward(outputs, targets)}

    return made


def softmax_with_its_jacobian(values: Arrays) -> Any:
    """Run a softmax layer in closed form: of cotangent c, y * (c - sum(c * y)) reaches the scores."""
    scores = values["x"] @ values["W"] + values["b"]
    y = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)

    def backward(cotangent: Any) -> Arrays:
        dscores = y * (cotangent - (cotangent * y).sum(axis=1, keepdims=True))
        return {"x": dscores @ values["W"].T, "W": values["x"].T @ dscores, "b": dscores.sum(axis=0)}

    return y, backward


def normal(*shape: int) -> Any:
    """Draw from a standard normal."""
    return DRAW.standard_normal(shape)


def dense_layers() -> None:
    """Confirm what is wrong with dense layers and convolutions."""
    values = {"x": normal(4, 3), "W": normal(3, 5), "b": normal(5)}
    fixed = corrected(layers.Linear, ("np.mean(pre_grad", "np.sum(pre_grad"))
    confirm("linear", layer(layers.Linear, 5, 3), values, layer(fixed, 5, 3))
    fixed = corrected(layers.Dense, ("np.mean(act_grad", "np.sum(act_grad"))
    confirm("dense/*", layer(layers.Dense, 5, 3), values, layer(fixed, 5, 3))
    one = values | {"x": normal(1, 3)}
    confirm("softmax-one-sample", layer(layers.Softmax, 5, 3), one, softmax_with_its_jacobian)
    values = {"x": normal(2, 2, 5, 6), "W": normal(3, 2, 3, 2), "b": normal(3)}
    fixed = corrected(layers.Convolution, (" / nb_batch", ""))
    arguments = (3, (3, 2), (2, 2, 5, 6), 2)
    made = layer(layers.Convolution, *arguments, activation="tanh")
    confirm("convolution/*", made, values, layer(fixed, *arguments, activation="tanh"))


def pools() -> None:
    """Confirm what is wrong with pools and normalization: forward and backward do not belong together."""
    windows = ("h:h + pool_h, w:w + pool_w", "h * pool_h:(h + 1) * pool_h, w * pool_w:(w + 1) * pool_w")
    indices = (("pre_grad[a, b, a, w]", "pre_grad[a, b, h, w]"), ("pre_grad[a, a, w]", "pre_grad[a, h, w]"))
    for case, kind, pool, shape, changes in (
        ("mean-pooling", layers.MeanPooling, (2, 2), (1, 2, 4, 6), (windows,)),
        ("mean-pooling-without-channels", layers.MeanPooling, (2, 3), (2, 4, 6), (windows,)),
        ("max-pooling", layers.MaxPooling, (2, 2), (1, 2, 4, 6), (windows, *indices)),
        ("max-pooling-of-one", layers.MaxPooling, (1, 1), (1, 1, 2, 4), indices),
    ):
        fixed = layer(corrected(kind, *changes), pool, shape=shape)
        confirm(case, layer(kind, pool, shape=shape), {"x": normal(*shape)}, fixed)
    values = {"x": 1 + 3 * normal(5, 4), "gamma": normal(4), "beta": normal(4)}
    fixed = corrected(layers.BatchNormal, ("np.std(xmu", "np.var(xmu"))
    for epsilon in (1e-06, 0.5):
        made = layer(layers.BatchNormal, epsilon, shape=(5, 4))
        confirm(f"batch-normal/epsilon={epsilon}", made, values, layer(fixed, epsilon, shape=(5, 4)))


def recurrent_layers() -> None:
    """Confirm what is wrong through time."""
    step = "delta = np.dot(delta, self.U.T)"
    fixed = corrected(
        layers.SimpleRNN,
        (step, f"{step} * self.activations[timestep2].derivative()"),
        ("np.mean(delta", "np.sum(delta"),
        ("if timestep2 == 0:\n                self.dW += np.dot(self.last_input[:, timestep2 + 1, :]",
         "if timestep2 == 0:\n                self.dW += np.dot(self.last_input[:, 0, :]"),
    )  # fmt: skip
    for case, samples, steps, sequence in (("simple-rnn", 3, 4, True), ("simple-rnn-last-output", 1, 2, False)):
        values = {"x": normal(samples, steps, 4), "W": normal(4, 4), "U": normal(4, 4), "b": normal(4)}
        options = {"n_out": 4, "n_in": 4, "return_sequence": sequence}
        confirm(case, layer(layers.SimpleRNN, **options), values, layer(fixed, **options))
    values = {"x": normal(2, 4, 3), "AllW": normal(8, 16), "h0": normal(2, 4), "c0": normal(2, 4)}
    fixed = corrected(layers.BatchLSTM, ("timesteps = [nb_seq - 1]", "timesteps = list(range(nb_seq))[::-1]"))
    options = {"n_out": 4, "n_in": 3}
    confirm("batch-lstm-last-output", layer(layers.BatchLSTM, **options), values, layer(fixed, **options))


def losses() -> None:
    """Confirm that gradients of means are not divided by the number of samples."""
    values, targets = {"outputs": DRAW.uniform(0.1, 0.9, (4, 3))}, DRAW.uniform(0.1, 0.9, (4, 3))
    difference = ("return outputs - targets", "return (outputs - targets) / len(outputs)")
    roots = ("np.sqrt(outputs))\n", "np.sqrt(outputs)) / len(outputs)\n")
    for case, kind, change in (
        ("mean-squared-error", objectives.MeanSquaredError, difference),
        ("hellinger-distance", objectives.HellingerDistance, roots),
        ("binary-cross-entropy", objectives.BinaryCrossEntropy, ("/ divisor", "/ divisor / len(outputs)")),
    ):
        confirm(case, loss(kind, targets), values, loss(corrected(kind, change), targets))
    kind, labels, softmax = objectives.SoftmaxCategoricalCrossEntropy, np.eye(3)[[0, 2, 1, 1]], activations.Softmax()
    fixed = loss(corrected(kind, difference), labels, softmax)
    confirm("softmax-cross-entropy", loss(kind, labels, softmax), {"scores": normal(4, 3)}, fixed)


if __name__ == "__main__":
    set_dtype("float64")
    header()
    dense_layers()
    pools()
    recurrent_layers()
    losses()
