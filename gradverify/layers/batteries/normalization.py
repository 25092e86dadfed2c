"""The batteries of normalizations."""

from __future__ import annotations

from gradverify.layers.batteries.data import CONSTANT, LARGE, SHIFTED, SMALL, TRAINED, of_x
from gradverify.layers.batteries.model import Battery, Row

__all__ = ["BATCHNORM", "GROUPNORM", "LAYERNORM", "SPATIAL_BATCHNORM"]

_SIZES = (
    Row(
        name="one-sample",
        reason="one sample: sums over the batch and averages over it are the same, and axes of length 1 broadcast",
        lengths={"N": 1},
    ),
    Row(
        name="one-channel",
        reason="one channel: axes of length 1 broadcast where they should not, and squeeze away",
        lengths={"C": 1},
    ),
)

_EPS = Row(
    name="eps",
    reason="an eps of 0.1: forgotten in the backward pass, or put outside the root, it shows",
    values={"eps": 0.1},
)
_STATISTICS = (
    Row(
        name="shifted",
        reason="a mean of 100: the mean's share of the gradient counts, and variances must not lose their digits",
        data=of_x(SHIFTED),
    ),
    Row(name="large-values", reason="values of 1e3: the gradient becomes small, and does not vanish", data=of_x(LARGE)),
    Row(
        name="small-values",
        reason="values of 1e-2: eps is no longer small beside the variance, and must be in the gradient",
        data=of_x(SMALL),
    ),
    Row(
        name="constant",
        reason="all values are equal: the variance is 0, and nothing is divided by it",
        data=of_x(CONSTANT),
        checks=("geometry", "contracts"),  # outputs bend within sqrt(eps), however small that is
    ),
)
_RUNNING = {"running_mean": 0.25, "running_var": 1.75}
_TEST_MODE = (
    Row(
        name="test-mode",
        reason="test mode: running statistics are constants, and nothing flows through them",
        values={"mode": "test", **_RUNNING},
    ),
    Row(
        name="test-mode-one-sample",
        reason="test mode with one sample: running statistics do not care",
        lengths={"N": 1},
        values={"mode": "test", **_RUNNING},
    ),
)

BATCHNORM = Battery(
    layer="batchnorm",
    axes={"x": ("N", "D"), "gamma": ("D",), "beta": ("D",)},
    lengths={"N": 7, "D": 4},
    data=TRAINED,
    rows=(
        Row(name="usual", reason="gamma and beta as after some training: ones and zeros hide mistakes"),
        _EPS,
        *_STATISTICS,
        Row(
            name="one-feature", reason="one feature: axes of length 1 broadcast where they should not", lengths={"D": 1}
        ),
        Row(
            name="equal-lengths",
            reason="as many samples as features: no shape tells a sum over the wrong axis",
            lengths={"N": 4},
        ),
        Row(
            name="few-samples",
            reason="fewer samples than features: sums over the wrong axis, or divided by the wrong length, differ",
            lengths={"N": 3, "D": 8},
        ),
        Row(name="one-sample", reason="one sample: the variance is 0, and so is dx", lengths={"N": 1}),
        *_TEST_MODE,
    ),
)

_IMAGE_ROWS = (
    Row(name="tall", reason="H > W: rows and columns must not be exchanged", lengths={"H": 6, "W": 2}),
    Row(name="wide", reason="W > H: rows and columns must not be exchanged", lengths={"H": 2, "W": 5}),
    Row(
        name="equal-lengths",
        reason="as many samples as channels, rows and columns: no shape tells a sum over the wrong axis",
        lengths={"N": 4, "C": 4, "H": 4, "W": 4},
    ),
)

SPATIAL_BATCHNORM = Battery(
    layer="spatial_batchnorm",
    axes={"x": ("N", "C", "H", "W"), "gamma": ("C",), "beta": ("C",)},
    lengths={"N": 2, "C": 3, "H": 4, "W": 4},
    data=TRAINED,
    rows=(
        Row(name="usual", reason="gamma and beta as after some training: ones and zeros hide mistakes"),
        _EPS,
        *_STATISTICS,
        *_IMAGE_ROWS,
        *_SIZES,
        Row(
            name="one-pixel",
            reason="images of one pixel: statistics are those of the batch alone",
            lengths={"N": 5, "H": 1, "W": 1},
        ),
        *_TEST_MODE,
    ),
)

LAYERNORM = Battery(
    layer="layernorm",
    axes={"x": ("N", "D"), "gamma": ("D",), "beta": ("D",)},
    lengths={"N": 4, "D": 7},
    data=TRAINED,
    rows=(
        Row(name="usual", reason="gamma and beta as after some training: ones and zeros hide mistakes"),
        _EPS,
        *_STATISTICS,
        Row(name="one-sample", reason="one sample: statistics are its own, and none are missing", lengths={"N": 1}),
        Row(
            name="equal-lengths",
            reason="as many samples as features: no shape tells a sum over the wrong axis",
            lengths={"N": 5, "D": 5},
        ),
        Row(
            name="many-samples",
            reason="more samples than features: sums over the wrong axis, or divided by the wrong length, differ",
            lengths={"N": 9, "D": 3},
        ),
        Row(name="one-feature", reason="one feature: the variance is 0, and so is dx", lengths={"D": 1}),
        Row(
            name="images",
            reason="samples of several axes: statistics run over all of them, and gamma has their shape",
            axes={"x": ("N", "C", "H", "W"), "gamma": ("C", "H", "W"), "beta": ("C", "H", "W")},
            lengths={"C": 2, "H": 3, "W": 2},
            asked=True,  # where a layer normalizes its last axis alone, it is right as well
        ),
    ),
)

GROUPNORM = Battery(
    layer="groupnorm",
    axes={"x": ("N", "C", "H", "W"), "gamma": ("C",), "beta": ("C",)},
    lengths={"N": 3, "C": 6, "H": 4, "W": 4},
    values={"groups": 2},
    data=TRAINED,
    rows=(
        Row(name="usual", reason="two groups, gamma and beta as after some training: ones and zeros hide mistakes"),
        Row(name="three-groups", reason="three groups of two channels", values={"groups": 3}),
        Row(
            name="one-group",
            reason="one group: layer normalization over whole samples, and axes of length 1 broadcast",
            values={"groups": 1},
        ),
        Row(
            name="instance",
            reason="a group for every channel: instance normalization",
            values={"groups": 6},
        ),
        _EPS,
        *_STATISTICS,
        *_IMAGE_ROWS,
        Row(
            name="one-sample",
            reason="one sample: statistics are its own, and none are missing",
            lengths={"N": 1},
        ),
        Row(
            name="many-samples",
            reason="more samples than channels: samples must stay apart",
            lengths={"N": 7, "C": 4},
        ),
        Row(
            name="one-pixel",
            reason="images of one pixel: statistics are those of a group of channels",
            lengths={"H": 1, "W": 1},
        ),
    ),
)
