"""What is checked: layers with shapes and parameters, and the lower bound on forward passes of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Shapes = Mapping[str, tuple[int, ...]]

__all__ = ["DETECTION", "WORKLOADS", "Workload"]


@dataclass(frozen=True, slots=True)
class Workload:
    """A built-in layer at one size; every input of it is checked, parameters too."""

    layer: str
    shapes: Shapes
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def elements(self) -> int:
        """How many entries all gradients have together."""
        return sum(prod(shape) for shape in self.shapes.values())

    @property
    def bound(self) -> int:
        """Forward passes that one point of a stencil costs at least, all inputs together.

        An output that depends on k entries of an input needs k passes to tell them apart (Curtis, Powell & Reid,
        1974), whatever the number of entries; groups of the same size reach it.
        """
        return sum(_FOOTPRINTS[self.layer](self.shapes, self.params).values())


def _conv2d(shapes: Shapes, _: Mapping[str, Any]) -> dict[str, int]:
    window = prod(shapes["w"][1:])
    return {"x": window, "w": window, "b": 1}


def _affine(shapes: Shapes, _: Mapping[str, Any]) -> dict[str, int]:
    return {"x": shapes["w"][0], "w": shapes["w"][0], "b": 1}


def _maxpool2d(_: Shapes, params: Mapping[str, Any]) -> dict[str, int]:
    return {"x": params["kernel_size"] ** 2}


def _batchnorm(shapes: Shapes, _: Mapping[str, Any]) -> dict[str, int]:
    samples, _features, *space = shapes["x"]
    return {"x": samples * prod(space), "gamma": 1, "beta": 1}


def _layernorm(shapes: Shapes, _: Mapping[str, Any]) -> dict[str, int]:
    return {"x": prod(shapes["x"][1:]), "gamma": 1, "beta": 1}


def _groupnorm(shapes: Shapes, params: Mapping[str, Any]) -> dict[str, int]:
    return {"x": prod(shapes["x"][1:]) // params["groups"], "gamma": 1, "beta": 1}


_FOOTPRINTS: dict[str, Callable[[Shapes, Mapping[str, Any]], dict[str, int]]] = {
    "affine": _affine,
    "batchnorm": _batchnorm,
    "conv2d": _conv2d,
    "groupnorm": _groupnorm,
    "layernorm": _layernorm,
    "maxpool2d": _maxpool2d,
    "spatial_batchnorm": _batchnorm,
}


def _conv(x: tuple[int, ...], w: tuple[int, ...], stride: int, padding: int) -> Workload:
    return Workload("conv2d", {"x": x, "w": w, "b": w[:1]}, {"stride": stride, "padding": padding})


def _norm(layer: str, x: tuple[int, ...], **params: int) -> Workload:
    features = x[1:2]
    return Workload(layer, {"x": x, "gamma": features, "beta": features}, params)


def _dense(samples: int, entries: int, units: int) -> Workload:
    return Workload("affine", {"x": (samples, entries), "w": (entries, units), "b": (units,)})


def _pool(x: tuple[int, ...]) -> Workload:
    return Workload("maxpool2d", {"x": x}, {"kernel_size": 2, "stride": 2})


WORKLOADS = {
    "conv small": _conv((2, 3, 8, 8), (4, 3, 3, 3), stride=1, padding=1),
    "conv middle": _conv((4, 3, 32, 32), (8, 3, 5, 5), stride=2, padding=2),
    "conv large": _conv((8, 16, 32, 32), (32, 16, 3, 3), stride=1, padding=1),
    "batchnorm": _norm("batchnorm", (64, 128)),
    "spatial batchnorm": _norm("spatial_batchnorm", (8, 16, 32, 32)),
    "layernorm": _norm("layernorm", (64, 256)),
    "groupnorm": _norm("groupnorm", (4, 16, 16, 16), groups=4),
    "maxpool": _pool((4, 8, 16, 16)),
    "affine": _dense(32, 512, 128),
}

# For wrong and right code in numbers: small enough for peers that evaluate dozens of times an entry, and large enough
# to show what a tolerance that grows with the size lets through.
DETECTION = {
    "conv": _conv((2, 3, 6, 6), (4, 3, 3, 3), stride=1, padding=1),
    "batchnorm": _norm("batchnorm", (64, 32)),
    "spatial batchnorm": _norm("spatial_batchnorm", (2, 3, 5, 5)),
    "layernorm": _norm("layernorm", (8, 24)),
    "groupnorm": _norm("groupnorm", (2, 4, 5, 5), groups=2),
    "maxpool": _pool((2, 3, 8, 8)),
    "affine": _dense(32, 64, 16),
}
