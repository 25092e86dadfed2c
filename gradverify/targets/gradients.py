"""Where an object leaves its gradients: in what backward returns, or in attributes named after what they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.targets.attributes import MISSING, Array, arrays_in, find, path_of, root_of, steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.spec.presets import Preset

__all__ = [
    "RETURNED",
    "Place",
    "Seen",
    "only_of_shape",
    "partner",
    "place_of_input",
    "place_of_parameter",
    "returned_entry",
    "unwritten",
]

# Root of paths into what backward returned.
RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gradient is: at a path of the object or of what backward returned, or taken off the value there.

    Attributes
    ----------
    path
        Begins with ``returned`` where backward returned it.
    rate
        The rate, or the name of the parameter that holds it, at which it was taken off.
    """

    path: str
    rate: str | float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One forward and backward pass of an object.

    Attributes
    ----------
    layer
        After backward.
    returned
        What backward returned.
    inputs
        Inputs of forward that have a gradient, in order.
    parameters
        Names of the other inputs that have one, in order.
    written
        Arrays that backward left in the object, by path: those that are new or hold other values.
    """

    layer: Any
    returned: Any
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    preset: Preset
    written: Mapping[str, Array]

    def at(self, path: str) -> Any:
        """Return what is at a path of the object, or, below ``returned``, of what backward returned."""
        root, *rest = steps(path)
        if root == RETURNED:
            return find(self.returned, path_of(*rest))
        return find(self.layer, path)

    def held(self, places: Mapping[str, Place]) -> tuple[Array, ...]:
        """Return the arrays at some places."""
        return tuple(array for place in places.values() for _, array in arrays_in(self.at(place.path)))

    def holds(self, path: str) -> bool:
        """Return whether there is something at a path."""
        found = self.at(path)
        return found is not MISSING and found is not None


def place_of_input(name: str, shape: tuple[int, ...], seen: Seen) -> Place | None:
    """Return where the gradient of an input of forward is, or ``None``.

    Parameters
    ----------
    name, shape
        Of the input.
    seen
        What is there to look at.
    """
    number = seen.inputs.index(name)
    returned = seen.returned
    if len(seen.inputs) == 1 and isinstance(returned, (tuple, list)) and _stacks_to(shape, returned):
        return Place(RETURNED)
    if isinstance(returned, dict):
        return returned_entry((name,), seen)
    if isinstance(returned, (tuple, list)) and not _is_array(returned):
        if number < len(returned) and returned[number] is not None and not isinstance(returned[number], (dict, list)):
            return Place(f"{RETURNED}[{number}]")
    elif returned is not None and len(seen.inputs) == 1 and not isinstance(returned, (str, bool)):
        return Place(RETURNED)
    own = _sibling(seen.layer, "", name, seen.preset)
    listed = (path for path in seen.preset.input_gradients if number == 0 and seen.holds(path))
    path = own or next(listed, None) or only_of_shape(shape, seen, set())
    return None if path is None else Place(path)


def _stacks_to(shape: tuple[int, ...], values: tuple[Any, ...] | list[Any]) -> bool:
    """Return whether several arrays are one of a shape, a slice each: a gradient for every step in time, say."""
    return len(shape) > 1 and len(values) == shape[0] and all(np.shape(value) == shape[1:] for value in values)


def only_of_shape(shape: tuple[int, ...], seen: Seen, taken: set[str]) -> str | None:
    """Return the path of the only array of a shape that backward wrote, or ``None`` where there is none or a choice."""
    found = {root_of(value): path for path, value in seen.written.items() if value.shape == shape and path not in taken}
    return next(iter(found.values())) if len(found) == 1 else None


def _is_array(value: Any) -> bool:
    """Return whether nested lists hold numbers all through: then they are one gradient."""
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, (int, float, np.number))


def place_of_parameter(name: str, path: str | None, seen: Seen) -> Place | None:
    """Return where the gradient of a parameter is, or ``None``.

    Parameters
    ----------
    name
        Of the input that stands for it.
    path
        Where the object keeps it, where that is known.
    seen
        What is there to look at.
    """
    names = (name, *(() if path is None else (steps(path)[-1],)))
    return (
        returned_entry(names, seen)
        or _returned_item(name, seen)
        or (None if path is None else partner(path, seen))
        or _anywhere(names, seen)
    )


def returned_entry(names: tuple[str, ...], seen: Seen) -> Place | None:
    """Look into the dictionaries that backward returned."""
    if isinstance(seen.returned, dict):
        return _entry(RETURNED, seen.returned, names, seen.preset)
    for number, item in enumerate(seen.returned) if isinstance(seen.returned, (tuple, list)) else ():
        if isinstance(item, dict):
            return _entry(f"{RETURNED}[{number}]", item, names, seen.preset)
    return None


def _entry(root: str, table: Mapping[Any, Any], names: tuple[str, ...], preset: Preset) -> Place | None:
    for name in names:
        for key in _forms(name, preset):
            if table.get(key) is not None:
                return Place(f"{root}['{key}']")
    return None


def _returned_item(name: str, seen: Seen) -> Place | None:
    """Look into lists and tuples that backward returned: one gradient for each parameter, in their order."""
    items = seen.returned
    if not isinstance(items, (tuple, list)) or name not in seen.parameters:
        return None
    number, count = seen.parameters.index(name), len(seen.parameters)
    rest = len(seen.inputs)
    if len(items) == rest + 1 and isinstance(items[rest], (tuple, list)) and len(items[rest]) == count:
        return Place(f"{RETURNED}[{rest}][{number}]")
    if len(items) == rest + count and not any(isinstance(item, dict) for item in items):
        return Place(f"{RETURNED}[{rest + number}]")
    return None


def partner(path: str, seen: Seen) -> Place | None:
    """Return where the gradient of what is at a path is, by the names that people give it."""
    *way, last = steps(path)
    parent = path_of(*way)
    own = next((f"{path}.{name}" for _, name in seen.preset.arrays if _carries(seen, path, name)), None)
    beside = _sibling(find(seen.layer, parent), parent, last, seen.preset)
    found = own or beside or _counterpart(way, last, seen) or _second(path, way, last, seen)
    return None if found is None else Place(found)


def unwritten(path: str, seen: Seen) -> Place | None:
    """Return where the gradient of what is at a path should be: an attribute of its name that is still ``None``."""
    *way, name = steps(path)
    holder = find(seen.layer, path_of(*way))
    there = holder if isinstance(holder, dict) else dict.fromkeys(_attributes(holder))
    for form in _forms(name, seen.preset):
        if form != name and name in form and form in there and find(holder, path_of(form)) is None:
            return Place(path_of(*way, form))
    return None


def _carries(seen: Seen, path: str, name: str) -> bool:
    """Return whether an array carries its gradient with it, as an attribute of a class of its own."""
    array = find(seen.layer, path)
    return isinstance(array, np.ndarray) and isinstance(getattr(array, name, None), np.ndarray)


def _sibling(holder: Any, parent: str, name: str, preset: Preset) -> str | None:
    """Return the path of a gradient beside a value: ``dW`` beside ``W``, ``grad`` beside ``data``."""
    if isinstance(holder, (tuple, list)):
        return None
    there = holder if isinstance(holder, dict) else dict.fromkeys(_attributes(holder))
    folded = {str(key).lower(): str(key) for key in there}
    letters = {key.lower() for key in folded.values() if len(key) == 1}
    forms = [form for form in _forms(name, preset) if form != name]
    if len(name) > 1 and name[0].lower() in letters:  # then dw is that of w
        forms = [form for form in forms if name in form]
    forms += [gradient for value, gradient in preset.arrays if value == name]
    value = _within(holder, name)
    for form in forms:
        key = form if form in there else folded.get(form.lower())
        if (
            key is not None
            and key != name
            and _is_gradient(_within(holder, key), value, exact=name.lower() in form.lower())
        ):
            return path_of(*steps(parent), key)
    for container in dict.fromkeys(pair[1] for pair in preset.containers):
        inner = _within(holder, container)
        for form in _forms(name, preset) if isinstance(inner, dict) else ():
            if inner.get(form) is not None:
                return path_of(*steps(parent), container, form)
    return None


def _second(path: str, way: list[str], name: str, seen: Seen) -> str | None:
    """Return the second of a pair of a value and its gradient: the one of two that backward wrote."""
    holder, other = find(seen.layer, path_of(*way)), path_of(*way, "1")
    pair = isinstance(holder, (tuple, list)) and len(holder) == 2 and name == "0"
    if not pair or np.shape(holder[0]) != np.shape(holder[1]) or np.shape(holder[0]) == ():
        return None
    return other if other in seen.written and path not in seen.written else None


def _within(holder: Any, name: str) -> Any:
    found = find(holder, path_of(name))
    return None if found is MISSING else found


def _attributes(holder: Any) -> list[str]:
    return [name for name in dir(holder) if not name.startswith("__")] if hasattr(holder, "__dict__") else []


def _is_gradient(found: Any, value: Any, *, exact: bool) -> bool:
    """Return whether what was found is an array; where only a first letter names it, of the value's shape."""
    if not isinstance(found, (np.ndarray, np.generic, float, list)):
        return False
    return exact or value is None or np.shape(found) == np.shape(value)


