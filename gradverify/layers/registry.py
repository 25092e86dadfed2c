"""What the built-in layers are, as data: inputs, parameters, implementations, window roles.

Nothing here imports numpy; implementations are named, and load when they are used. The spec validates against this
table and the JSON Schema is made from it, so that neither can drift from the layers.

Shapes are written with symbols. A symbol that occurs twice must have the same length, ``...`` stands for any number
of axes (the same ones wherever it occurs in a layer), and ``*D`` for any number of axes with ``D`` elements in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LAYERS",
    "Implementation",
    "Kind",
    "LayerInfo",
    "LayerInput",
    "Parameter",
    "WindowRoles",
    "with_defaults",
]


class Kind(StrEnum):
    """What values a parameter takes."""

    EXTENT = "a whole number of at least 1, or a pair [vertical, horizontal] of them"
    PADDING = "a whole number of at least 0, or a pair [vertical, horizontal] of them"
    COUNT = "a whole number of at least 1"
    SEED = "a whole number of at least 0"
    REAL = "a number"
    POSITIVE = "a number above 0"
    FRACTION = "a number above 0 and at most 1"
    MOMENTUM = "a number from 0 to 1"
    MODE = "train or test"
    STATISTIC = "a number, or a list of numbers, one per feature"
    VARIANCE = "a number of at least 0, or a list of them, one per feature"


@dataclass(frozen=True, slots=True)
class LayerInput:
    """One input array of a layer.

    Attributes
    ----------
    name, shape
        Name and symbolic shape.
    role
        What it is, in words.
    classes
        For integer labels: the symbol that their values stay below; such an input has no gradient.
    """

    name: str
    shape: tuple[str, ...]
    role: str
    classes: str | None = None

    @property
    def shape_text(self) -> str:
        """The symbolic shape as a Python tuple: ``(N, D)``, ``(D,)``."""
        return f"({self.shape[0]},)" if len(self.shape) == 1 else f"({', '.join(self.shape)})"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One keyword parameter; ``default_from`` names the parameter whose value it takes when omitted."""

    name: str
    kind: Kind
    role: str
    default: Any = None
    required: bool = False
    default_from: str | None = None


@dataclass(frozen=True, slots=True)
class Implementation:
    """One way to compute a layer, as ``module:function`` names."""

    name: str
    forward: str
    backward: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRoles:
    """Which inputs and parameters say how a window slides.

    Attributes
    ----------
    input
        Name of the input that the window slides over; its last axes are the spatial ones.
    kernel
        Name of an input (its last axes count) or of a parameter.
    stride, padding, dilation
        Names of parameters, or plain numbers or pairs.
    reads_padding_only
        Whether a window may lie wholly in padding.
    layout, kernel_layout
        A letter for each axis of the input and of the kernel, as ``NHWC`` and ``HWIO``; ``None``: the last axes are
        the spatial ones.
    """

    input: str
    kernel: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    reads_padding_only: bool = True
    layout: str | None = None
    kernel_layout: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerInfo:
    """One row of the table: everything there is to know about a layer short of its code.

    Attributes
    ----------
    name, summary
        Name in specs, and one line on what it does.
    inputs, parameters
        In the order in which gradients are reported.
    implementations
        In the order in which ``implementation: all`` runs them; the first is the reference of the others.
    fast
        Name of the implementation that runs when none is named.
    window
        Set for windowed layers.
    divides
        ``(parameter, symbol)`` where the parameter must divide that length, as the groups divide the channels.
    example
        Shapes for a small runnable example.
    example_params
        Values for the parameters that have no default.
    """

    name: str
    summary: str
    inputs: tuple[LayerInput, ...]
    implementations: tuple[Implementation, ...]
    example: dict[str, tuple[int, ...]]
    parameters: tuple[Parameter, ...] = ()
    fast: str = "vectorized"
    window: WindowRoles | None = None
    divides: tuple[str, str] | None = None
    example_params: dict[str, Any] | None = None


def _single(module: str, function: str) -> tuple[Implementation, ...]:
    """Return the one implementation of a layer that needs no other."""
    path = f"gradverify.layers.{module}:{function}"
    return (Implementation("vectorized", f"{path}_forward", f"{path}_backward", "array operations"),)


