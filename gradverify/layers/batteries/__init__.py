"""The batteries, as data: where hand-written layers break, a row for each case. Nothing here imports numpy.

Read from about forty public collections of layers: most mistakes sit where their own tests never look, at padding 0 or
2, at strides that do not divide, at lengths that differ, at one sample or one group, at another eps.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradverify.layers.batteries.model import Battery

__all__ = ["BATTERIES", "battery_of"]

# Where the battery of each layer is, to load on use: most specs have none.
BATTERIES = {
    "conv2d": "convolution:CONV2D",
    "maxpool2d": "pooling:MAXPOOL2D",
    "avgpool2d": "pooling:AVGPOOL2D",
    "affine": "pointwise:AFFINE",
    "relu": "pointwise:RELU",
    "batchnorm": "normalization:BATCHNORM",
    "spatial_batchnorm": "normalization:SPATIAL_BATCHNORM",
    "layernorm": "normalization:LAYERNORM",
    "groupnorm": "normalization:GROUPNORM",
    "softmax_loss": "pointwise:SOFTMAX_LOSS",
    "dropout": "pointwise:DROPOUT",
}


def battery_of(layer: str) -> Battery:
    """Return the battery of a layer.

    Raises
    ------
    KeyError
        It has none.
    """
    battery: Battery = resolve_name(f"{__name__}.{BATTERIES[layer]}")
    return battery
