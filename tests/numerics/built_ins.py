"""Built-in layers as functionals, with what refuses complex numbers and what counts, and their exact gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pkgutil import resolve_name
from typing import Any

import numpy as np

from gradverify.layers.registry import LAYERS
from gradverify.numerics.comparison import Bounds
from gradverify.numerics.engine import Effort, Finding, examine
from gradverify.numerics.error_bar import rounding_floor
from gradverify.numerics.functional import Functional
from gradverify.numerics.sampling import cotangent


def behind_cotangents(function: Callable[..., Any], seed: int = 0, **inputs: Any) -> Functional:
    """Return ``function(*inputs)`` behind random cotangents; it may return one array or a tuple."""

    def evaluate(values: Mapping[str, Any]) -> tuple[Any, ...]:
        result = function(*values.values())
        return tuple(np.array(part) for part in (result if isinstance(result, tuple) else (result,)))

    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    base = evaluate(arrays)
    random = np.random.default_rng([seed, 31])
    return Functional(evaluate, arrays, tuple(cotangent(output.shape, random) for output in base), base)


def refusing_complex(subject: Functional) -> Functional:
    """Return the functional of code that raises on complex numbers."""

    def evaluate(inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        if any(np.iscomplexobj(value) for value in inputs.values()):
            raise TypeError("complex numbers are not supported")
        return subject.evaluate(inputs)

    return replace(subject, evaluate=evaluate)


# Whether code carries complex steps, by the name of a test.
CODE = {"complex-safe": lambda subject: subject, "complex refused": refusing_complex}


@dataclass
class Counter:
    """Counts forward passes."""

    passes: int = 0

    def watching(self, subject: Functional) -> Functional:
        def evaluate(inputs: Mapping[str, Any]) -> tuple[Any, ...]:
            self.passes += 1
            return subject.evaluate(inputs)

        return replace(subject, evaluate=evaluate)


@dataclass(frozen=True)
class BuiltIn:
    """A layer of the registry with shapes and parameters."""

    layer: str
    shapes: dict[str, tuple[int, ...]]
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        shapes = ",".join("x".join(map(str, shape)) or "scalar" for shape in self.shapes.values())
        return " ".join([self.layer, shapes, *(f"{key}={value}" for key, value in self.params.items())])

    @property
    def differentiable(self) -> tuple[str, ...]:
        return tuple(role.name for role in LAYERS[self.layer].inputs if role.classes is None)

    def functional(self, seed: int = 0, mean: float = 0.0) -> Functional:
        """Return the layer behind random cotangents, at x of a mean and with spread 1."""
        random, inputs = np.random.default_rng([seed, 32]), {}
        for role in LAYERS[self.layer].inputs:
            shape = self.shapes[role.name]
            if role.classes is None:
                inputs[role.name] = random.normal(mean if role.name == "x" else 0.0, 1.0, shape)
            else:
                inputs[role.name] = random.integers(0, self.shapes["x"][1], shape)
        forward = self._function("forward")
        return behind_cotangents(lambda *values: forward(*values, **self.params)[0], seed, **inputs)

    def gradients(self, subject: Functional, dtype: Any = np.float64) -> dict[str, np.ndarray]:
        """Return the hand-derived gradients, evaluated in a precision."""
        inputs = {
            name: value.astype(dtype) if value.dtype.kind == "f" else value for name, value in subject.inputs.items()
        }
        _, cache = self._function("forward")(*inputs.values(), **self.params)
        found = self._function("backward")(subject.cotangents[0].astype(dtype), cache)
        return dict(zip(self.differentiable, map(np.asarray, found), strict=True))

    def _function(self, which: str) -> Any:
        row = LAYERS[self.layer]
        return resolve_name(
            getattr(next(item for item in row.implementations if item.name == row.fast), which),
        )


def efforts(subject: Functional, names: Any, method: str = "auto", *, seed: int = 0, **options: Any) -> Any:
    """Return the tolerances of float64 and the floor that a case would have."""
    floors = {name: rounding_floor(subject, name, np.dtype(np.float64)) for name in names}
    return {
        name: Effort(Bounds(1e-6, 1e-9, floor), np.random.default_rng([seed, 33, place]), method=method, **options)
        for place, (name, floor) in enumerate(floors.items())
    }


def found(subject: Functional, analytic: Mapping[str, Any], method: str = "auto", **options: Any) -> dict[str, Finding]:
    """Return the engine's findings by input."""
    efforts_of = efforts(subject, analytic, method, **options)
    return dict(zip(analytic, examine(subject, analytic, efforts_of), strict=True))
