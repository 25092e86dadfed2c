"""Reads what a case is compared with: a built-in layer, or code of any kind that a case can verify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradverify.errors import nearest_name
from gradverify.layers.registry import LAYERS, LayerInfo
from gradverify.problems import ProblemKind
from gradverify.spec.aliases import INPUT_NAMES, NEUTRAL, parameter_called
from gradverify.spec.calls import read_call
from gradverify.spec.counterparts import Arrangement, At, Counterpart
from gradverify.spec.language import PARAMETER_RULES
from gradverify.spec.nodes import MappingNode, Node, Problems, shortened, text_node
from gradverify.spec.scalars import Choice
from gradverify.spec.target_model import FRAMEWORKS, LayerTarget, Target
from gradverify.spec.targets import read_target
from gradverify.spec.windows import parameter_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_reference"]

# Of the arrays of a convolution, as a built-in layer has them.
_IMAGES, _KERNEL = "NCHW", "OIHW"


def read_reference(
    case: MappingNode, values: dict[str, Any], kind: Counterpart | None, folder: str, problems: Problems
) -> Counterpart | None:
    """Return the reference of a case, or ``None`` where it has none, or one with problems.

    Parameters
    ----------
    case
        The case in the file.
    values
        What the grammar read of it.
    kind
        The built-in layer of the case's battery, where it has one.
    folder
        Folder of the spec, to which files are relative.
    problems
        Receives what is wrong.
    """
    node, read = case.get("reference"), values.get("reference")
    if node is None or read is None:
        return None
    before = len(problems.found)
    found = _Reader(case, node, values, kind, folder, problems).read(read)
    return found if len(problems.found) == before else None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads a reference; records its own problems."""

    case: MappingNode
    node: Node
    values: dict[str, Any]
    kind: Counterpart | None
    folder: str
    problems: Problems

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the case."""
        found: Mapping[str, Any] = self.values.get("params", {})
        return found

    def read(self, read: Any) -> Counterpart | None:
        section = self._section(read) if isinstance(read, str) else read
        if section is None:
            return None
        given = [name for name in ("layer", "functions", "object", *FRAMEWORKS) if name in section]
        if len(given) != 1:
            said = " and ".join(given) or "no target"
            message = f"the reference has {said}, expected one of layer, functions, object, torch and jax"
            self._problem(message, kind=ProblemKind.VALUE if given else ProblemKind.MISSING)
            return None
        return self._layer(section) if given == ["layer"] else self._code(section, given[0])

    def _section(self, text: str) -> dict[str, Any] | None:
        """Return what a reference in one word says."""
        if text in LAYERS:
            return {"layer": text}
        framework, separator, call = text.partition(":")
        if not separator or framework not in FRAMEWORKS:
            hint = nearest_name(text, tuple(LAYERS))
            message = f"'{shortened(text)}' is neither a built-in layer nor torch:module.function, {hint}"
            self._unknown(message)
            return None
        head, parenthesis, arguments = call.partition("(")
        module, _, name = head.rpartition(":" if ":" in head else ".")
        try:
            return {framework: read_call(f"{module}:{name}{parenthesis}{arguments}")}
        except ValueError as error:
            self._problem(f"'{shortened(text)}' is no call: {error}")
            return None

    def _problem(self, message: str, key: str | None = None, kind: ProblemKind = ProblemKind.VALUE) -> None:
        inner = self.node.get(key) if key is not None and isinstance(self.node, MappingNode) else None
        self.problems.add((inner or self.node).position, message, kind)

    def _unknown(self, message: str, key: str | None = None) -> None:
        """Record that something names what there is not."""
        self._problem(message, key, ProblemKind.UNKNOWN_NAME)

    def _code(self, section: dict[str, Any], name: str) -> Counterpart | None:
        """Return user code, or what a framework has, as the reference."""
        target = read_target(self._as_case(section, name), {name: section[name]}, self.folder, self.problems)
        if target is None:
            return None
        names = self._names("inputs")
        inputs = section.get("inputs") or {item: item for item in names}
        self._check_inputs(section.get("inputs", {}))
        arranged, output = self._as_built_in(inputs) if name == "torch" else ({}, None)
        return Counterpart(
            name=str(target),
            target=target,
            params=self._code_params(section, target),
            inputs=inputs,
            arrangements=arranged,
            output=output,
        )

    def _as_built_in(self, inputs: Mapping[str, str]) -> tuple[dict[str, Arrangement], tuple[int, ...] | None]:
        """Return how the images and kernels of a battery lie for torch, which has channels first as built-ins do."""
        if self.kind is None or LAYERS[self.kind.name].window is None:
            return {}, None
        own = {
            mine: self.kind.arrangements[theirs]
            for theirs, mine in self.kind.inputs.items()
            if theirs in self.kind.arrangements
        }
        return {theirs: own[mine] for theirs, mine in inputs.items() if mine in own}, self.kind.output

    def _code_params(self, section: dict[str, Any], target: Target) -> dict[str, Any]:
        """Return the parameters of user code: its own, those of the battery, or else those of the case."""
        if "params" in section:
            return {name: self._value(value) for name, value in section["params"].items()}
        call = getattr(target, "call", None)
        if self.kind is not None and call is not None and call.arguments is None:
            return dict(self.kind.params)
        return {name: At(name) for name in self.params}

    def _as_case(self, section: dict[str, Any], name: str) -> MappingNode:
        """Return the reference as a case of its own, with the names of the case it belongs to."""
        place = self.node.position
        inner = self.node.get(name) if isinstance(self.node, MappingNode) else self.node
        own = self.node.get("params") if isinstance(self.node, MappingNode) and "params" in section else None
        entries = [(text_node(name, place), inner or self.node)]
        for key in ("inputs", "params", "dims"):
            table = own if key == "params" and own is not None else self.case.get(key)
            entries += [] if table is None else [(text_node(key, place), table)]
        return MappingNode(tuple(entries), place)

    def _names(self, key: str) -> tuple[str, ...]:
        table = self.case.get(key)
        return tuple(item.text for item, _ in table.entries) if isinstance(table, MappingNode) else ()

    def _layer(self, section: dict[str, Any]) -> Counterpart | None:
        """Return a built-in layer as the reference."""
        layer = LAYERS[section["layer"]]
        implementation = section.get("implementation", layer.fast)
        names = tuple(item.name for item in layer.implementations)
        if implementation not in names:
            message = (
                f"'{implementation}' is not an implementation of {layer.name}, {nearest_name(implementation, names)}"
            )
            self._unknown(message, "implementation")
        self._check_inputs(section.get("inputs", {}), layer)
        params = self._layer_params(layer, section)
        target = LayerTarget(layer.name, implementation)
        same = self.kind if self.kind is not None and self.kind.name == layer.name else None
        inputs = (self._inputs(layer) if same is None else dict(same.inputs)) | section.get("inputs", {})
        self._check_complete(layer, inputs)
        arranged = self._arrangements(layer, inputs) if same is None else dict(same.arrangements)
        orders = section.get("order", {})
        self._check_order(orders, layer)
        arranged |= {name: Arrangement(order) for name, order in orders.items() if name != "out"}
        first = arranged.get(layer.inputs[0].name)
        turned = (None if first is None else first.order) if same is None else same.output
        return Counterpart(
            name=layer.name,
            target=target,
            params=params,
            unmapped=self._unmapped(layer, params, section),
            inputs=inputs,
            arrangements=arranged,
            output=orders.get("out", turned),
            compared=section.get("compare", True),
        )

    def _unmapped(self, layer: LayerInfo, params: Mapping[str, Any], section: dict[str, Any]) -> tuple[str, ...]:
        """Return the parameters of which neither the case nor the reference says anything."""
        if self.kind is not None and self.kind.name == layer.name:
            return tuple(name for name in self.kind.unmapped if name not in section.get("params", {}))
        return tuple(item.name for item in layer.parameters if item.name not in params)

    def _layer_params(self, layer: LayerInfo, section: dict[str, Any]) -> dict[str, Any]:
        known = {item.name: item for item in layer.parameters}
        own = section.get("params", {})
        for name, value in own.items():
            if name not in known:
                self._unknown(
                    f"'{name}' is not a parameter of {layer.name}, {nearest_name(name, tuple(known))}", "params"
                )
            else:
                self._check_value(layer, name, value)
        given = {name: self._value(value) for name, value in own.items()}
        if self.kind is not None and self.kind.name == layer.name:
            return {**self.kind.params, **given}
        return {**(self._guessed(layer) if "params" not in section else {}), **given}

    def _check_value(self, layer: LayerInfo, name: str, value: Any) -> None:
        """Check a value; text is a path, whose value is known when the case runs, or a word."""
        params = self.node.get("params") if isinstance(self.node, MappingNode) else None
        node = params.get(name) if isinstance(params, MappingNode) else None
        rule = PARAMETER_RULES[next(item.kind for item in layer.parameters if item.name == name)]
        paths = tuple(parameter_paths(self.params))
        wrong = [text for text in _texts(value) if text not in paths]
        if node is not None and (not _texts(value) or (wrong and isinstance(rule, Choice))):
            rule.read(node, self.problems)
        elif wrong:
            self._unknown(f"the case has no parameter '{wrong[0]}', {nearest_name(wrong[0], paths)}", "params")

    def _guessed(self, layer: LayerInfo) -> dict[str, Any]:
        """Return the parameters of the case that go by a name of the layer's."""
        known = tuple(item.name for item in layer.parameters)
        found: dict[str, Any] = {}
        for path in parameter_paths(self.params):
            if isinstance(_at(self.params, path), dict):
                continue
            name = parameter_called(path, known)
            if name is None or name in found:
                names = ", ".join(known) or "it has none"
                wanted = f"reference: {{layer: {layer.name}, params: {{NAME: {path}}}}}"
                self._unknown(f"'{path}' is the name of no parameter of {layer.name} ({names}), expected {wanted}")
            else:
                found[name] = At(path)
        return found

    def _value(self, value: Any) -> Any:
        """Return a parameter: a path of the case's parameters, a list of them, or a value."""
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return At(value) if _is_path(value, self.params) else value

    def _inputs(self, layer: LayerInfo) -> dict[str, str]:
        """Return which input of the case stands for each of the layer's: by its name, or by its place."""
        names = self._names("inputs")
        found = {item.name: item.name for item in layer.inputs if item.name in names}
        for place, item in enumerate(layer.inputs):
            called = INPUT_NAMES.get(item.name, (item.name,))
            alike = next((name for name in names if name.lower() in called and name not in found.values()), None)
            by_place = names[place] if len(names) == len(layer.inputs) else None
            free = by_place if by_place not in found.values() else None
            chosen = found.get(item.name) or alike or free
            if chosen is not None:
                found[item.name] = chosen
        return found

    def _check_complete(self, layer: LayerInfo, inputs: Mapping[str, str]) -> None:
        """Check that there is an input for each that the layer needs; an object's own are known when it is made."""
        if self.case.get("object") is not None or self.case.get("torch") is not None:
            return
        for item in layer.inputs:
            if item.name not in inputs and item.name not in NEUTRAL:
                wanted = f"reference: {{layer: {layer.name}, inputs: {{{item.name}: NAME}}}}"
                message = f"no input stands for '{item.name}' of {layer.name}, expected {wanted}"
                self._problem(message, kind=ProblemKind.MISSING)

    def _check_inputs(self, inputs: Mapping[str, str], layer: LayerInfo | None = None) -> None:
        known = self._names("inputs")
        for theirs, own in inputs.items():
            if own not in known:
                self._unknown(f"the case has no input '{own}', {nearest_name(own, known)}", "inputs")
            if layer is not None and theirs not in {item.name for item in layer.inputs}:
                hint = nearest_name(theirs, tuple(item.name for item in layer.inputs))
                self._unknown(f"'{theirs}' is not an input of {layer.name}, {hint}", "inputs")

    def _check_order(self, orders: Mapping[str, tuple[int, ...]], layer: LayerInfo) -> None:
        known = (*(item.name for item in layer.inputs), "out")
        for name, order in orders.items():
            if name not in known:
                self._unknown(f"'{name}' is not an input of {layer.name}, {nearest_name(name, known)}", "order")
            elif sorted(order) != list(range(len(order))):
                self._problem(f"{list(order)} is no order of axes, expected each from 0 to {len(order) - 1}", "order")

    def _arrangements(self, layer: LayerInfo, inputs: Mapping[str, str]) -> dict[str, Arrangement]:
        """Return how images and kernels lie, where the geometry of the case names their axes."""
        geometry = self.values.get("geometry") or {}
        if layer.window is None:
            return {}
        kernel = layer.window.kernel if layer.window.kernel in inputs else None
        named = {
            layer.window.input: (geometry.get("layout"), _IMAGES),
            kernel: (geometry.get("kernel_layout"), _KERNEL),
        }
        return {
            name: Arrangement(tuple(layout.index(letter) for letter in usual))
            for name, (layout, usual) in named.items()
            if name is not None and layout is not None and sorted(layout) == sorted(usual)
        }


def _is_path(value: Any, params: Mapping[str, Any]) -> bool:
    return isinstance(value, str) and value in parameter_paths(params)


def _at(params: Mapping[str, Any], path: str) -> Any:
    value: Any = params
    for name in path.split("."):
        value = value[name]
    return value


def _texts(value: Any) -> list[str]:
    inner = value if isinstance(value, list) else [value]
    return [item for item in inner if isinstance(item, str)]
