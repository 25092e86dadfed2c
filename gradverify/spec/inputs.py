"""Reads the inputs of a case: shapes, inits, literal values and files."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradverify.problems import ProblemKind
from gradverify.spec.language import INTEGER_DTYPES
from gradverify.spec.model import ArrayFile, Fill, InputSpec
from gradverify.spec.nodes import MappingNode, Node, Problems, ScalarNode, SequenceNode, kind_of, shortened

if TYPE_CHECKING:
    from gradverify.layers.registry import LayerInput

__all__ = ["array_file", "read_input"]

# Which numbers say more about an init.
_OPTIONS = {
    Fill.NORMAL: ("mean", "std"),
    Fill.UNIFORM: ("low", "high"),
    Fill.INTEGERS: ("low", "high"),
}
_ALL_OPTIONS = ("mean", "std", "low", "high")
_INTEGER_BOUNDS = {
    "bool": (0, 1),
    "uint8": (0, 2**8 - 1),
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
}


def read_input(
    node: tuple[ScalarNode, Node], value: Any, role: LayerInput | None, folder: str, problems: Problems
) -> InputSpec | None:
    """Return one input, or ``None`` after recording why not.

    Parameters
    ----------
    node
        Key and value in the file.
    value
        What the grammar read: a shape, or a dict of the mapping's valid entries.
    role
        The built-in layer's row for this input, where there is one.
    folder
        Folder of the spec, to which files are relative.
    problems
        Receives what is wrong.
    """
    fields = {"shape": value} if isinstance(value, tuple) else dict(value)
    before = len(problems.found)
    spec = _InputReader(*node, fields, role, problems).read(folder)
    return spec if len(problems.found) == before else None


def array_file(node: Node, reference: str, folder: str, problems: Problems) -> ArrayFile | None:
    """Return the file that ``data.npz:key`` or ``data.npy`` names, or ``None`` after recording that there is none.

    Parameters
    ----------
    node
        Where the reference stands.
    reference
        As written.
    folder
        Folder of the spec, to which files are relative.
    problems
        Receives what is wrong.
    """
    name, key = reference, None
    if not reference.endswith(".npy"):
        name, _, key = reference.rpartition(":")
        if not name.endswith(".npz") or not key:
            message = f"'{shortened(reference)}' names no array, expected data.npz:key or data.npy"
            problems.add(node.position, message)
            return None
    path = Path(folder, name)
    if not os.path.isfile(path):  # noqa: PTH113  false, and no exception, for a name that no file can have
        problems.add(node.position, f"there is no file '{shortened(name)}', expected one relative to the spec")
        return None
    return ArrayFile(str(path), key)


@dataclass(frozen=True, slots=True)
class _InputReader:
    """Reads the parts of one input; each records its own problems."""

    key: ScalarNode
    content: Node
    fields: dict[str, Any]
    role: LayerInput | None
    problems: Problems

    @property
    def labels(self) -> bool:
        """Whether a built-in layer expects labels here."""
        return self.role is not None and self.role.classes is not None

    def read(self, folder: str) -> InputSpec:
        self._check_one_source()
        if "values" in self.fields:
            spec = self._from_values()
        elif "file" in self.fields:
            spec = self._from_file(folder)
        else:
            spec = self._from_shape()
        if spec.fill is Fill.ONEHOT and not spec.shape:
            message = "init: onehot needs a shape, expected its last axis to be the classes"
            self._problem(self.key, message, ProblemKind.MISSING)
        self._check_dtype(spec)
        self._check_nothing_drawn(spec)
        return spec

    def _node(self, name: str) -> Node:
        inner = self.content.get(name) if isinstance(self.content, MappingNode) else None
        return self.content if inner is None else inner

    def _problem(self, place: Node, message: str, kind: ProblemKind = ProblemKind.VALUE) -> None:
        self.problems.add(place.position, message, kind)

    def _spec(self, **more: Any) -> InputSpec:
        """Return the input with what all sources have in common."""
        spec = InputSpec(name=self.key.text, shape=None, grad=self.fields.get("grad"), dtype=self.fields.get("dtype"))
        return replace(spec, **more)

    def _check_one_source(self) -> None:
        names = ("shape", "values", "file")
        given = [name for name in names if name in self.fields]
        written = [name for name in names if isinstance(self.content, MappingNode) and self.content.get(name)]
        if len(given) == 1 or (written and not given):
            return  # one, or one whose own problem is known
        said = " and ".join(f"'{name}'" for name in given) or "no data"
        message = f"input '{self.key.text}' has {said}, expected exactly one of shape, values and file"
        self._problem(self.key, message, ProblemKind.VALUE if given else ProblemKind.MISSING)

    def _from_shape(self) -> InputSpec:
        fill = Fill(self.fields.get("init", Fill.INTEGERS if self.labels else Fill.NORMAL))
        drawn = {"dtype": "int64"} if fill is Fill.INTEGERS and "dtype" not in self.fields else {}
        return self._spec(shape=self.fields.get("shape", ()), fill=fill, options=self._options(fill), **drawn)

    def _options(self, fill: Fill) -> dict[str, float]:
        known = _OPTIONS.get(fill, ())
        options: dict[str, float] = {name: self.fields[name] for name in _ALL_OPTIONS if name in self.fields}
        for name in options:
            if name not in known:
                wanted = f"expected only {' and '.join(known)}" if known else "expected none"
                self._problem(self._node(name), f"'{name}' means nothing to init: {fill}, {wanted}")
        low, high = options.get("low", 0), options.get("high", 1)
        if fill is Fill.INTEGERS:
            self._check_integers(options)
        ranged = fill is Fill.UNIFORM or (fill is Fill.INTEGERS and "high" in options)
        if ranged and not low < high:
            self._problem(self._node("high"), f"high {high} is not above low {low}, expected low < high")
        elif not math.isfinite(high - low):
            self._problem(self._node("high"), f"from {low} to {high} is too far, expected a finite distance")
        return options

    def _check_integers(self, options: dict[str, float]) -> None:
        if "high" not in options and not self.labels:
            message = "init: integers needs 'high', expected the least number not drawn"
            self._problem(self.content, message, ProblemKind.MISSING)
        for name, value in options.items():
            if value != int(value) or abs(value) >= 2**63:
                self._problem(self._node(name), f"{name} is {value}, expected a whole number for init: integers")

    def _from_values(self) -> InputSpec:
        shape = _shape_of(self._node("values"), self.problems)
        values = self.fields["values"]
        integers = "dtype" not in self.fields and _all_integers(values) and (self.role is None or self.labels)
        bounds = _INTEGER_BOUNDS.get(self.fields.get("dtype", "int64" if integers else ""))
        if bounds is not None and shape is not None:
            self._check_whole(self._node("values"), *bounds)
        return self._spec(
            shape=shape or (), fill=Fill.VALUES, values=values, **({"dtype": "int64"} if integers else {})
        )

    def _check_whole(self, node: Node, low: int, high: int) -> None:
        """Record every value that an integer dtype cannot hold."""
        if isinstance(node, SequenceNode):
            for item in node.items:
                self._check_whole(item, low, high)
        elif isinstance(node, ScalarNode) and not (isinstance(node.value, int) and low <= node.value <= high):
            self._problem(node, f"got {kind_of(node)}, expected a whole number from {low} to {high}")

    def _check_nothing_drawn(self, spec: InputSpec) -> None:
        """Record every key that says how data are drawn where they are given."""
        if spec.fill not in {Fill.VALUES, Fill.FILE}:
            return
        for name in ("init", *_ALL_OPTIONS):
            if name in self.fields:
                self._problem(self._node(name), f"'{name}' means nothing to {spec.fill}, expected it beside a shape")

    def _from_file(self, folder: str) -> InputSpec:
        found = array_file(self._node("file"), self.fields["file"], folder, self.problems)
        if found is None:
            return self._spec(shape=None, fill=Fill.FILE)
        return self._spec(shape=None, fill=Fill.FILE, file=found.file, key=found.key)

    def _check_dtype(self, spec: InputSpec) -> None:
        integer = spec.dtype in INTEGER_DTYPES
        if integer and spec.fill in {Fill.NORMAL, Fill.UNIFORM} and "shape" in self.fields:
            wanted = "expected init: integers, ones, zeros or arange"
            self._problem(self.key, f"{spec.dtype} cannot be drawn with init: {spec.fill}, {wanted}")
        if integer and spec.grad:
            message = f"input '{spec.name}' is {spec.dtype}, which has no gradient, expected grad: false"
            self._problem(self.key, message)
        if self.role is None or spec.fill is Fill.FILE:
            return
        if self.labels and not integer:
            self._problem(self.key, f"input '{spec.name}' holds labels, expected integers")
        if not self.labels and integer:
            self._problem(self.key, f"input '{spec.name}' is {spec.dtype}, expected a floating dtype")


def _shape_of(node: Node, problems: Problems) -> tuple[int, ...] | None:
    """Return the shape of nested lists of numbers; they must be rectangular and hold only numbers."""
    if isinstance(node, ScalarNode):
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return ()
        problems.add(node.position, f"got {kind_of(node)}, expected a number")
        return None
    if not isinstance(node, SequenceNode) or not node.items:
        said = "an empty list" if isinstance(node, SequenceNode) else kind_of(node)
        problems.add(node.position, f"got {said}, expected a list of at least one number or list")
        return None
    shapes = [_shape_of(item, problems) for item in node.items]
    for item, shape in zip(node.items, shapes, strict=True):
        if shape is not None and shapes[0] is not None and shape != shapes[0]:
            problems.add(item.position, f"this entry has shape {list(shape)}, expected {list(shapes[0])} as the first")
            return None
    return None if None in shapes else (len(shapes), *(shapes[0] or ()))


def _all_integers(values: Any) -> bool:
    if isinstance(values, list):
        return all(_all_integers(value) for value in values)
    return isinstance(values, int) and not isinstance(values, bool)
