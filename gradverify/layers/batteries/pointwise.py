"""The batteries of fully connected layers, activations, losses and dropout."""

from __future__ import annotations

from gradverify.layers.batteries.data import CONSTANT, LARGE, MOSTLY_ZEROS, NEGATIVE, POSITIVE, SMALL, ZEROS_AMONG, of_x
from gradverify.layers.batteries.model import Battery, Row

__all__ = ["AFFINE", "DROPOUT", "RELU", "SOFTMAX_LOSS"]

AFFINE = Battery(
    layer="affine",
    axes={"x": ("N", "D"), "w": ("D", "M"), "b": ("M",)},
    lengths={"N": 4, "D": 6, "M": 5},
    rows=(
        Row(name="usual", reason="every length another: for comparison with the rest"),
        Row(
            name="one-sample",
            reason="one sample: sums over the batch and averages over it are the same, and axes of length 1 broadcast",
            lengths={"N": 1},
        ),
        Row(
            name="one-feature", reason="one feature: axes of length 1 broadcast where they should not", lengths={"D": 1}
        ),
        Row(name="one-output", reason="one output: axes of length 1 broadcast and squeeze away", lengths={"M": 1}),
        Row(
            name="equal-lengths",
            reason="all lengths are equal: no shape tells a transposed matrix",
            lengths={"N": 4, "D": 4, "M": 4},
        ),
        Row(
            name="many-samples",
            reason="more samples than features: a gradient that is divided by N, or by the wrong length, differs",
            lengths={"N": 9, "D": 2, "M": 3},
        ),
        Row(
            name="large-values",
            reason="values of 1e3: nothing is clipped",
            data=of_x(LARGE),
        ),
        Row(
            name="images",
            reason="samples of several axes: they are flattened, and dx has their shape",
            axes={"x": ("N", "C", "H", "W")},
            lengths={"C": 2, "H": 3, "W": 2, "D": 12},
            promised=False,
        ),
        Row(
            name="images-one-sample",
            reason="one sample of several axes: it is flattened, and dx has its shape",
            axes={"x": ("N", "C", "H", "W")},
            lengths={"N": 1, "C": 2, "H": 3, "W": 2, "D": 12},
            promised=False,
        ),
    ),
)

RELU = Battery(
    layer="relu",
    axes={"x": ("N", "D")},
    lengths={"N": 3, "D": 4},
    rows=(
        Row(name="usual", reason="values of both signs: for comparison with the rest"),
        Row(
            name="large-values",
            reason="values of 1e3: nothing is clipped, by 6 or by 1",
            data=of_x(LARGE),
        ),
        Row(name="small-values", reason="values of 1e-2: no threshold but 0", data=of_x(SMALL)),
        Row(name="positive", reason="all values are positive: the layer is the identity", data=of_x(POSITIVE)),
        Row(name="negative", reason="all values are negative: no gradient passes", data=of_x(NEGATIVE)),
        Row(
            name="zeros",
            reason="some values are 0: the slope there is between 0 and 1",
            data=of_x(ZEROS_AMONG),
            kinks=True,
        ),
        Row(name="one-sample", reason="one sample: nothing squeezes away", lengths={"N": 1}),
        Row(name="one-value", reason="one value: nothing squeezes away", lengths={"N": 1, "D": 1}),
        Row(
            name="images",
            reason="four axes: the layer works entry by entry",
            axes={"x": ("N", "C", "H", "W")},
            lengths={"C": 2, "H": 3, "W": 2},
            promised=False,
        ),
    ),
)

SOFTMAX_LOSS = Battery(
    layer="softmax_loss",
    axes={"x": ("N", "K"), "y": ("N",)},
    lengths={"N": 5, "K": 4},
    rows=(
        Row(name="usual", reason="for comparison with the rest"),
        Row(
            name="large-scores",
            reason="scores of 1e3: their exponentials overflow unless the largest is taken off first",
            data=of_x(LARGE),
        ),
        Row(
            name="shifted-scores",
            reason="all scores near 1e3: their exponentials overflow, though the scores hardly differ",
            data=of_x({"init": "normal", "mean": 1e3}),
        ),
        Row(
            name="very-negative-scores",
            reason="all scores near -1e3: their exponentials are 0, and so is the sum that divides them",
            data=of_x({"init": "normal", "mean": -1e3}),
        ),
        Row(
            name="scores-far-apart",
            reason="scores of one sample near 1e3, of another near -1e3: the largest of all is not that of each sample",
            lengths={"N": 2},
            data=of_x({"values": [[1000.0, 1001.5, 999.25, 998.0], [-1000.0, -1001.25, -999.5, -998.75]]}),
        ),
        Row(name="small-scores", reason="scores of 1e-2: nothing is lost beside 1", data=of_x(SMALL)),
        Row(name="equal-scores", reason="all scores are equal: every class is as likely", data=of_x(CONSTANT)),
        Row(name="one-sample", reason="one sample: the mean over the batch is the loss itself", lengths={"N": 1}),
        Row(name="two-classes", reason="two classes: nothing squeezes away", lengths={"K": 2}),
        Row(
            name="equal-lengths",
            reason="as many samples as classes: no shape tells a sum over the wrong axis",
            lengths={"N": 4},
        ),
        Row(
            name="many-classes",
            reason="more classes than samples: a mean over classes is not one over samples",
            lengths={"N": 3, "K": 9},
        ),
        Row(
            name="first-class",
            reason="all labels are 0: a label is no truth value",
            data={"y": {"init": "zeros", "dtype": "int64"}},
        ),
    ),
)

DROPOUT = Battery(
    layer="dropout",
    axes={"x": ("N", "D")},
    lengths={"N": 6, "D": 5},
    rows=(
        Row(name="usual", reason="half of the values kept: for comparison with the rest"),
        Row(name="keeps-most", reason="0.9 of the values kept: keeping p is not dropping p", values={"p": 0.9}),
        Row(name="keeps-few", reason="0.2 of the values kept: keeping p is not dropping p", values={"p": 0.2}),
        Row(name="keeps-all", reason="everything kept: the layer is the identity", values={"p": 1.0}),
        Row(
            name="zeros",
            reason="some values are 0: a mask that is read off the output takes them for dropped",
            lengths={"N": 4},
            data=of_x(MOSTLY_ZEROS),
        ),
        Row(name="large-values", reason="values of 1e3: nothing is clipped", data=of_x(LARGE)),
        Row(
            name="one-sample",
            reason="one sample: a mask for every value, not for every sample",
            lengths={"N": 1, "D": 64},
        ),
        Row(
            name="one-feature",
            reason="one feature: a mask for every value, not one for all samples",
            lengths={"N": 64, "D": 1},
        ),
        Row(name="test-mode", reason="test mode: the layer is the identity", values={"mode": "test"}),
        Row(
            name="test-mode-keeps-few",
            reason="test mode: the layer is the identity, whatever it keeps in training",
            values={"mode": "test", "p": 0.2},
        ),
        Row(
            name="images",
            reason="four axes: the layer works entry by entry",
            axes={"x": ("N", "C", "H", "W")},
            lengths={"N": 2, "C": 2, "H": 3, "W": 2},
            promised=False,
        ),
    ),
)
