"""What gradverify finds in numpy-ml 0.1.2, confirmed without it: ``python examples/confirm/numpy_ml_findings.py``."""

from __future__ import annotations

import collections
import collections.abc
from typing import TYPE_CHECKING, Any

import numpy as np
from confirming import Arrays, Run, confirm, corrected, header

collections.Hashable = collections.abc.Hashable  # type: ignore[attr-defined]  # numpy-ml imports it from here

from numpy_ml.linear_models import LogisticRegression  # noqa: E402  after the line above
from numpy_ml.neural_nets import layers, losses, wrappers  # noqa: E402  as above
from numpy_ml.utils.data_structures import DiscreteSampler  # noqa: E402  as above

if TYPE_CHECKING:
    from collections.abc import Callable

DRAW = np.random.default_rng(0)


def layer(make: Callable[[], Any], inputs: tuple[str, ...]) -> Run:
    """Return passes of a layer whose parameters are the arrays that are no inputs."""

    def made(values: Arrays) -> Any:
        found = make()
        for name in values.keys() - set(inputs):
            found.parameters[name] = values[name]
        np.random.seed(1)  # noqa: NPY002  where numpy-ml draws its masks from
        output = found.forward(*(values[name] for name in inputs))

        def backward(cotangent: Any) -> Arrays:
            returned = found.backward(cotangent)
            returned = returned if isinstance(returned, tuple) else (returned,)
            return dict(zip(inputs, returned, strict=False)) | dict(found.gradients)

        return output, backward

    return made


def normal(*shape: int) -> Any:
    """Draw from a standard normal."""
    return DRAW.standard_normal(shape)


def softmax_in_closed_form(axis: int) -> Run:
    """Return passes of a softmax: of cotangent c, y * (c - sum(c * y)) reaches the scores."""

    def made(values: Arrays) -> Any:
        y = np.exp(values["X"]) / np.exp(values["X"]).sum(axis=axis, keepdims=True)
        return y, lambda cotangent: {"X": y * (cotangent - (cotangent * y).sum(axis=axis, keepdims=True))}

    return made


def pooled(kind: Any, pool: str) -> Run:
    """Return passes of an embedding of examples with an id that stands twice."""
    ids = np.array([[0, 2, 2], [4, 4, 4]])

    def made(values: Arrays) -> Any:
        found = kind(3, 5, pool=pool)
        found.parameters["W"] = values["W"]

        def backward(cotangent: Any) -> Arrays:
            found.backward(cotangent)
            return found.gradients

        return found.forward(ids), backward

    return made


def dropped(kind: Any) -> Callable[[], Any]:
    """Return what makes a dropout around a dense layer that has its parameters."""

    def make() -> Any:
        inner = layers.FullyConnected(2, act_fn="Tanh")
        inner.n_in = 4
        inner._init_params()  # noqa: SLF001  there is no public way
        return kind(inner, 0.5)

    return make


def attention(kind: Any) -> Callable[[], Any]:
    """Return what makes an attention whose softmax is wrapped in a dropout of a kind."""

    def make() -> Any:
        found = layers.DotProductAttention(dropout_p=0.4)
        found.softmax = kind(layers.Softmax(), 0.4)
        return found

    return make


def wasserstein(kind: Any) -> Run:
    """Return passes of the critic's loss."""

    def made(values: Arrays) -> Any:
        given = (values["Y_fake"], "C", values["Y_real"], values["gradInterp"])
        found = kind(7)
        return np.asarray(found.loss(*given)), lambda _: dict(zip(values, found.grad(*given), strict=True))

    return made


def contrastive(kind: Any) -> Run:
    """Return passes of a noise-contrastive loss in which a target is also a negative sample."""
    target, negatives = np.array([0, 1, 2]), np.array([2, 3, 4])
    sampler = DiscreteSampler(np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.1]), log=False)

    def made(values: Arrays) -> Any:
        found = kind(6, sampler, 3)
        found.n_in = 3
        found._init_params()  # noqa: SLF001  there is no public way
        found.parameters |= {"W": values["W"], "b": values["b"]}
        output, _ = found.loss(values["X"], target, negatives)
        return np.asarray(output), lambda _: {"X": found.grad(update_params=False)} | found.gradients

    return made


