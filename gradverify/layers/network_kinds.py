"""The kinds of layers that a network in a spec is made of, as data: which keys each takes, and what other names mean.

Nothing here imports numpy. The spec validates against this table, the JSON Schema is made from it, and the walk through
a network looks up here what a layer does to sizes; so that none of the three can drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["KINDS", "ROWS", "Family", "Key", "LayerKind", "Row", "Value", "own_name"]


class Value(StrEnum):
    """What a key of a layer takes. Any whole number may be a name from dims."""

    COUNT = "a whole number of at least 1, or a name from dims"
    EXTENT = "a whole number of at least 1, or one per axis"
    BORDER = "a whole number of at least 0, or one per axis"
    EDGES = "a whole number of at least 0, one per axis, or a pair [before, behind] per axis"
    PADDING = "a whole number of at least 0, one per axis, a pair [before, behind] per axis, or a word"
    SCALE = "a number above 0, or one per axis"
    REAL = "a number"
    FLAG = "true or false"
    MODE = "nearest, linear, bilinear, trilinear or bicubic"


class Family(StrEnum):
    """What a layer does to sizes."""

    CONVOLUTION = "slides a kernel, makes channels"
    TRANSPOSED = "makes rows with a kernel, makes channels"
    POOLING = "slides a window that must hold data, keeps channels"
    UNFOLD = "slides a window, makes one axis of the positions and channels of what they hold"
    PAD = "adds rows at both ends"
    UPSAMPLE = "makes an axis longer or shorter, keeps channels"
    ADAPTIVE = "pools to a length that is given"
    GLOBAL = "pools an axis to length 1"
    FLATTEN = "makes features of channels and axes"
    LINEAR = "makes features of features"
    KEEP = "keeps sizes"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a layer; ``default`` is what it is by itself, in words where it follows from something else."""

    name: str
    value: Value
    about: str
    default: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: kinds that take the same keys.

    Attributes
    ----------
    family
        What they do to sizes.
    names
        Of the kinds. Where ``ranked``, of those for one, two and three spatial axes, in this order.
    keys
        What they take beside ``layer``, ``name`` and, for those with windows, ``allow``.
    words
        What ``padding`` may be beside numbers.
    """

    family: Family
    names: tuple[str, ...]
    keys: tuple[Key, ...] = ()
    ranked: bool = True
    words: tuple[str, ...] = ("valid", "same", "same-lower")

    @property
    def windowed(self) -> bool:
        """Whether these layers have windows that the size identity judges."""
        return self.family in {Family.CONVOLUTION, Family.TRANSPOSED, Family.POOLING, Family.UNFOLD}


@dataclass(frozen=True, slots=True)
class LayerKind:
    """One kind of layer; ``rank`` is how many spatial axes it takes, ``None`` for any number."""

    name: str
    row: Row
    rank: int | None

    @property
    def words(self) -> tuple[str, ...]:
        """What its ``padding`` may be beside numbers; ``causal`` is Keras' and belongs to a sequence."""
        causal = self.row.family is Family.CONVOLUTION and self.rank == 1
        return (*self.row.words, "causal") if causal else self.row.words


def _ranked(stem: str) -> tuple[str, ...]:
    return tuple(f"{stem}{rank}d" for rank in (1, 2, 3))


_KERNEL = Key("kernel_size", Value.EXTENT, "length of the window, HH", required=True)
_STRIDE = Key("stride", Value.EXTENT, "step of the window, S", 1)
_STEP = Key("stride", Value.EXTENT, "step of the window, S", "kernel_size")
_PADDING = Key("padding", Value.PADDING, "rows of padding at the ends, P", 0)
_DILATION = Key("dilation", Value.EXTENT, "dilation of the kernel, D", 1)
_CEIL = Key("ceil_mode", Value.FLAG, "whether a last window that hangs over the end is kept", False)
_BIAS = Key("bias", Value.FLAG, "whether there are biases; no matter to sizes", True)
_CHANNELS = (
    Key("out_channels", Value.COUNT, "channels that come out; left out, they are not known and not checked"),
    Key("in_channels", Value.COUNT, "channels that must come in"),
    _KERNEL,
    _STRIDE,
    _PADDING,
    _DILATION,
    Key("groups", Value.COUNT, "groups of channels; divides both", 1),
    _BIAS,
)
_EPS = Key("eps", Value.REAL, "added to the variance; no matter to sizes")

