"""Every built-in with every implementation, on its example and on less tame shapes and parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any

import numpy as np

from gradverify.layers.registry import LAYERS

# Shapes and parameters beyond the registry's example: (shapes, parameters) by layer.
FURTHER: dict[str, list[tuple[dict[str, tuple[int, ...]], dict[str, Any]]]] = {
    "affine": [({"x": (3, 4), "w": (4, 2), "b": (2,)}, {})],
    "relu": [({"x": (2, 3, 4)}, {}), ({"x": ()}, {})],
    "leaky_relu": [({"x": (7,)}, {"negative_slope": 0.2})],
    "sigmoid": [({"x": (2, 1, 3)}, {}), ({"x": ()}, {})],
    "tanh": [({"x": (7,)}, {}), ({"x": ()}, {})],
    "conv2d": [
        ({"x": (1, 2, 6, 5), "w": (3, 2, 2, 3), "b": (3,)}, {"stride": [2, 3], "padding": (1, 2)}),
        ({"x": (2, 1, 6, 7), "w": (1, 1, 2, 3), "b": (1,)}, {"stride": 2, "padding": 3, "dilation": [2, 1]}),
    ],
    "maxpool2d": [
        ({"x": (2, 1, 7, 6)}, {"kernel_size": 3, "stride": 2, "padding": 1}),
        ({"x": (1, 2, 5, 7)}, {"kernel_size": [2, 3], "stride": (3, 2)}),
    ],
    "avgpool2d": [
        ({"x": (2, 1, 7, 6)}, {"kernel_size": 3, "stride": 2, "padding": 1}),
        ({"x": (1, 2, 5, 7)}, {"kernel_size": [2, 3], "stride": (3, 2)}),
    ],
    "batchnorm": [
        ({"x": (4, 3), "gamma": (3,), "beta": (3,)}, {"eps": 0.1, "momentum": 0.5}),
        (
            {"x": (4, 3), "gamma": (3,), "beta": (3,)},
            {"mode": "test", "running_mean": [0.5, -1.0, 2.0], "running_var": [1.0, 0.25, 4.0]},
        ),
    ],
    "spatial_batchnorm": [
        ({"x": (3, 2, 3, 2), "gamma": (2,), "beta": (2,)}, {"mode": "test", "running_mean": 0.5, "running_var": 2}),
    ],
    "layernorm": [({"x": (3, 2, 4), "gamma": (2, 4), "beta": (2, 4)}, {"eps": 1e-3})],
    "groupnorm": [
        ({"x": (3, 6), "gamma": (6,), "beta": (6,)}, {"groups": 2}),
        ({"x": (2, 4, 3), "gamma": (4,), "beta": (4,)}, {"groups": 4}),
        ({"x": (2, 4, 2, 1, 2), "gamma": (4,), "beta": (4,)}, {"groups": 1}),
    ],
    "softmax_loss": [({"x": (1, 3), "y": (1,)}, {}), ({"x": (4, 1), "y": (4,)}, {})],
    "dropout": [({"x": (3, 2, 4)}, {"p": 0.8, "seed": 3}), ({"x": (4, 5)}, {"mode": "test"}), ({"x": ()}, {})],
}


@dataclass(frozen=True)
class Variant:
    """One implementation of one layer, with shapes and parameters."""

    layer: str
    implementation: str
    shapes: dict[str, tuple[int, ...]]
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        shapes = ",".join("x".join(map(str, shape)) or "scalar" for shape in self.shapes.values())
        params = ",".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.layer}-{self.implementation}-{shapes}-{params}"

    @property
    def differentiable(self) -> tuple[str, ...]:
        return tuple(role.name for role in LAYERS[self.layer].inputs if role.classes is None)

    def inputs(self, dtype: Any = np.float64, seed: int = 0) -> dict[str, np.ndarray]:
        """Draw inputs; complex ones have an imaginary part of ordinary size."""
        random = np.random.default_rng(seed)
        drawn: dict[str, np.ndarray] = {}
        for role in LAYERS[self.layer].inputs:
            shape = self.shapes[role.name]
            if role.classes is not None:
                drawn[role.name] = random.integers(0, self.shapes["x"][1], shape)
                continue
            values = np.asarray(random.normal(size=shape))
            if np.issubdtype(dtype, np.complexfloating):
                values = values + 1j * np.asarray(random.normal(size=shape))
            drawn[role.name] = np.asarray(values).astype(dtype)
        return drawn

    def forward(self, inputs: dict[str, np.ndarray]) -> tuple[Any, Any]:
        return self._function("forward")(*inputs.values(), **self.params)

    def backward(self, dout: Any, cache: Any) -> dict[str, np.ndarray]:
        return dict(zip(self.differentiable, self._function("backward")(dout, cache), strict=True))

    def cotangent(self, out: Any) -> np.ndarray:
        """Return a signed cotangent away from zero, in the output's dtype."""
        random = np.random.default_rng(99)
        values = random.uniform(0.5, 1.5, np.shape(out)) * random.choice((-1, 1), np.shape(out))
        return np.asarray(values).astype(np.asarray(out).dtype)

    def _function(self, which: str) -> Any:
        table = {item.name: item for item in LAYERS[self.layer].implementations}
        return resolve_name(getattr(table[self.implementation], which))


def _variants(layer: str) -> list[Variant]:
    row = LAYERS[layer]
    settings = [(row.example, row.example_params or {}), *FURTHER[layer]]
    return [
        Variant(layer, implementation.name, shapes, params)
        for shapes, params in settings
        for implementation in row.implementations
    ]


# A layer that is missing from FURTHER fails here, so that every row of the registry is covered.
VARIANTS = [variant for layer in LAYERS for variant in _variants(layer)]


def arrays_of(value: Any) -> list[np.ndarray]:
    """Return every array in a cache."""
    if isinstance(value, np.ndarray):
        return [value]
    return [array for item in value for array in arrays_of(item)] if isinstance(value, tuple) else []
