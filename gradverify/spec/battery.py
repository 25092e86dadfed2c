"""A case with a battery becomes a case for each of its rows: ``$stride`` and the like get the row's values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gradverify.errors import nearest_name
from gradverify.layers.batteries import battery_of
from gradverify.layers.registry import LAYERS
from gradverify.problems import ProblemKind
from gradverify.spec.aliases import parameter_called
from gradverify.spec.battery_inputs import place_inputs
from gradverify.spec.counterparts import Arrangement, Counterpart
from gradverify.spec.language import BATTERY, CASE, PARAMETER_RULES
from gradverify.spec.nodes import (
    MappingNode,
    Node,
    Position,
    Problems,
    ScalarNode,
    kind_of,
    node_of,
    position_of,
    shortened,
    text_node,
)
from gradverify.spec.placeholders import leaves, names_in, plain, substituted
from gradverify.spec.sweeping import is_within
from gradverify.spec.target_model import LayerTarget
from gradverify.spec.target_rules import TARGET_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.layers.batteries.model import Battery, Row
    from gradverify.layers.registry import Parameter

__all__ = ["PlacedRow", "placed_rows"]

# Keys of a case in which names stand for the row's values.
_SUBSTITUTED = ("params", "scale", "reference", *TARGET_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedRow:
    """A row of a battery in a case.

    Attributes
    ----------
    layer, row
        Which row of which battery.
    set_by_row
        Paths of the case's parameters that the row sets.
    lengths
        Length of every symbol.
    axes
        By the case's inputs, the symbols of their axes; ``None`` for an axis of the case's own.
    kind
        The built-in layer, on the inputs of the case.
    """

    layer: str
    row: Row
    set_by_row: tuple[str, ...]
    lengths: Mapping[str, int]
    axes: Mapping[str, tuple[str | None, ...]]
    kind: Counterpart


def placed_rows(case: MappingNode, problems: Problems) -> Iterator[tuple[MappingNode, PlacedRow]]:
    """Yield a case with a battery at every row that asks nothing of it but what it is told about.

    Parameters
    ----------
    case
        The case in the file.
    problems
        Receives what is wrong with its battery; then it has no rows.
    """
    before = len(problems.found)
    asked = _asked(case, problems)
    if asked is not None:
        reader = _Case(case, asked, problems)
        reader.check()
    if asked is None or len(problems.found) > before:
        CASE.read_others(case, (*_SUBSTITUTED, "battery", "inputs"), problems)  # what needs no row to be read
        return
    chosen = [row for row in map(reader.with_usual, asked.rows) if reader.covers(row)]
    if not chosen:
        names = ", ".join(f"${name}" for name in reader.names if not name.endswith(("_h", "_w")))
        message = f"no row of the battery fits what the case fixes, expected names in the place of values: {names}"
        problems.add(position_of(case, "battery"), message)
    for row in chosen:
        yield reader.at(row)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a case asks for: which rows of which battery, and the parameters of the layer that it says are fixed."""

    battery: Battery
    rows: tuple[Row, ...]
    fixed: Mapping[str, Any]


def _asked(case: MappingNode, problems: Problems) -> _Asked | None:
    node = case.get("battery")
    assert node is not None  # noqa: S101  callers know
    before = len(problems.found)
    read = BATTERY.read(node, problems)
    if len(problems.found) > before:
        return None
    section = read if isinstance(read, dict) else {"layer": read}
    battery = battery_of(section["layer"])
    known = {row.name: row for row in battery.rows}
    for key in ("rows", "without", "also"):
        for name in section.get(key, ()):
            if name not in known:
                message = f"'{name}' is no row of the {battery.layer} battery, {nearest_name(name, tuple(known))}"
                problems.add(_within(node, key), message, ProblemKind.UNKNOWN_NAME)
    _check_fixed(node, battery, problems)
    if len(problems.found) > before:
        return None
    usual = {row.name for row in battery.rows if not row.asked}
    names = set(section.get("rows", usual)) - set(section.get("without", ())) | set(section.get("also", ()))
    if not names:
        problems.add(_within(node, "without"), "rows, without and also leave no row, expected one at least")
        return None
    return _Asked(battery, tuple(row for row in battery.rows if row.name in names), section.get("fixed", {}))