ROWS = (
    Row(Family.CONVOLUTION, _ranked("conv"), _CHANNELS),
    Row(
        Family.TRANSPOSED,
        _ranked("conv_transpose"),
        (*_CHANNELS, Key("output_padding", Value.BORDER, "rows made at the far end besides", 0)),
    ),
    Row(Family.POOLING, _ranked("maxpool"), (_KERNEL, _STEP, _PADDING, _DILATION, _CEIL)),
    Row(
        Family.POOLING,
        _ranked("avgpool"),
        (
            _KERNEL,
            _STEP,
            _PADDING,
            _CEIL,
            Key("count_include_pad", Value.FLAG, "whether padding counts in the average; no matter to sizes", True),
        ),
    ),
    Row(
        Family.POOLING,
        _ranked("lppool"),
        (_KERNEL, _STEP, _PADDING, _CEIL, Key("norm_type", Value.REAL, "the power; no matter to sizes", 2)),
    ),
    Row(Family.UNFOLD, ("unfold",), (_KERNEL, _STRIDE, _PADDING, _DILATION), ranked=False),
    Row(
        Family.PAD,
        ("pad",),
        (
            Key(
                "padding",
                Value.EDGES,
                "rows added at the ends; they count as padding of the next window",
                required=True,
            ),
        ),
        ranked=False,
        words=(),
    ),
    Row(
        Family.UPSAMPLE,
        ("upsample",),
        (
            Key("scale_factor", Value.SCALE, "what lengths are multiplied with, rounded down; or"),
            Key("size", Value.EXTENT, "the lengths that come out"),
            Key("mode", Value.MODE, "which rows a new one is made of", "nearest"),
        ),
        ranked=False,
    ),
    Row(
        Family.ADAPTIVE,
        (*_ranked("adaptive_avgpool"), *_ranked("adaptive_maxpool")),
        (Key("output_size", Value.EXTENT, "the lengths that come out", required=True),),
    ),
    Row(Family.GLOBAL, ("global_avgpool", "global_maxpool", "global_lppool"), ranked=False),
    Row(Family.FLATTEN, ("flatten",), ranked=False),
    Row(
        Family.LINEAR,
        ("linear",),
        (
            Key("out_features", Value.COUNT, "features that come out; left out, they are not known and not checked"),
            Key("in_features", Value.COUNT, "features that must come in"),
            _BIAS,
        ),
        ranked=False,
    ),
    Row(
        Family.KEEP,
        ("relu", "relu6", "sigmoid", "tanh", "gelu", "silu", "elu", "softplus", "softmax", "lrn", "identity"),
        ranked=False,
    ),
    Row(Family.KEEP, ("leaky_relu",), (Key("negative_slope", Value.REAL, "slope below zero", 0.01),), ranked=False),
    Row(
        Family.KEEP, ("dropout",), (Key("p", Value.REAL, "the fraction kept, as in the built-in layer"),), ranked=False
    ),
    Row(Family.KEEP, ("batchnorm", "spatial_batchnorm", "layernorm", "instancenorm"), (_EPS,), ranked=False),
    Row(
        Family.KEEP,
        ("groupnorm",),
        (Key("groups", Value.COUNT, "groups of channels; divides them", 1), _EPS),
        ranked=False,
    ),
)

KINDS = {
    name: LayerKind(name, row, place % 3 + 1 if row.ranked else None)
    for row in ROWS
    for place, name in enumerate(row.names)
}

# What others call these layers, without case and underscores; what differs in nothing else needs no entry.
_ELSEWHERE = {
    **{f"conv{rank}dtranspose": f"conv_transpose{rank}d" for rank in (1, 2, 3)},
    **{f"deconv{rank}d": f"conv_transpose{rank}d" for rank in (1, 2, 3)},
    **{f"convolution{rank}d": f"conv{rank}d" for rank in (1, 2, 3)},
    **{f"depthwiseconv{rank}d": f"conv{rank}d" for rank in (1, 2, 3)},
    **{f"maxpooling{rank}d": f"maxpool{rank}d" for rank in (1, 2, 3)},
    **{f"averagepooling{rank}d": f"avgpool{rank}d" for rank in (1, 2, 3)},
    **{f"averagepool{rank}d": f"avgpool{rank}d" for rank in (1, 2, 3)},
    **{f"globalaveragepooling{rank}d": "global_avgpool" for rank in (1, 2, 3)},
    **{f"globalmaxpooling{rank}d": "global_maxpool" for rank in (1, 2, 3)},
    **{f"upsampling{rank}d": "upsample" for rank in (1, 2, 3)},
    **{f"zeropadding{rank}d": "pad" for rank in (1, 2, 3)},
    **{f"{how}pad{rank}d": "pad" for how in ("zero", "constant", "reflection", "replication") for rank in (1, 2, 3)},
    **{f"instancenorm{rank}d": "instancenorm" for rank in (1, 2, 3)},
    **{f"dropout{rank}d": "dropout" for rank in (1, 2, 3)},
    "globalaveragepool": "global_avgpool",
    "batchnorm1d": "batchnorm",
    "batchnorm2d": "spatial_batchnorm",
    "batchnorm3d": "spatial_batchnorm",
    "batchnormalization": "spatial_batchnorm",
    "layernormalization": "layernorm",
    "instancenormalization": "instancenorm",
    "groupnormalization": "groupnorm",
    "localresponsenorm": "lrn",
    "upsamplingnearest2d": "upsample",
    "upsamplingbilinear2d": "upsample",
    "interpolate": "upsample",
    "resize": "upsample",
    "dense": "linear",
    "affine": "linear",
    "gemm": "linear",
    "fullyconnected": "linear",
    "swish": "silu",
    "prelu": "leaky_relu",
}


def own_name(name: str) -> str | None:
    """Return what a layer of another name is called here, as ``conv2d`` for ``Conv2D``, or ``None``."""
    plain = name.lower().replace("_", "").replace("-", "")
    return next((own for own in KINDS if own.replace("_", "") == plain), _ELSEWHERE.get(plain))