def _elementwise(name: str, summary: str, *parameters: Parameter) -> LayerInfo:
    return LayerInfo(
        name=name,
        summary=summary,
        inputs=(LayerInput("x", ("...",), "input, any shape"),),
        parameters=parameters,
        implementations=_single("activations", name),
        example={"x": (4, 5)},
    )


def _normalization(name: str) -> tuple[Implementation, ...]:
    """Return the three backward passes of the one normalization kernel, behind this layer's axes."""
    module = "gradverify.layers.normalization"
    notes = {
        "graph": "node by node along the computation graph",
        "closed": "the simplified closed form; the fast one",
        "diagonal": "as graph, but dgamma as the diagonal of a full matrix product (wasteful on purpose)",
    }
    return tuple(
        Implementation(form, f"{module}:{name}_forward", f"{module}:{name}_backward_{form}", note)
        for form, note in notes.items()
    )


_STRIDE = Parameter("stride", Kind.EXTENT, "step of the window, S", 1)
_PADDING = Parameter("padding", Kind.PADDING, "zeros on each side, P", 0)
_EPS = Parameter("eps", Kind.POSITIVE, "added to the variance under the root", 1e-5)
_IMAGES = LayerInput("x", ("N", "C", "H", "W"), "batch of images")
_RUNNING = (
    _EPS,
    Parameter("mode", Kind.MODE, "train: statistics of the batch; test: the running ones", "train"),
    Parameter("momentum", Kind.MOMENTUM, "running = momentum * running + (1 - momentum) * batch", 0.9),
    Parameter("running_mean", Kind.STATISTIC, "running mean before this batch", 0),
    Parameter("running_var", Kind.VARIANCE, "running (biased) variance before this batch", 1),
)
_POOL = (
    Parameter("kernel_size", Kind.EXTENT, "extent of the window, HH x WW", required=True),
    Parameter("stride", Kind.EXTENT, "step of the window, S", default_from="kernel_size"),
    Parameter("padding", Kind.PADDING, "padding on each side, P", 0),
)
_POOL_WINDOW = WindowRoles(
    input="x", kernel="kernel_size", stride="stride", padding="padding", reads_padding_only=False
)

