"""Reads what a case verifies, where it is no built-in layer: calls, and the names that they use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradverify.errors import nearest_name
from gradverify.problems import ProblemKind
from gradverify.spec.nodes import MappingNode, Node, Problems, position_of, shortened
from gradverify.spec.target_model import FrameworkTarget, FunctionsTarget, ObjectTarget, ParameterRole, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.spec.calls import Call

__all__ = ["read_target"]

_COTANGENTS = ("dout", *(f"dout{number}" for number in range(2, 10)))
_OUTPUTS = ("out", *(f"out{number}" for number in range(2, 10)))
_BACKWARD = (*_COTANGENTS, *_OUTPUTS, "cache")
_OF_OBJECTS = ("self", "input_shape", "sample_shape", "optimizer")


def read_target(node: MappingNode, values: dict[str, Any], folder: str, problems: Problems) -> Target | None:
    """Return the target of a case, or ``None`` after recording why not.

    Parameters
    ----------
    node
        The case in the file.
    values
        What the grammar read of it.
    folder
        Folder of the spec, to which files are relative.
    problems
        Receives what is wrong.
    """
    for name, reader in (("functions", _functions), ("object", _object), ("torch", _framework), ("jax", _framework)):
        section, read = node.get(name), values.get(name)
        if section is not None and read is not None:
            return reader(_Reader(name, node, section, read, values, folder, problems))
    return None


@dataclass(frozen=True, slots=True)
class _Reader:
    """What the readers of all targets need: the section in the file, what the grammar read, and where to complain."""

    name: str
    case: MappingNode
    node: Node
    read: Any
    values: dict[str, Any]
    folder: str
    problems: Problems

    @property
    def section(self) -> dict[str, Any]:
        """The section's valid entries; a call alone is its only entry."""
        alone = {"object": "class"}.get(self.name, "call")
        return self.read if isinstance(self.read, dict) else {alone: self.read}

    def place(self, key: str) -> Node:
        """Return where a key of the section stands, or the section."""
        inner = self.node.get(key) if isinstance(self.node, MappingNode) else None
        return self.node if inner is None else inner

    def written(self, key: str) -> bool:
        """Return whether a key stands in the section, its value right or wrong."""
        return isinstance(self.node, MappingNode) and self.node.get(key) is not None

    def problem(self, key: str, message: str, kind: ProblemKind = ProblemKind.VALUE) -> None:
        """Record what is wrong with a key."""
        self.problems.add(self.place(key).position, message, kind)

    def unknown(self, key: str, message: str) -> None:
        """Record that a key names what there is not."""
        self.problem(key, message, ProblemKind.UNKNOWN_NAME)

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the names that a table of the case has."""
        table = self.case.get(name)
        return tuple(key.text for key, _ in table.entries) if isinstance(table, MappingNode) else ()

    def call(self, key: str, extra: tuple[str, ...] = ()) -> Call | None:
        """Return a call whose names and file exist."""
        value = self.section.get(key)
        found = value.get("file") if isinstance(value, dict) else value
        return None if found is None else self.checked(found, key, extra)

    def checked(self, call: Call, key: str, extra: tuple[str, ...]) -> Call:
        """Record what is wrong with a call's names and file; returns it with its file located."""
        known = (*self.keys("inputs"), *self.keys("params"), *self.keys("dims"))
        for name in call.names:
            if name not in known and name not in extra:
                hint = nearest_name(name, (*known, *extra))
                self.unknown(key, f"'{name}' in the call is no input, parameter or dim, {hint}")
        located = call.located(self.folder)
        if located.is_file and not os.path.isfile(located.module):  # noqa: PTH113  false, never an exception
            wanted = "expected one relative to the spec"
            self.problem(key, f"there is no file '{shortened(call.module)}', {wanted}")
        return located

    def calls_used(self, *calls: Call | None) -> None:
        """Record parameters that no call uses, where all of them say what they take."""
        if any(call is not None and call.arguments is None for call in calls):
            return
        used = {name for call in calls if call is not None for name in call.names}
        params = self.case.get("params")
        for key, _ in params.entries if isinstance(params, MappingNode) else ():
            if key.text not in used:
                message = f"no call takes the parameter '{key.text}', expected it among the arguments"
                self.problems.add(key.position, message)


def _functions(reader: _Reader) -> Target | None:
    returns = _returns(reader)
    forward, backward, elementwise = reader.call("forward"), *_backward(reader, _BACKWARD)
    _check_backward(reader, returns)
    if forward is None:
        return None
    if forward.arguments is not None:
        _check_inputs_used(reader, forward, backward)
    if elementwise is False or (backward is not None and backward.arguments is not None):
        reader.calls_used(forward, backward)
    return FunctionsTarget(
        forward,
        backward,
        returns,
        _gradients(reader),
        elementwise,
        reader.section.get("arrays", "numpy"),
        _globals(reader),
    )


def _globals(reader: _Reader) -> tuple[str, ...]:
    """Return the inputs that are global names."""
    names: tuple[str, ...] = reader.section.get("globals", ())
    for name in names:
        if name not in reader.keys("inputs"):
            reader.unknown("globals", f"'{name}' in globals is no input, {nearest_name(name, reader.keys('inputs'))}")
    if names and reader.section.get("arrays", "numpy") != "numpy":
        reader.problem("globals", "globals are NumPy arrays, expected no other kind of arrays beside them")
    return names


def _check_inputs_used(reader: _Reader, forward: Call, backward: Call | None) -> None:
    used = (*forward.names, *(backward.names if backward else ()), *reader.section.get("globals", ()))
    for name in reader.keys("inputs"):
        if name not in used:
            reader.problem("forward", f"the call does not take the input '{name}', expected it among the arguments")