def _check_fixed(node: Node, battery: Battery, problems: Problems) -> None:
    """Check that what is fixed are parameters of the layer, with values that they can have."""
    fixed = node.get("fixed") if isinstance(node, MappingNode) else None
    known = {item.name: item for item in battery.parameters}
    for key, value in fixed.entries if isinstance(fixed, MappingNode) else ():
        if key.text in known:
            PARAMETER_RULES[known[key.text].kind].read(value, problems)
        else:
            hint = nearest_name(key.text, tuple(known))
            message = f"'{key.text}' is not a parameter of {battery.layer}, {hint}"
            problems.add(key.position, message, ProblemKind.UNKNOWN_NAME)


class _Case:
    """A case with a battery.

    Parameters
    ----------
    node
        The case in the file.
    asked
        What it asks for.
    problems
        Receives what is wrong with it.
    """

    def __init__(self, node: MappingNode, asked: _Asked, problems: Problems) -> None:
        self.node = node
        self.battery = battery = asked.battery
        self.fixed = asked.fixed
        self.problems = problems
        self.built_in = node.get("layer") is not None
        self.names = battery.names
        self.inputs = place_inputs(node, battery, problems)
        written = [item for key, item in node.entries if key.text in _SUBSTITUTED]
        self.named = frozenset(name for item in written for name, _ in names_in(item))
        self.mapped = set(self.named)
        pinned, paths = self._parameters()
        self.pinned = {**pinned, **self.fixed}
        self.paths = tuple(item.name for item in battery.parameters) if self.built_in else paths
        if self.built_in:
            told = (battery.names_of(item) for item in battery.parameters if item.name in self.pinned)
            self.mapped |= {*self.names}.difference(*told)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Parameters of the layer of which the case says nothing."""
        return tuple(
            item.name
            for item in self.battery.parameters
            if item.name not in self.pinned and not self.battery.names_of(item).intersection(self.mapped)
        )

    def check(self) -> None:
        """Record every name that stands for nothing, and every sweep over what the rows set."""
        for key, item in self.node.entries:
            for name, place in names_in(item) if key.text in _SUBSTITUTED else ():
                if name not in self.names:
                    hint = nearest_name(name, self.names)
                    message = f"'${name}' is no name of the {self.battery.layer} battery, {hint}"
                    self.problems.add(place, message, ProblemKind.UNKNOWN_NAME)
        sweep = self.node.get("sweep")
        for key, _ in sweep.entries if isinstance(sweep, MappingNode) else ():
            if is_within(key.text, self.paths):
                self.problems.add(key.position, f"'{key.text}' is set by the battery, expected no sweep over it")
        for parameter in self.battery.parameters:
            if parameter.name in self.fixed and self.battery.names_of(parameter) & self.named:
                message = f"{parameter.name} is fixed and set by the rows, expected one of both"
                self.problems.add(position_of(self.node, "battery"), message)
        layer = self.node.get("layer")
        if isinstance(layer, ScalarNode) and layer.value != self.battery.layer:
            wanted = f"expected battery: {shortened(layer.text)}"
            self.problems.add(position_of(self.node, "battery"), f"the battery is of {self.battery.layer}, {wanted}")

    def _parameters(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return parameters of the layer that the case fixes, and the paths of those and of what the rows set."""
        own = {item.name: item for item in self.battery.parameters}
        pinned: dict[str, Any] = {}
        paths = []
        for path, value in leaves(self.node.get("params")):
            name = parameter_called(path, tuple(own))
            if any(True for _ in names_in(value)):
                paths.append(path)
            elif name is not None:
                paths.append(path)
                if name not in self.fixed:  # which says what it is, whatever stands here
                    self._pin(pinned, own[name], value, path)
        return pinned, tuple(paths)

    def _pin(self, pinned: dict[str, Any], item: Parameter, value: Node, path: str) -> None:
        """Record what a parameter is in all rows, where its value tells, and no other parameter goes by its name."""
        unread = Problems(self.problems.file)
        PARAMETER_RULES[item.kind].read(value, unread)
        known = f"{item.name} of {self.battery.layer}"
        advice = f"expected battery: {{layer: {self.battery.layer}, fixed: {{{item.name}: ...}}}}"
        if unread:
            self.problems.add(value.position, f"{kind_of(value)} is no {known}, {advice}")
        elif item.name in pinned:
            self.problems.add(value.position, f"'{path}' is another {known}, {advice}")
        pinned[item.name] = plain(value)

    def with_usual(self, row: Row) -> Row:
        """Return a row with the usual values of what the case maps."""
        return self.battery.with_usual(row, self.mapped, self.pinned)

    def covers(self, row: Row) -> bool:
        """Return whether the case can be run at a row."""
        inputs = {item.stands_for for item in self.inputs}
        fits = all(item.fits(self.battery, row) for item in self.inputs)
        return fits and self.battery.covers(row, self.mapped, self.pinned, inputs)

    def at(self, row: Row) -> tuple[MappingNode, PlacedRow]:
        """Return the case at a row."""
        meanings = self.battery.meanings(row, self.pinned)
        entries = [
            (key, self._entry(key.text, item, meanings)) for key, item in self.node.entries if key.text != "battery"
        ]
        entries = [(key, item) for key, item in entries if key.text != "inputs"]
        place = position_of(self.node, "battery")
        entries.append((text_node("inputs", position_of(self.node, "inputs")), self._inputs_at(row)))
        if row.checks and self.node.get("checks") is None:
            entries.append((text_node("checks", place), node_of(list(row.checks), place)))
        if self.built_in:
            entries = [(key, item) for key, item in entries if key.text != "params"]
            entries.append((text_node("params", place), node_of(self.battery.values_of(row, self.pinned), place)))
        elif self.node.get("geometry") is None:
            entries += [(text_node("geometry", place), node_of(roles, place)) for roles in self._windows(row)]
        kind = Counterpart(
            name=self.battery.layer,
            target=LayerTarget(self.battery.layer, LAYERS[self.battery.layer].fast),
            params=self.battery.values_of(row, self.pinned),
            unmapped=self.unmapped,
            inputs={item.stands_for: item.name for item in self.inputs},
            arrangements=self._arrangements(row),
            output=self._output(row),
        )
        placed = PlacedRow(
            layer=self.battery.layer,
            row=row,
            set_by_row=self.paths,
            lengths=self.battery.lengths_of(row),
            axes={item.name: item.symbols(self.battery, row) for item in self.inputs},
            kind=kind,
        )
        return replace(self.node, entries=tuple(entries)), placed

    def _entry(self, name: str, item: Node, meanings: Mapping[str, Any]) -> Node:
        return substituted(item, meanings) if name in _SUBSTITUTED else item

    def _inputs_at(self, row: Row) -> Node:
        """Return the inputs of the case at a row: those of the battery, and those that are the case's own."""
        given = self.node.get("inputs")
        stand = {item.name: item for item in self.inputs}
        if not isinstance(given, MappingNode):
            place = position_of(self.node, "battery")
            return MappingNode(
                tuple(
                    (text_node(name, place), node_of(item.at(self.battery, row), place)) for name, item in stand.items()
                ),
                place,
            )
        entries = tuple(
            (key, node_of(stand[key.text].at(self.battery, row), key.position) if key.text in stand else item)
            for key, item in given.entries
        )
        return MappingNode(entries, given.position)

    def _arrangements(self, row: Row) -> dict[str, Arrangement]:
        found = {item.stands_for: item.arrangement(self.battery, row) for item in self.inputs}
        return {name: arrangement for name, arrangement in found.items() if arrangement is not None}

    def _output(self, row: Row) -> tuple[int, ...] | None:
        """Return the order of the output's axes, which is that of the first input's."""
        first = next((item for item in self.inputs if item.stands_for in self.battery.fed), None)
        arrangement = None if first is None else first.arrangement(self.battery, row)
        return None if arrangement is None else arrangement.order

    def _windows(self, row: Row) -> Iterator[dict[str, Any]]:
        """Yield the roles of the window, in numbers, for windowed layers."""
        first = next((item for item in self.inputs if item.stands_for == next(iter(self.battery.axes))), None)
        if LAYERS[self.battery.layer].window is None or first is None:
            return
        meanings = self.battery.meanings(row, self.pinned)

        def pair(name: str) -> list[Any]:
            value = meanings.get(name, 1)
            return list(value) if isinstance(value, list) else [value, value]

        layout = {} if first.axes is None else {"layout": "".join(str(axis) for axis in first.axes)}
        yield {
            "input": first.name,
            "kernel": pair("kernel_size"),
            "stride": pair("stride"),
            "padding": pair("padding"),
            "dilation": pair("dilation"),
            **layout,
        }


def _within(node: Node, name: str) -> Position:
    inner = node.get(name) if isinstance(node, MappingNode) else None
    return node.position if inner is None else inner.position