_TABLE = (
    LayerInfo(
        name="affine",
        summary="fully connected layer on flattened samples",
        inputs=(
            LayerInput("x", ("N", "*D"), "batch of samples"),
            LayerInput("w", ("D", "M"), "weights"),
            LayerInput("b", ("M",), "biases"),
        ),
        implementations=_single("affine", "affine"),
        example={"x": (3, 2, 4), "w": (8, 5), "b": (5,)},
    ),
    _elementwise("relu", "rectified linear unit"),
    _elementwise(
        "leaky_relu",
        "rectified linear unit with a slope below zero",
        Parameter("negative_slope", Kind.REAL, "slope below zero", 0.01),
    ),
    _elementwise("sigmoid", "logistic function"),
    _elementwise("tanh", "hyperbolic tangent"),
    LayerInfo(
        name="conv2d",
        summary="two-dimensional convolution (cross-correlation)",
        inputs=(
            _IMAGES,
            LayerInput("w", ("F", "C", "HH", "WW"), "kernel"),
            LayerInput("b", ("F",), "biases"),
        ),
        parameters=(_STRIDE, _PADDING, Parameter("dilation", Kind.EXTENT, "dilation of the kernel, D", 1)),
        implementations=(
            Implementation(
                "naive",
                "gradverify.layers.convolution:naive_forward",
                "gradverify.layers.convolution:naive_backward",
                "the definition, as loops",
            ),
            Implementation(
                "rot180",
                "gradverify.layers.convolution:rot180_forward",
                "gradverify.layers.convolution:rot180_backward",
                "dilate, pad, rotate, correlate",
            ),
            Implementation(
                "im2col",
                "gradverify.layers.convolution:im2col_forward",
                "gradverify.layers.convolution:im2col_backward",
                "windows gathered, one matrix product; the fast one",
            ),
        ),
        fast="im2col",
        window=WindowRoles(input="x", kernel="w", stride="stride", padding="padding", dilation="dilation"),
        example={"x": (2, 3, 5, 5), "w": (2, 3, 3, 3), "b": (2,)},
    ),
    LayerInfo(
        name="maxpool2d",
        summary="two-dimensional max pooling; padding is -inf, the first maximum wins a tie",
        inputs=(_IMAGES,),
        parameters=_POOL,
        implementations=_single("pooling", "maxpool2d"),
        window=_POOL_WINDOW,
        example={"x": (2, 2, 6, 6)},
        example_params={"kernel_size": 2},
    ),
    LayerInfo(
        name="avgpool2d",
        summary="two-dimensional average pooling; the zeros of the padding count",
        inputs=(_IMAGES,),
        parameters=_POOL,
        implementations=_single("pooling", "avgpool2d"),
        window=_POOL_WINDOW,
        example={"x": (2, 2, 6, 6)},
        example_params={"kernel_size": 2},
    ),
    LayerInfo(
        name="batchnorm",
        summary="batch normalization, statistics over the batch, per feature",
        inputs=(
            LayerInput("x", ("N", "D"), "batch of feature vectors"),
            LayerInput("gamma", ("D",), "scale"),
            LayerInput("beta", ("D",), "shift"),
        ),
        parameters=_RUNNING,
        implementations=_normalization("batchnorm"),
        fast="closed",
        example={"x": (8, 5), "gamma": (5,), "beta": (5,)},
    ),
    LayerInfo(
        name="spatial_batchnorm",
        summary="batch normalization of images, statistics over batch and space, per channel",
        inputs=(
            _IMAGES,
            LayerInput("gamma", ("C",), "scale"),
            LayerInput("beta", ("C",), "shift"),
        ),
        parameters=_RUNNING,
        implementations=_normalization("spatial_batchnorm"),
        fast="closed",
        example={"x": (2, 3, 4, 4), "gamma": (3,), "beta": (3,)},
    ),
    LayerInfo(
        name="layernorm",
        summary="layer normalization, statistics over each sample",
        inputs=(
            LayerInput("x", ("N", "..."), "batch of samples"),
            LayerInput("gamma", ("...",), "scale"),
            LayerInput("beta", ("...",), "shift"),
        ),
        parameters=(_EPS,),
        implementations=_normalization("layernorm"),
        fast="closed",
        example={"x": (6, 7), "gamma": (7,), "beta": (7,)},
    ),
    LayerInfo(
        name="groupnorm",
        summary="group normalization, statistics per sample and group of channels",
        inputs=(
            LayerInput("x", ("N", "C", "..."), "batch of images"),
            LayerInput("gamma", ("C",), "scale"),
            LayerInput("beta", ("C",), "shift"),
        ),
        parameters=(
            Parameter("groups", Kind.COUNT, "number of groups of channels, G; divides C", required=True),
            _EPS,
        ),
        implementations=_normalization("groupnorm"),
        fast="closed",
        divides=("groups", "C"),
        example={"x": (2, 6, 3, 3), "gamma": (6,), "beta": (6,)},
        example_params={"groups": 2},
    ),
    LayerInfo(
        name="softmax_loss",
        summary="softmax followed by the mean cross-entropy loss",
        inputs=(
            LayerInput("x", ("N", "K"), "scores"),
            LayerInput("y", ("N",), "labels, integers below K", classes="K"),
        ),
        implementations=_single("loss", "softmax_loss"),
        example={"x": (6, 4), "y": (6,)},
    ),
    LayerInfo(
        name="dropout",
        summary="inverted dropout with a seeded mask",
        inputs=(LayerInput("x", ("...",), "input, any shape"),),
        parameters=(
            Parameter("p", Kind.FRACTION, "fraction kept; train output is scaled by 1/p", 0.5),
            Parameter("mode", Kind.MODE, "train: mask and scale; test: the identity", "train"),
            Parameter("seed", Kind.SEED, "seed of the mask", 0),
        ),
        implementations=_single("dropout", "dropout"),
        example={"x": (4, 5)},
    ),
)

LAYERS = {layer.name: layer for layer in _TABLE}


def with_defaults(layer: LayerInfo, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every parameter of a layer, in the order of the table.

    Parameters
    ----------
    layer
        The table row.
    params
        Those that are given; a parameter without a default that is not given is ``None``.
    """
    full = {item.name: params.get(item.name, item.default) for item in layer.parameters}
    for item in layer.parameters:
        if item.default_from and item.name not in params:
            full[item.name] = full[item.default_from]
    return full
