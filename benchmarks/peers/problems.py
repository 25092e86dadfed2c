"""A workload with data, as the functions that a peer checks: whole, or on a seeded sample of its entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import subjects

if TYPE_CHECKING:
    from workloads import Workload

__all__ = ["Finding", "Peer", "Problem", "Reference", "Sample", "judged", "relative_error"]

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Finding:
    """What a peer says.

    Attributes
    ----------
    verdict
        ``undecided`` where the peer says so itself.
    numerical
        Its numerical gradient, all inputs in one vector, where it hands one out.
    error
        Largest error of that gradient, as ``relative_error`` measures it, where the peer alone can tell.
    notes
        What else is worth a line in the report.
    """

    verdict: Literal["pass", "fail", "undecided"]
    numerical: Array | None = None
    error: float | None = None
    notes: tuple[str, ...] = ()


def judged(accepted: bool, numerical: Array | None = None) -> Finding:
    """Return the finding of a peer that says yes or no."""
    return Finding("pass" if accepted else "fail", numerical)


@dataclass(frozen=True, slots=True)
class Reference:
    """The gradient in extended precision, and for each entry the largest one of the same input."""

    gradient: Array
    largest: Array


def relative_error(numerical: Array, reference: Reference) -> float:
    """Return the largest error of any entry, in units of the largest entry of the same input's gradient."""
    return float(np.max(np.abs(numerical - reference.gradient) / reference.largest))


@dataclass(frozen=True)
class Problem:
    """A layer, its inputs and a cotangent, drawn from a seed; perhaps with a bug in its backward pass."""

    workload: Workload
    seed: int
    dtype: str = "float64"
    bug: str | None = None

    @cached_property
    def inputs(self) -> tuple[Array, ...]:
        """Every input, in the dtype under test."""
        random = np.random.default_rng([self.seed, 0])
        return tuple(random.normal(size=shape).astype(self.dtype) for shape in self.workload.shapes.values())

    @cached_property
    def cotangent(self) -> Array:
        """One random number an output."""
        random = np.random.default_rng([self.seed, 1])
        return random.normal(size=subjects.forward(*self.inputs, **self.params)[0].shape).astype(self.dtype)

    @property
    def params(self) -> dict[str, Any]:
        """Keyword arguments of the forward pass."""
        return {"layer": self.workload.layer, "bug": self.bug, **self.workload.params}

    def forward(self, *inputs: Array) -> tuple[Array, Any]:
        """Return output and cache."""
        return subjects.forward(*inputs, **self.params)

    def backward(self, dout: Array, cache: Any) -> tuple[Array, ...]:
        """Return a gradient an input."""
        return subjects.backward(dout, cache)

    @property
    def reference(self) -> Reference:
        """The formulas of the right backward pass, evaluated in extended precision: built-ins never cast."""
        wide = [value.astype(np.longdouble) for value in (*self.inputs, self.cotangent)]
        _, cache = subjects.forward(*wide[:-1], **self.params | {"bug": None})
        gradients = subjects.backward(wide[-1], cache)
        largest = [np.full(value.size, np.max(np.abs(value))) for value in gradients]
        return Reference(_flat(gradients), np.concatenate(largest))


class Sample:
    """A problem in a few seeded entries of its inputs, and perhaps of its outputs; the rest stays as it is.

    A forward or backward pass costs what the whole one does: what is saved is their number.
    """

    def __init__(self, whole: Problem, entries: int, outputs: int | None = None) -> None:
        random = np.random.default_rng([whole.seed, 2])
        self._whole = whole
        self._point = _flat(whole.inputs)
        self._chosen = random.choice(self._point.size, entries, replace=False)
        self._read = random.choice(whole.cotangent.size, outputs, replace=False) if outputs else slice(None)
        self.dtype, self.seed = whole.dtype, whole.seed
        self.inputs = (self._point[self._chosen],)
        self.cotangent = whole.cotangent.ravel()[self._read]

    def forward(self, values: Array) -> tuple[Array, Any]:
        """Put the values in their places and return the chosen outputs, and the cache."""
        point = self._point.astype(np.result_type(self._point, values))
        point[self._chosen] = values
        out, cache = self._whole.forward(*_split(point, self._whole.inputs))
        return out.ravel()[self._read], cache

    def backward(self, dout: Array, cache: Any) -> tuple[Array]:
        """Return the chosen entries of the gradients."""
        whole = np.zeros(self._whole.cotangent.shape, dtype=dout.dtype)
        whole.reshape(-1)[self._read] = dout
        return (_flat(self._whole.backward(whole, cache))[self._chosen],)

    @property
    def reference(self) -> Reference:
        """The chosen entries of the whole reference."""
        whole = self._whole.reference
        return Reference(whole.gradient[self._chosen], whole.largest[self._chosen])


def _flat(arrays: tuple[Array, ...]) -> Array:
    return np.concatenate([np.ravel(value) for value in arrays])


def _split(point: Array, like: tuple[Array, ...]) -> list[Array]:
    """Cut a vector into arrays of these shapes."""
    ends = np.cumsum([value.size for value in like])[:-1]
    return [part.reshape(value.shape) for part, value in zip(np.split(point, ends), like, strict=True)]


# Any peer: a function of a problem that returns what it finds.
Peer = Callable[[Problem | Sample], Finding]


@dataclass(frozen=True)
class Loss:
    """A problem as peers for scalar functions see it: ``sum(cotangent * out)`` of one vector, and its gradient."""

    problem: Problem | Sample

    @property
    def start(self) -> Array:
        """The point at which the gradient is checked."""
        return _flat(self.problem.inputs)

    def value(self, point: Array) -> Any:
        """Run one forward pass, in the dtype under test (of complex numbers where the point is complex)."""
        dtype = np.result_type(self.problem.dtype, 1j) if np.iscomplexobj(point) else self.problem.dtype
        out, _ = self.problem.forward(*_split(np.asarray(point, dtype=dtype), self.problem.inputs))
        return np.sum(self.problem.cotangent * out)

    def gradient(self, point: Array) -> Array:
        """Run one forward and one backward pass."""
        inputs = _split(np.asarray(point, dtype=self.problem.dtype), self.problem.inputs)
        _, cache = self.problem.forward(*inputs)
        return _flat(self.problem.backward(self.problem.cotangent, cache))
