"""The batteries, as data: where hand-written layers break, a row for each case. Nothing here imports numpy.

Read from about forty public collections of layers: most mistakes sit where their own tests never look, at padding 0 or
2, at strides that do not divide, at lengths that differ, at one sample or one group, at another eps.
"""

from __future__ import annotations

from gradverify.layers.batteries.convolution import CONV2D
from gradverify.layers.batteries.model import Battery, Row
from gradverify.layers.batteries.normalization import BATCHNORM, GROUPNORM, LAYERNORM, SPATIAL_BATCHNORM
from gradverify.layers.batteries.pointwise import AFFINE, DROPOUT, RELU, SOFTMAX_LOSS
from gradverify.layers.batteries.pooling import AVGPOOL2D, MAXPOOL2D

__all__ = ["BATTERIES", "Battery", "Row"]

_TABLE = (
    CONV2D,
    MAXPOOL2D,
    AVGPOOL2D,
    AFFINE,
    RELU,
    BATCHNORM,
    SPATIAL_BATCHNORM,
    LAYERNORM,
    GROUPNORM,
    SOFTMAX_LOSS,
    DROPOUT,
)
BATTERIES = {battery.layer: battery for battery in _TABLE}