def logistic(kind: Any, penalty: str) -> Run:
    """Return passes of a penalized likelihood."""
    x, y = np.random.default_rng(3).standard_normal((7, 3)), np.array([0, 1, 1, 0, 1, 0, 1])

    def made(values: Arrays) -> Any:
        found = kind(penalty, 0.8, fit_intercept=False)
        found.beta = values["beta"]
        given = (x, y, 1 / (1 + np.exp(-(x @ found.beta))))
        return np.asarray(found._NLL(*given)), lambda _: {"beta": found._NLL_grad(*given)}  # noqa: SLF001  what fit calls

    return made


def confirm_layers() -> None:
    """Confirm what is wrong with layers."""
    for case, axis, shape in (("softmax-first-axis", 0, (4, 5)), ("softmax-middle-axis", 1, (2, 3, 4))):
        made = layer(lambda axis=axis: layers.Softmax(axis), ("X",))
        confirm(case, made, {"X": normal(*shape)}, softmax_in_closed_form(axis))
    fixed = corrected(
        layers.Embedding,
        ("dW[v_ids] += dLdy[ix] / len(v_ids)", "np.add.at(dW, v_ids, dLdy[ix] / len(v_ids))"),
        ("dW[v_ids] += dLdy[ix]\n", "np.add.at(dW, v_ids, dLdy[ix])\n"),
    )
    for pool in ("sum", "mean"):
        case = f"embedding-pooled-repeated-ids/pool={pool}"
        confirm(case, pooled(layers.Embedding, pool), {"W": normal(5, 3)}, pooled(fixed, pool))
    fixed = corrected(layers.Pool2D, ("xi = X[m, i0:i1, j0:j1, c]", "xi = X_pad[m, i0:i1, j0:j1, c]"))
    made = [layer(lambda kind=kind: kind((2, 2), 3, 1, "max"), ("X",)) for kind in (layers.Pool2D, fixed)]
    confirm("pool-2d-max-padded", made[0], {"X": DRAW.uniform(0.1, 1, (2, 5, 5, 1))}, made[1])
    fixed = corrected(
        wrappers.Dropout,
        ("dLdy *= 1.0 / (1.0 - self.p)", "dLdy = dLdy / (1.0 - self.p)"),
        ("return self._base_layer.backward(dLdy, retain_grads)",
         "return self._base_layer.backward(dLdy, retain_grads) * self._wrapper_derived_variables['dropout_mask'][0]"),
    )  # fmt: skip
    made = [layer(dropped(kind), ("X",)) for kind in (wrappers.Dropout, fixed)]
    confirm("dropout", made[0], {"X": normal(3, 4), "W": normal(4, 2), "b": normal(1, 2)}, made[1])
    made = [layer(attention(kind), ("Q", "K", "V")) for kind in (wrappers.Dropout, fixed)]
    confirm("attention-dropout", made[0], {"Q": normal(2, 3, 4), "K": normal(2, 3, 4), "V": normal(2, 3, 5)}, made[1])


def confirm_losses() -> None:
    """Confirm what is wrong with losses."""
    signs = (("dY_fake = -1 /", "dY_fake = 1 /"), ("dY_real = 1 /", "dY_real = -1 /"))
    values = {"Y_fake": normal(4), "Y_real": normal(4), "gradInterp": normal(4, 3)}
    fixed = wasserstein(corrected(losses.WGAN_GPLoss, *signs))
    confirm("wgan-gp-critic", wasserstein(losses.WGAN_GPLoss), values, fixed)
    fixed = contrastive(corrected(losses.NCELoss, ("if len(hits) != 0:", "if False:")))
    values = {"X": normal(3, 2, 3), "W": normal(6, 3), "b": normal(1, 6)}
    confirm("nce-loss-accidental-hit", contrastive(losses.NCELoss), values, fixed)
    fixed = corrected(LogisticRegression, ("X) + d_penalty) / N", "X) - d_penalty) / N"))
    for penalty in ("l1", "l2"):
        case = f"logistic-regression-penalized/penalty={penalty}"
        confirm(case, logistic(LogisticRegression, penalty), {"beta": normal(3)}, logistic(fixed, penalty))


if __name__ == "__main__":
    header()
    confirm_layers()
    confirm_losses()
