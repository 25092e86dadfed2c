"""The battery of convolutions."""

from __future__ import annotations

from gradverify.layers.batteries.model import Battery, Row

__all__ = ["CONV2D"]

CONV2D = Battery(
    layer="conv2d",
    axes={"x": ("N", "C", "H", "W"), "w": ("F", "C", "HH", "WW"), "b": ("F",)},
    lengths={"N": 2, "C": 3, "F": 4, "H": 5, "W": 5, "HH": 3, "WW": 3},
    rows=(
        Row(
            name="same",
            reason="a 3 x 3 kernel, stride 1, padding 1: what everybody tests, for comparison with the rest",
            values={"padding": 1},
        ),
        Row(name="no-padding", reason="no padding: a slice like [pad:-pad] is empty, and nothing is left of dx"),
        Row(
            name="padding-2",
            reason="two rows of padding: cropping one row, or [1:-1], is not enough",
            values={"padding": 2},
        ),
        Row(
            name="stride-2",
            reason="stride 2 that divides, no padding: the cotangent must be dilated",
            values={"stride": 2},
        ),
        Row(
            name="stride-2-padding-1",
            reason="stride 2 that divides, with padding: the cotangent is dilated, and dx is cropped",
            values={"stride": 2, "padding": 1},
        ),
        Row(
            name="stride-3-padding-2",
            reason="stride 3 that divides, two rows of padding: windows touch, and some of them lie in padding mostly",
            values={"stride": 3, "padding": 2},
        ),
        Row(
            name="unread-padding",
            reason="stride does not divide: the last row of padding is never read, and dx must still have all rows",
            lengths={"H": 6, "W": 6},
            values={"stride": 2, "padding": 1},
        ),
        Row(
            name="unread-data",
            reason="stride does not divide: the last row and column of data are never read and get zero gradient",
            lengths={"H": 6, "W": 6},
            values={"stride": 2},
        ),
        Row(
            name="unread-rows",
            reason="stride does not divide along H alone: the last row is never read, and every column is",
            lengths={"H": 8, "W": 7},
            values={"stride": 2},
        ),
        Row(
            name="unread-columns",
            reason="stride does not divide along W alone: the last column is never read, and every row is",
            lengths={"H": 7, "W": 8},
            values={"stride": 2},
        ),
        Row(
            name="unread-data-padding",
            reason="stride does not divide: padding and a row of data behind it are never read",
            lengths={"H": 6, "W": 6},
            values={"stride": 3, "padding": 1},
        ),
        Row(
            name="tall",
            reason="H > W: rows and columns must not be exchanged",
            lengths={"H": 7, "W": 4},
            usual={"padding": 1},
        ),
        Row(
            name="wide",
            reason="W > H: rows and columns must not be exchanged",
            lengths={"H": 4, "W": 7},
            usual={"padding": 1},
        ),
        Row(
            name="tall-kernel",
            reason="HH > WW: rows and columns of the kernel must not be exchanged",
            lengths={"WW": 2},
            usual={"padding": 1},
        ),
        Row(
            name="wide-kernel",
            reason="WW > HH: rows and columns of the kernel must not be exchanged",
            lengths={"HH": 2},
            usual={"padding": 1},
        ),
        Row(
            name="nothing-square",
            reason="H != W and HH != WW, with a stride: every length has its own place",
            lengths={"H": 7, "W": 6, "WW": 2},
            values={"stride": 2},
            usual={"padding": 1},
        ),
        Row(
            name="nothing-square-unread",
            reason="H != W and HH != WW, and the stride divides along one axis alone",
            lengths={"H": 8, "W": 6, "HH": 2},
            values={"stride": 2},
            usual={"padding": 1},
        ),
        Row(
            name="kernel-1",
            reason="a 1 x 1 kernel: the edge of the full convolution has no zeros, and a slice like [1 - HH:] is all",
            lengths={"HH": 1, "WW": 1},
        ),
        Row(
            name="kernel-1-padding-1",
            reason="padding wider than HH - 1: the full convolution crops where it would pad otherwise",
            lengths={"HH": 1, "WW": 1},
            values={"padding": 1},
        ),
        Row(
            name="even-kernel",
            reason="a 2 x 2 kernel: it has no middle, so HH // 2 is not (HH - 1) / 2",
            lengths={"HH": 2, "WW": 2},
            usual={"padding": 1},
        ),
        Row(
            name="kernel-is-image",
            reason="the kernel as large as the image: one window, one output entry",
            lengths={"HH": 5, "WW": 5},
        ),
        Row(
            name="gaps",
            reason="stride larger than the kernel: rows between windows are never read and get zero gradient",
            lengths={"HH": 2, "WW": 2},
            values={"stride": 3},
        ),
        Row(
            name="patches",
            reason="stride equal to the kernel: windows touch and do not overlap",
            lengths={"H": 6, "W": 6, "HH": 2, "WW": 2},
            values={"stride": 2},
            usual={"padding": 1},
        ),
        Row(
            name="one-sample",
            reason="one sample: sums over the batch and averages over it are the same, and axes of length 1 broadcast",
            lengths={"N": 1},
            usual={"padding": 1},
        ),
        Row(
            name="one-channel",
            reason="one channel: axes of length 1 broadcast where they should not, and squeeze away",
            lengths={"C": 1},
            usual={"padding": 1},
        ),
        Row(
            name="one-filter",
            reason="one filter: axes of length 1 broadcast where they should not",
            lengths={"F": 1},
            usual={"padding": 1},
        ),
        Row(
            name="equal-counts",
            reason="as many samples as channels and filters: no shape tells a wrong axis",
            lengths={"N": 3, "F": 3},
            usual={"padding": 1},
        ),
        Row(
            name="smallest",
            reason="every length is 1: everything that can be squeezed away is",
            lengths={"N": 1, "C": 1, "F": 1, "H": 1, "W": 1, "HH": 1, "WW": 1},
        ),
        Row(
            name="stride-2x1",
            reason="another stride along each axis",
            lengths={"H": 7},
            values={"stride": [2, 1]},
            usual={"padding": 1},
        ),
        Row(
            name="padding-1x0",
            reason="another padding along each axis",
            values={"padding": [1, 0]},
        ),
        Row(
            name="stride-1x2-padding-0x2",
            reason="another stride and another padding along each axis",
            lengths={"W": 7},
            values={"stride": [1, 2], "padding": [0, 2]},
        ),
        Row(
            name="dilation-2",
            reason="a dilated kernel: windows are as wide as D(HH - 1) + 1",
            lengths={"H": 7, "W": 6},
            values={"dilation": 2},
            usual={"padding": 1},
        ),
        Row(
            name="dilation-2-stride-2",
            reason="a dilated kernel with a stride that does not divide",
            lengths={"H": 8, "W": 8},
            values={"dilation": 2, "stride": 2},
            usual={"padding": 1},
        ),
        Row(
            name="dilation-2x1",
            reason="another dilation along each axis",
            lengths={"H": 6},
            values={"dilation": [2, 1]},
            usual={"padding": 1},
        ),
    ),
)
