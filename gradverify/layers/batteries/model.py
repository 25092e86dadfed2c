"""What a battery is: a curated set of cases at the edges where hand-written layers break. No numpy, no YAML."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gradverify.layers.registry import LAYERS, Kind, with_defaults

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from gradverify.layers.registry import Parameter

__all__ = ["Battery", "Row"]

# What stands behind the name of a pair for its vertical and its horizontal value: stride_h, stride_w.
_HALVES = ("_h", "_w")
_PAIRS = {Kind.EXTENT, Kind.PADDING}
# What else stands for a parameter.
_OTHER_NAMES = {"p": ("drop",), "mode": ("training",)}
_KERNEL = ("HH", "WW")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case of a battery.

    Attributes
    ----------
    name
        Part of the case's id.
    reason
        Why the case is there, in words: what goes wrong here.
    lengths
        Lengths of axes, where they differ from the battery's.
    values
        Parameters, where they differ from the battery's: what the row is about.
    usual
        Parameters as people set them most, where the layer is told of them, lest they be why a row fails.
    data
        How inputs are filled, where it differs from the battery's; as an input of a spec.
    axes
        Symbols of the axes of inputs, where they differ from the battery's.
    promised
        Whether every layer of this kind promises it. Of a row that is not promised, a forward pass that raises is taken
        as a refusal.
    asked
        Whether the row runs only where the spec asks for it by name.
    kinks
        Whether the data lie at kinks, where more than one gradient is right: a reference then speaks of outputs only.
    checks
        What is checked, where it is not everything.
    """

    name: str
    reason: str
    lengths: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    promised: bool = True
    asked: bool = False
    kinks: bool = False
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """The cases for one kind of layer.

    Attributes
    ----------
    layer
        Name of the built-in layer of this kind.
    axes
        Symbols for the axes of every input.
    lengths
        Length of every symbol.
    values
        Parameters that differ from the layer's defaults, or have none.
    data
        How inputs are filled where it is not a standard normal.
    rows
        The cases, in the order in which they run.
    """

    layer: str
    axes: Mapping[str, tuple[str, ...]]
    lengths: Mapping[str, int]
    rows: tuple[Row, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters of the layer."""
        return LAYERS[self.layer].parameters

    @property
    def fed(self) -> tuple[str, ...]:
        """Names of the inputs that are no parameters of an object: the data, and labels."""
        labels = {item.name for item in LAYERS[self.layer].inputs if item.classes is not None}
        first = next(iter(self.axes))
        return tuple(name for name in self.axes if name == first or name in labels)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that stands for something of a row."""
        return tuple(self.meanings(self.rows[0], {}))

    def axes_of(self, row: Row, name: str) -> tuple[str, ...]:
        """Return the symbols of an input's axes in a row."""
        return row.axes.get(name, self.axes[name])

    def lengths_of(self, row: Row) -> dict[str, int]:
        """Return the length of every symbol in a row."""
        return {**self.lengths, **row.lengths}

    def onehot_axes(self, name: str) -> tuple[str, ...]:
        """Return the symbols of labels as rows of zeros and a one; none for other inputs."""
        classes = next(item.classes for item in LAYERS[self.layer].inputs if item.name == name)
        return () if classes is None else (*self.axes[name], classes)

    def shape_of(self, row: Row, name: str) -> tuple[int, ...]:
        """Return the shape of an input in a row."""
        lengths = self.lengths_of(row)
        return tuple(lengths[axis] for axis in self.axes_of(row, name))

    def data_of(self, row: Row, name: str) -> dict[str, Any]:
        """Return how an input is filled in a row, as an input of a spec without its shape."""
        classes = next(item.classes for item in LAYERS[self.layer].inputs if item.name == name)
        labels = {} if classes is None else {"init": "integers", "high": self.lengths_of(row)[classes]}
        return dict(row.data.get(name, self.data.get(name, labels)))

    def values_of(self, row: Row, pinned: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of every parameter in a row, defaults included.

        Parameters
        ----------
        row
            A row of this battery.
        pinned
            Parameters that have one value in all rows that say nothing else.
        """
        return with_defaults(LAYERS[self.layer], {**self.values, **pinned, **row.values})

    def meanings(self, row: Row, pinned: Mapping[str, Any]) -> dict[str, Any]:
        """Return what every name stands for in a row.

        Parameters; ``stride_h`` and ``stride_w``, the halves of pairs; ``drop``, the fraction that a dropout does not
        keep; ``training``, the mode as a truth value; lengths; ``kernel_size``, one name for both lengths of a kernel.
        """
        found: dict[str, Any] = {}
        values = self.values_of(row, pinned)
        for item in self.parameters:
            value = values[item.name]
            found[item.name] = value
            parts = value if isinstance(value, list) else (value, value)
            found.update(zip(_halves(item), parts, strict=False))
        if "p" in values:
            found["drop"] = 1 - values["p"]
        if "mode" in values:
            found["training"] = values["mode"] == "train"
        lengths = self.lengths_of(row)
        if _KERNEL[0] in lengths:
            found["kernel_size"] = lengths["HH"] if lengths["HH"] == lengths["WW"] else [lengths["HH"], lengths["WW"]]
        return {**found, **lengths}

    def covers(self, row: Row, mapped: Container[str], pinned: Mapping[str, Any], inputs: Container[str]) -> bool:
        """Return whether a row asks nothing of a layer but what it is told about.

        Parameters
        ----------
        row
            A row of this battery.
        mapped
            Names that stand for something of a row somewhere in the case.
        pinned
            Parameters that have one value in the whole case.
        inputs
            Inputs that the case has; the others are made by an object, from the lengths that it is told.
        """
        return self._covers_values(row, mapped, pinned) and self._covers_lengths(row, mapped, inputs)

    def with_usual(self, row: Row, mapped: Container[str], pinned: Container[str]) -> Row:
        """Return a row with the usual values of the parameters that the layer is told of."""
        told = {
            name: value for name, value in row.usual.items() if name not in pinned and self._told(name, value, mapped)
        }
        return replace(row, values={**told, **row.values}, usual={})

    def names_of(self, item: Parameter) -> set[str]:
        """Return every name that stands for a parameter or a part of it."""
        return {item.name, *_OTHER_NAMES.get(item.name, ()), *_halves(item)}

    def _told(self, name: str, value: Any, mapped: Container[str]) -> bool:
        """Return whether a layer is told a value, whole or in parts."""
        parts = _halves(next(item for item in self.parameters if item.name == name))
        if parts and all(part in mapped for part in parts):
            return True
        return not isinstance(value, list) and any(other in mapped for other in (name, *_OTHER_NAMES.get(name, ())))

    def _covers_values(self, row: Row, mapped: Container[str], pinned: Mapping[str, Any]) -> bool:
        for name, value in row.values.items():
            others = {other: told for other, told in row.values.items() if other != name}
            default = self.values_of(replace(row, values=others), pinned)[name]
            if value != default and not self._told(name, value, mapped):
                return False
        return True

    def _covers_lengths(self, row: Row, mapped: Container[str], inputs: Container[str]) -> bool:
        made = {axis for name in self.axes if name not in inputs for axis in self.axes_of(row, name)}
        lengths = self.lengths_of(row)
        named = [name for name in ("kernel_size", *_KERNEL) if name in mapped]
        square = lengths.get("HH") == lengths.get("WW")
        if named and square:
            made -= set(_KERNEL)
        elif len(named) == 1:
            return False  # one number for a kernel: it is square
        return all(axis in mapped or lengths[axis] == self.lengths.get(axis) for axis in made)


def _halves(item: Parameter) -> tuple[str, ...]:
    """Return the names of the vertical and the horizontal value of a parameter whose values may be pairs."""
    return tuple(item.name + half for half in _HALVES) if item.kind in _PAIRS else ()
