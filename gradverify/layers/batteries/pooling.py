"""The batteries of pools."""

from __future__ import annotations

from gradverify.layers.batteries.data import CONSTANT, LARGE, NEGATIVE, of_x
from gradverify.layers.batteries.model import Battery, Row

__all__ = ["AVGPOOL2D", "MAXPOOL2D"]


def _pool(name: str, *own: Row) -> Battery:
    """Return the battery of a pool: the geometry that all pools share, and rows of its own."""
    return Battery(
        layer=name,
        axes={"x": ("N", "C", "H", "W")},
        lengths={"N": 2, "C": 3, "H": 6, "W": 6},
        values={"kernel_size": 2},
        rows=(
            Row(
                name="halves",
                reason="2 x 2 windows, stride 2: what everybody tests, for comparison with the rest",
                values={"stride": 2},
            ),
            Row(
                name="overlap",
                reason="windows overlap: an entry gets gradient from several, which add up",
                lengths={"H": 5, "W": 5},
                values={"kernel_size": 3, "stride": 2},
            ),
            Row(
                name="overlap-stride-1",
                reason="windows overlap by all but one row: an entry gets gradient from many, which add up",
                lengths={"H": 5, "W": 5},
                values={"stride": 1},
            ),
            Row(
                name="overlap-most",
                reason="windows of 3 rows at every row: an entry lies in up to nine",
                lengths={"H": 5, "W": 5},
                values={"kernel_size": 3, "stride": 1},
            ),
            Row(
                name="overlap-unread",
                reason="windows overlap and the stride does not divide: the last row and column get zero gradient",
                values={"kernel_size": 3, "stride": 2},
            ),
            Row(
                name="unread",
                reason="stride does not divide: the last row and column are never read and get zero gradient",
                lengths={"H": 5, "W": 5},
                values={"stride": 2},
            ),
            Row(
                name="thirds",
                reason="3 x 3 windows that do not overlap: no 2 is written into the code",
                values={"kernel_size": 3, "stride": 3},
            ),
            Row(
                name="gaps",
                reason="stride larger than the window: rows between windows are never read and get zero gradient",
                lengths={"H": 8, "W": 8},
                values={"stride": 3},
            ),
            Row(
                name="tall",
                reason="H > W: rows and columns must not be exchanged",
                lengths={"H": 8, "W": 4},
                values={"stride": 2},
            ),
            Row(
                name="wide-overlap",
                reason="W > H, and windows overlap",
                lengths={"H": 4, "W": 7},
                values={"stride": 1},
            ),
            Row(
                name="tall-window",
                reason="HH > WW: rows and columns of the window must not be exchanged",
                values={"kernel_size": [3, 2], "stride": 1},
            ),
            Row(
                name="wide-window",
                reason="WW > HH: rows and columns of the window must not be exchanged",
                lengths={"W": 7},
                values={"kernel_size": [2, 3], "stride": 1},
            ),
            Row(
                name="window-1",
                reason="1 x 1 windows: the layer is the identity",
                values={"kernel_size": 1, "stride": 1},
            ),
            Row(
                name="whole-image",
                reason="the window as large as the image: one output entry for each channel",
                values={"kernel_size": 6, "stride": 6},
            ),
            Row(
                name="one-sample",
                reason="one sample: axes of length 1 broadcast where they should not, and squeeze away",
                lengths={"N": 1},
                values={"stride": 2},
            ),
            Row(
                name="one-channel",
                reason="one channel: axes of length 1 broadcast where they should not, and squeeze away",
                lengths={"C": 1},
                values={"stride": 2},
            ),
            Row(
                name="equal-lengths",
                reason="as many samples as channels, rows and columns: no shape tells a wrong axis",
                lengths={"N": 4, "C": 4, "H": 4, "W": 4},
                values={"stride": 2},
            ),
            Row(
                name="large-values",
                reason="values of 1e3: nothing overflows, and no constant stands for the lowest value",
                values={"stride": 2},
                data=of_x(LARGE),
            ),
            Row(
                name="padding-1",
                reason="padding: dx is cropped",
                lengths={"H": 5, "W": 5},
                values={"kernel_size": 3, "stride": 2, "padding": 1},
            ),
            Row(
                name="padding-1-unread",
                reason="padding, and a stride that does not divide: the last row of padding is never read",
                values={"kernel_size": 3, "stride": 2, "padding": 1},
            ),
            Row(
                name="stride-2x1",
                reason="another stride along each axis",
                values={"stride": [2, 1]},
            ),
            Row(
                name="padding-1x0",
                reason="another padding along each axis",
                values={"kernel_size": 3, "stride": 1, "padding": [1, 0]},
            ),
            *own,
        ),
    )


MAXPOOL2D = _pool(
    "maxpool2d",
    Row(
        name="negative",
        reason="all values are negative: an output that begins with zero, or a mask of zeros, wins over them",
        values={"stride": 2},
        data=of_x(NEGATIVE),
    ),
    Row(
        name="negative-padding",
        reason="all values are negative: zeros of the padding must not win",
        values={"kernel_size": 3, "stride": 1, "padding": 1},
        lengths={"H": 5, "W": 5},
        data=of_x(NEGATIVE),
    ),
    Row(
        name="ties",
        reason="equal values in a window: its cotangent is passed on once, not to each of them",
        lengths={"N": 1, "C": 1, "H": 4, "W": 4},
        values={"stride": 2},
        data=of_x(CONSTANT),
        asked=True,
        kinks=True,
    ),
)
AVGPOOL2D = _pool("avgpool2d")