def _counterpart(way: list[str], last: str, seen: Seen) -> str | None:
    """Return the path in the container of gradients: ``grads.W`` for ``params.W``, ``grads[0]`` for ``params[0]``."""
    for depth, step in enumerate(way):
        for container in _containers(step, seen.preset):
            for form in _forms(last, seen.preset):
                path = path_of(*way[:depth], container, *way[depth + 1 :], form)
                if seen.holds(path):
                    return path
    return None


def _containers(name: str, preset: Preset) -> Iterator[str]:
    """Yield the names of what holds the gradients of what a container holds."""
    yield from (gradients for values, gradients in preset.containers if values == name)
    if not name.isdigit():
        yield from (form for form in _forms(name, preset) if form != name)


def _anywhere(names: tuple[str, ...], seen: Seen) -> Place | None:
    """Look for an array anywhere in the object whose name is that of the gradient."""
    wanted = {form.lower() for name in names for form in _forms(name, seen.preset) if form != name}
    for path, _ in arrays_in(seen.layer):
        if steps(path)[-1].lower() in wanted:
            return Place(path)
    return None


def _forms(name: str, preset: Preset) -> Iterator[str]:
    """Yield the name itself and the names of its gradient, the full ones before those with its first letter."""
    yield name
    for pattern in preset.gradients:
        yield pattern.format(name)
    if len(name) > 1 and name[0].isalpha():
        for letter in (name[0], name[0].upper()):
            yield from (pattern.format(letter) for pattern in preset.gradients if len(pattern) <= 4)
