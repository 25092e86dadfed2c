"""Mistakes that people make, each as a line of ``right_layers.py`` that is another, and the rows that it spoils.

``rows`` are all rows that must fail, where that is worth saying in full; ``some`` are among those that must.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One mistake."""

    layer: str
    right: str
    wrong: str
    rows: frozenset[str] | None = None
    some: frozenset[str] = frozenset()
    sound: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """What the mistake is, for the name of a test."""
        return f"{self.layer}: {self.wrong.strip()[:60]}"


def rows(*names: str) -> frozenset[str]:
    """Return a set of rows."""
    return frozenset(names)


UNPADDED = rows(
    "no-padding", "stride-2", "unread-data", "unread-rows", "unread-columns", "kernel-1", "kernel-is-image", "gaps",
    "smallest",
)  # fmt: skip
OVERLAPPING = rows(
    "overlap", "overlap-stride-1", "overlap-most", "overlap-unread", "wide-overlap", "tall-window", "wide-window"
)

MISTAKES = (
    # The crop that is empty at padding 0, and the one that knows padding 1 alone.
    Mistake("conv2d", "dxp[:, :, pad : pad + high, pad : pad + wide]", "dxp[:, :, pad:-pad, pad:-pad]", rows=UNPADDED),
    Mistake(
        "conv2d",
        "dx = dxp[:, :, pad : pad + high, pad : pad + wide]",
        "dx = dxp[:, :, 1:-1, 1:-1] if pad else dxp",
        rows=rows("padding-2", "stride-3-padding-2"),
    ),
    # Rows and columns exchanged.
    Mistake(
        "conv2d",
        "high, wide = x.shape[2:]\n    hh",
        "wide, high = x.shape[2:]\n    hh",
        rows=rows("tall", "wide", "nothing-square", "nothing-square-unread", "unread-rows", "unread-columns"),
    ),
    Mistake("conv2d", "n, _, high, wide = x.shape", "n, _, wide, high = x.shape", some=rows("tall", "wide")),
    Mistake(
        "conv2d",
        "hh, ww = w.shape[2:]",
        "ww, hh = w.shape[2:]",
        some=rows("tall-kernel", "wide-kernel", "nothing-square"),
        sound=rows("same", "no-padding", "tall", "stride-2", "unread-data"),
    ),
    Mistake(
        "conv2d",
        "hh, ww = w.shape[2:]",
        "hh = ww = w.shape[2]",
        some=rows("tall-kernel", "wide-kernel"),
        sound=rows("same"),
    ),
    # The stride forgotten, or its residual.
    Mistake(
        "conv2d",
        "rows, columns = slice(k * stride, k * stride + hh), slice(j * stride, j * stride + ww)",
        "rows, columns = slice(k, k + hh), slice(j, j + ww)",
        some=rows("stride-2", "stride-2-padding-1", "unread-data", "patches"),
        sound=rows("same", "padding-2"),
    ),
    Mistake(
        "conv2d",
        "dx = dxp[:, :, pad : pad + high, pad : pad + wide]",
        "dx = np.zeros_like(x)\n    dx[:, :, :3, :3] = dxp[:, :, pad : pad + high, pad : pad + wide][:, :, :3, :3]",
        some=rows("same"),
    ),
    # Sums over the wrong things.
    Mistake("conv2d", "db = dout.sum(axis=(0, 2, 3))", "db = dout.sum(axis=(2, 3))", some=rows("same")),
    Mistake(
        "conv2d",
        "db = dout.sum(axis=(0, 2, 3))",
        "db = dout.mean(axis=0).sum(axis=(1, 2))",
        some=rows("same"),
        sound=rows("one-sample"),
    ),
    Mistake(
        "conv2d",
        "dxp[:, :, rows, columns] +=",
        "dxp[:, :, rows, columns] =",
        some=rows("same", "no-padding"),
        sound=rows("patches", "gaps", "kernel-1"),
    ),
    Mistake("conv2d", "dw += np", "dw = np", some=rows("same"), sound=rows("kernel-is-image", "smallest")),
    # A forward that is wrong and has the gradient that belongs to it.
    Mistake(
        "conv2d",
        "axes=([1, 2, 3], [1, 2, 3])) + b",
        "axes=([1, 2, 3], [1, 2, 3])) + b + 1",
        some=rows("same", "smallest"),
    ),
    # Pools: overlaps, equal places, zeros that win.
    Mistake(
        "maxpool2d",
        "] += dout[i, c, k, j]",
        "] = dout[i, c, k, j]",
        rows=None,
        some=rows("overlap", "overlap-most"),
        sound=rows("halves", "unread", "gaps", "thirds"),
    ),
    Mistake(
        "maxpool2d",
        "out = np.full((n, c, rows, columns), -np.inf)",
        "out = np.zeros((n, c, rows, columns))",
        some=rows("negative"),
    ),
    Mistake(
        "maxpool2d",
        "out = np.full((n, c, rows, columns), -np.inf)",
        "out = np.full((n, c, rows, columns), -100.0)",
        some=rows("large-values"),
        sound=rows("halves", "negative"),
    ),
    Mistake(
        "maxpool2d",
        "row, column = np.unravel_index(np.argmax(window), window.shape)",
        "row, column = divmod(int(np.argmax(window)), hh)",
        rows=rows("tall-window", "wide-window"),
    ),
    Mistake(
        "maxpool2d",
        "window = x[i, c, k * stride : k * stride + hh, j * stride : j * stride + ww]",
        "window = x[i, c, k * hh : k * hh + hh, j * ww : j * ww + ww]",
        some=rows("overlap-stride-1", "overlap"),
        sound=rows("halves", "unread", "thirds", "tall"),
    ),
    Mistake(
        "maxpool2d",
        "rows, columns = (high - hh) // stride + 1, (wide - ww) // stride + 1\n    out = np.full",
        "rows, columns = high // stride, wide // stride\n    out = np.full",
        some=rows("overlap-stride-1"),
        sound=rows("halves", "thirds"),
    ),
    Mistake("avgpool2d", "stride : j * stride + ww] += share", "stride : j * stride + ww] = share", rows=OVERLAPPING),
    Mistake("avgpool2d", "/ (hh * ww)", "/ (hh * hh)", rows=rows("tall-window", "wide-window")),
    Mistake(
        "avgpool2d",
        "/ (hh * ww)",
        "/ (stride * stride)",
        some=rows("overlap", "gaps"),
        sound=rows("halves", "unread", "thirds", "window-1"),
    ),
    Mistake(
        "avgpool2d",
        "window.mean(axis=(2, 3))",
        "window.sum(axis=(2, 3)) / 4",
        some=rows("overlap", "thirds"),
        sound=rows("halves"),
    ),
    # Fully connected.
    Mistake(
        "affine",
        "db = np.sum(dout, axis=0)",
        "db = np.mean(dout, axis=0)",
        some=rows("usual", "many-samples"),
        sound=rows("one-sample"),
    ),
    Mistake(
        "affine", "dx = (dout @ w.T).reshape(x.shape)", "dx = dout @ w.T", rows=rows("images", "images-one-sample")
    ),
    Mistake(
        "affine",
        "dx = (dout @ w.T).reshape(x.shape)",
        "dx = (dout @ (w if len(w) == w.shape[1] else w.T)).reshape(x.shape)",
        rows=rows("equal-lengths"),
    ),
    Mistake(
        "affine",
        "dw = x.reshape(x.shape[0], -1).T @ dout",
        "dw = np.clip(x.reshape(x.shape[0], -1).T @ dout, -50, 50)",
        some=rows("large-values"),
    ),
    Mistake("affine", "db = np.sum(dout, axis=0)", "db = np.squeeze(np.sum(dout, axis=0))", rows=rows("one-output")),
    # Activations.
    Mistake("relu", "out = np.maximum(x, 0)", "out = np.clip(x, 0, 6)", rows=rows("large-values")),
    Mistake("relu", "dx = dout * (x > 0)", "dx = dout * (x > 0.1)", some=rows("small-values")),
    Mistake("relu", "dx = dout * (x > 0)", "dx = dout", some=rows("negative", "usual"), sound=rows("positive")),
    Mistake("relu", "dx = dout * (x > 0)", "dx = dout\n    dx[x <= 0] = 0", rows=None, some=rows("usual", "negative")),
    Mistake("relu", "dx = dout * (x > 0)", "dx = np.squeeze(dout * (x > 0))", rows=rows("one-sample", "one-value")),
    # Normalizations.
    Mistake("batchnorm", "(dxhat - dxhat.mean(axis=0) - xhat", "(dxhat - xhat", some=rows("usual")),
    Mistake(
        "batchnorm",
        "- xhat * (dxhat * xhat).mean(axis=0)) / std",
        ") / std",
        some=rows("usual"),
        sound=rows("constant", "one-sample"),
    ),
    Mistake("batchnorm", "dxhat = dout * gamma", "dxhat = dout", some=rows("usual", "test-mode")),
    Mistake(
        "batchnorm",
        "var = ((x - mean) ** 2).mean(axis=0)",
        "var = ((x - mean) ** 2).sum(axis=0) / max(len(x) - 1, 1)",
        some=rows("usual"),
        sound=rows("constant", "one-sample", "test-mode"),
    ),
    Mistake(
        "batchnorm",
        "std = np.sqrt(var + eps)\n        xhat",
        "std = np.sqrt(var) + eps\n        xhat",
        rows=rows("test-mode", "test-mode-one-sample"),
    ),
    Mistake("batchnorm", 'eps, mode = bn_param["eps"]', "eps, mode = 1e-5", rows=rows("eps")),
    Mistake(
        "batchnorm",
        'if mode == "test":\n        return dxhat',
        "if False:\n        return dxhat",
        rows=rows("test-mode", "test-mode-one-sample"),
    ),
    Mistake(
        "batchnorm",
        "dgamma = (dout * xhat).sum(axis=0)\n    dxhat",
        "dgamma = np.diag(dout.T @ xhat) / len(dout) * 7\n    dxhat",
        some=rows("few-samples", "equal-lengths"),
        sound=rows("usual", "eps"),
    ),
    Mistake(
        "spatial_batchnorm",
        "flat = x.transpose(0, 2, 3, 1).reshape(-1, c)",
        "flat = x.reshape(-1, c)",
        some=rows("usual", "tall"),
    ),
    Mistake(
        "spatial_batchnorm",
        "return dx.reshape(n, h, w, c).transpose(0, 3, 1, 2), dgamma",
        "return dx.reshape(n, w, h, c).transpose(0, 3, 2, 1), dgamma",
        some=rows("tall", "wide", "usual"),
        sound=rows("one-pixel"),
    ),
    Mistake(
        "spatial_batchnorm",
        "n, c, h, w = dout.shape\n    flat",
        "n, c, w, h = dout.shape\n    flat",
        rows=rows("tall", "wide"),
    ),
    Mistake(
        "layernorm",
        "d = dout * gamma\n    dx = (d - d.mean",
        "d = dout\n    dx = gamma * (d - d.mean",
        some=rows("usual"),
        sound=rows("one-feature"),
    ),
    Mistake(
        "layernorm",
        "mean = x.mean(axis=1, keepdims=True)",
        "mean = x.mean(axis=0, keepdims=True)",
        some=rows("usual", "equal-lengths"),
    ),
    Mistake(
        "layernorm",
        'np.sqrt(var + ln_param["eps"])',
        'np.sqrt(var) + ln_param["eps"]',
        some=rows("eps", "small-values"),
    ),
    Mistake(
        "layernorm",
        "dgamma = (dout * xhat).sum(axis=0)\n    dbeta = dout.sum(axis=0)\n    d =",
        "dgamma = (dout * xhat).sum(axis=0)\n    dbeta = dout.sum(axis=1)[: dout.shape[1]]\n    d =",
        some=rows("equal-lengths", "many-samples"),
    ),
    Mistake(
        "groupnorm",
        "grouped = x.reshape(n, groups, c // groups, h, w)\n    mean",
        "grouped = x.reshape(n, groups, c // groups, h, w)\n    grouped = grouped - 0.1 * grouped.mean(0)\n    mean",
        some=rows("usual", "instance"),
    ),
    Mistake(
        "groupnorm",
        "shape = (n, groups, c // groups, h, w)",
        "shape = (n, 2, c // 2, h, w)",
        some=rows("three-groups", "instance", "one-group"),
        sound=rows("usual", "eps"),
    ),
    Mistake(
        "groupnorm",
        "std = np.sqrt(var + gn_param",
        "var = var[:, :1] if groups == 3 else var\n    std = np.sqrt(var + gn_param",
        rows=rows("three-groups"),
    ),
    # Losses.
    Mistake(
        "softmax_loss",
        "shifted = x - x.max(axis=1, keepdims=True)",
        "shifted = x",
        some=rows("large-scores", "shifted-scores", "very-negative-scores"),
        sound=rows("usual", "small-scores"),
    ),
    Mistake(
        "softmax_loss",
        "shifted = x - x.max(axis=1, keepdims=True)",
        "shifted = x - x.max()",
        some=rows("large-scores"),
        sound=rows("usual", "shifted-scores"),
    ),
    Mistake(
        "softmax_loss",
        "dx /= len(y)",
        "dx /= x.shape[1]",
        some=rows("usual", "many-classes"),
        sound=rows("equal-lengths"),
    ),
    Mistake("softmax_loss", "dx /= len(y)", "pass", some=rows("usual"), sound=rows("one-sample")),
    Mistake(
        "softmax_loss",
        "loss = -logs[np.arange(len(y)), y].mean()",
        "loss = -np.log(np.exp(logs) + 1e-12)[np.arange(len(y)), y].mean()",
        some=rows("large-scores"),
    ),
    Mistake(
        "softmax_loss", "dx[np.arange(len(y)), y] -= 1", "dx[np.arange(len(y)), y] -= y > 0", some=rows("first-class")
    ),
    # Dropout.
    Mistake(
        "dropout",
        'dx = dout * mask if mode == "train" else dout',
        'dx = dout * (mask > 0) if mode == "train" else dout',
        some=rows("usual", "keeps-few"),
        sound=rows("keeps-all", "test-mode"),
    ),
    Mistake(
        "dropout",
        "mask = (np.random.rand(*x.shape) < p) / p",
        "mask = (np.random.rand(*x.shape) > p) / (1 - p + 1e-300)",
        some=rows("keeps-most", "keeps-few"),
        sound=rows("usual", "test-mode"),
    ),
    Mistake(
        "dropout",
        "return out, (mask, mode)",
        "return out, ((out != 0) / p, mode)",
        some=rows("zeros"),
        sound=rows("usual"),
    ),
    Mistake(
        "dropout",
        "mask = (np.random.rand(*x.shape) < p) / p",
        "mask = np.random.rand(*x.shape) < p",
        some=rows("usual"),
        sound=rows("keeps-all"),
    ),
    Mistake(
        "dropout",
        "mask = (np.random.rand(*x.shape) < p) / p",
        "mask = np.broadcast_to(np.random.rand(*x.shape[:1], *[1] * (x.ndim - 1)) < p, x.shape) / p",
        some=rows("one-sample"),
    ),
    Mistake(
        "dropout",
        'out = x * mask if mode == "train" else x',
        "out = x * mask",
        some=rows("test-mode", "test-mode-keeps-few"),
        sound=rows("usual"),
    ),
)