def _backward(reader: _Reader, extra: tuple[str, ...]) -> tuple[Call | None, bool]:
    """Return the backward call, and whether it gives the derivative of every entry."""
    if reader.written("backward") and reader.written("derivative"):
        reader.problem("derivative", f"{reader.name} has backward and derivative, expected one of them")
    if "derivative" in reader.section:
        return reader.call("derivative", extra), True
    return reader.call("backward", extra), False


def _returns(reader: _Reader) -> tuple[str, ...] | None:
    """Return the names of what forward returns, from the section or the case."""
    if "returns" in reader.section and "returns" in reader.values:
        message = f"'returns' stands in the case and in {reader.name}, expected it once"
        reader.problems.add(position_of(reader.case, "returns"), message, ProblemKind.REPEATED)
    returns: tuple[str, ...] | None = reader.section.get("returns", reader.values.get("returns"))
    node = reader.node.get("returns") if reader.written("returns") else reader.case.get("returns")  # type: ignore[union-attr]  # a mapping, as it is written
    if returns is None or node is None:
        return None
    named = [name for name in returns if name != "_"]
    outputs = [name for name in named if name.startswith("out")]
    wanted = list(_OUTPUTS[: len(outputs)])
    if len(set(named)) < len(named):
        message = "a name stands twice in returns, expected each once"
        reader.problems.add(node.position, message, ProblemKind.REPEATED)
    elif outputs != wanted or not outputs:
        said = f"the outputs {', '.join(outputs)}" if outputs else "no output"
        reader.problems.add(node.position, f"returns names {said}, expected out, out2, ... in this order")
    return returns


def _check_backward(reader: _Reader, returns: tuple[str, ...] | None) -> None:
    """Check that functions have a backward, or return their gradient, and not both."""
    broken = returns is None and (reader.written("returns") or reader.case.get("returns") is not None)
    has = reader.written("backward") or reader.written("derivative")
    if not has and "grad" not in (returns or ()) and not broken:
        message = "the key 'backward' is missing, expected it, or 'grad' among returns"
        reader.problems.add(position_of(reader.case, reader.name), message, ProblemKind.MISSING)
    if has and "grad" in (returns or ()):
        message = "both 'backward' and 'grad' among returns, expected one of them"
        reader.problems.add(position_of(reader.case, reader.name), message)


def _gradients(reader: _Reader) -> tuple[str, ...] | Mapping[str, str] | None:
    gradients: tuple[str, ...] | Mapping[str, str] | None = reader.section.get("gradients")
    known = (*reader.keys("inputs"), *reader.section.get("parameters", {}))
    for name in gradients or ():
        if name != "_" and name not in known:
            reader.unknown("gradients", f"'{name}' in gradients is no input, {nearest_name(name, known)}")
    return gradients


def _object(reader: _Reader) -> Target | None:
    returns = _returns(reader)
    create = reader.call("class", _OF_OBJECTS[1:])
    setup, after = (_methods(reader, key) for key in ("setup", "after"))
    forward = reader.call("forward", _OF_OBJECTS)
    backward, elementwise = _backward(reader, (*_BACKWARD, *_OF_OBJECTS))
    roles = {name: _role(reader, value) for name, value in reader.section.get("parameters", {}).items()}
    _check_roles(reader, roles)
    if create is None:
        return None
    return ObjectTarget(
        create=create,
        preset=reader.section.get("preset", "auto"),
        attributes=reader.section.get("attributes", {}),
        setup=setup,
        forward=forward,
        backward=backward,
        after=after,
        returns=returns,
        gradients=_gradients(reader),
        elementwise=elementwise,
        output=reader.section.get("output"),
        parameters=roles,
        reset=_methods(reader, "reset"),
        discover=reader.section.get("discover", True),
        constants=reader.section.get("constants", ()),
    )


def _methods(reader: _Reader, key: str) -> tuple[Call, ...]:
    """Return one method or several."""
    given = reader.section.get(key, ())
    calls = given if isinstance(given, tuple) else (given,)
    return tuple(reader.checked(call, key, (*_BACKWARD, *_OF_OBJECTS)) for call in calls)


def _role(reader: _Reader, value: Any) -> ParameterRole:
    if isinstance(value, str):
        return ParameterRole(value)
    update = value.get("update")
    if isinstance(update, str) and update not in reader.keys("params"):
        hint = nearest_name(update, reader.keys("params"))
        reader.unknown("parameters", f"update: there is no parameter '{update}', {hint}")
    return ParameterRole(value.get("value", ""), value.get("gradient"), update)


def _check_roles(reader: _Reader, roles: Mapping[str, Any]) -> None:
    for name in roles:
        if name not in reader.keys("inputs"):
            hint = nearest_name(name, reader.keys("inputs"))
            reader.unknown("parameters", f"'{name}' in parameters is no input, {hint}")


def _framework(reader: _Reader) -> Target | None:
    call = reader.call("call")
    if "returns" in reader.values:
        message = f"'returns' means nothing to {reader.name}, expected none here"
        reader.problems.add(position_of(reader.case, "returns"), message)
    names = reader.section.get("parameters", {})
    _check_roles(reader, names)
    if call is None:
        return None
    return FrameworkTarget(
        framework=reader.name,
        call=call,
        forward=reader.call("forward"),
        device=reader.section.get("device", "cpu"),
        parameters=names,
        discover=reader.section.get("discover", True),
    )
