"""Which inputs of a case stand for those of a battery, and how their axes lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradverify.errors import nearest_name
from gradverify.problems import ProblemKind
from gradverify.spec.counterparts import Arrangement
from gradverify.spec.nodes import MappingNode, Node, Problems, ScalarNode, SequenceNode
from gradverify.spec.placeholders import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.layers.batteries.model import Battery, Row

__all__ = ["PlacedInput", "place_inputs"]


@dataclass(frozen=True, slots=True)
class PlacedInput:
    """An input of a case that stands for one of a battery.

    Attributes
    ----------
    name, stands_for
        The case's name for it, and the battery's.
    axes
        The battery's symbols in the order of the case, with 1 for axes of the case's own; ``None``: as in the battery.
    own
        What else the case says of the input: how it is filled, say.
    """

    name: str
    stands_for: str
    axes: tuple[str | int, ...] | None = None
    own: dict[str, Any] = field(default_factory=dict)

    def fits(self, battery: Battery, row: Row) -> bool:
        """Return whether the axes that the case names are those of a row, and no data are written out for others."""
        usual = battery.axes[self.stands_for]
        as_usual = battery.axes_of(row, self.stands_for) == usual
        return self.axes is None or (
            as_usual and (self.axes == usual or "values" not in row.data.get(self.stands_for, {}))
        )

    def at(self, battery: Battery, row: Row) -> dict[str, Any]:
        """Return the input at a row, as a spec says it."""
        data = battery.data_of(row, self.stands_for)
        if self.axes is not None and self.axes == battery.onehot_axes(self.stands_for):
            data = {"init": "onehot"}
        data |= self.own
        if "values" in data and not self.own:
            return data
        data.pop("values", None)
        lengths = battery.lengths_of(row)
        if self.axes is None:
            return {"shape": list(battery.shape_of(row, self.stands_for)), **data}
        return {"shape": [lengths[axis] if isinstance(axis, str) else axis for axis in self.axes], **data}

    def symbols(self, battery: Battery, row: Row) -> tuple[str | None, ...]:
        """Return the symbols of the axes as they lie; ``None`` for an axis of the case's own."""
        axes = battery.axes_of(row, self.stands_for) if self.axes is None else self.axes
        return tuple(axis if isinstance(axis, str) else None for axis in axes)

    def arrangement(self, battery: Battery, row: Row) -> Arrangement | None:
        """Return how the input lies beside that of the built-in layer, or ``None`` where both lie alike."""
        usual = battery.axes_of(row, self.stands_for)
        if self.axes is None or self.axes in {usual, battery.onehot_axes(self.stands_for)}:
            return None
        kept = [axis for axis in self.axes if isinstance(axis, str)]
        lengths = battery.lengths_of(row)
        return Arrangement(tuple(kept.index(axis) for axis in usual), tuple(lengths[axis] for axis in kept))


def place_inputs(case: MappingNode, battery: Battery, problems: Problems) -> tuple[PlacedInput, ...]:
    """Return the inputs of a case that stand for those of its battery.

    Where the case has no inputs: all of the battery's for functions; for an object, whose parameters are its own, the
    data, the labels, and those that it says are parameters.
    """
    given = case.get("inputs")
    if not isinstance(given, MappingNode):
        return tuple(PlacedInput(name, name) for name in battery.axes if name in _taken(case, battery))
    found: list[PlacedInput] = []
    for key, value in given.entries:
        found.extend(_placed(key.text, value, battery, [item.stands_for for item in found], problems))
    return tuple(found)


def _taken(case: MappingNode, battery: Battery) -> tuple[str, ...]:
    section = case.get("object") or case.get("torch")
    if case.get("object") is None and not _makes_a_module(section):
        return tuple(battery.axes)
    parameters = section.get("parameters") if isinstance(section, MappingNode) else None
    named = tuple(key.text for key, _ in parameters.entries) if isinstance(parameters, MappingNode) else ()
    return (*battery.fed, *named)


def _makes_a_module(section: Node | None) -> bool:
    """Return whether a torch target is called to make a module, as far as the spec tells."""
    call = section.get("call") if isinstance(section, MappingNode) else section
    return isinstance(call, ScalarNode) and "(" in call.text


def _placed(name: str, node: Node, battery: Battery, taken: list[str], problems: Problems) -> Iterator[PlacedInput]:
    """Yield the input where it stands for one of the battery's; others are the case's own."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value.startswith("$"):
        if node.value[1:] in battery.axes:
            yield PlacedInput(name, node.value[1:])
        else:
            hint = nearest_name(node.value[1:], tuple(battery.axes))
            message = f"'{node.value}' is no input of the {battery.layer} battery, {hint}"
            problems.add(node.position, message, ProblemKind.UNKNOWN_NAME)
        return
    shape = node.get("shape") if isinstance(node, MappingNode) else node
    if not isinstance(shape, SequenceNode) or not any(_is_symbol(item) for item in shape.items):
        return
    axes = tuple(_axis(item) for item in shape.items)
    symbols = sorted(axis for axis in axes if isinstance(axis, str))
    alike = [known for known, usual in battery.axes.items() if sorted(usual) == symbols]
    alike += [known for known in battery.axes if battery.onehot_axes(known) == axes]
    chosen = name if name in alike else next((known for known in alike if known not in taken), None)
    if chosen is None or any(axis != 1 for axis in axes if not isinstance(axis, str)):
        listed = ", ".join(
            f"{known} [{', '.join('$' + axis for axis in usual)}]" for known, usual in battery.axes.items()
        )
        problems.add(
            shape.position,
            f"these are the axes of no input of the {battery.layer} battery, expected those of {listed} in any order, "
            "with 1 between them",
        )
        return
    own = (
        {key.text: plain(value) for key, value in node.entries if key.text != "shape"}
        if isinstance(node, MappingNode)
        else {}
    )
    yield PlacedInput(name, chosen, axes, own)


def _is_symbol(node: Node) -> bool:
    return isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value.startswith("$")


def _axis(node: Node) -> str | int:
    """Return a symbol without its sign, or a length; 0 for what is neither."""
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return node.value.removeprefix("$")
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, int) else 0
