"""Reads one case: the checks that need more than one key at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradverify.errors import nearest_name
from gradverify.layers.registry import LAYERS, LayerInfo, WindowRoles
from gradverify.problems import ProblemKind
from gradverify.results import FailOn, Verdict
from gradverify.spec.code import check_imports, search_path
from gradverify.spec.implementations import are_named, layer_targets
from gradverify.spec.inputs import array_file, read_input
from gradverify.spec.language import CASE, PARAMETER_RULES, TARGETS
from gradverify.spec.model import DEFAULT_TIMEOUT, ArrayFile, CaseSpec, Check, InputSpec, Tolerance
from gradverify.spec.nodes import MappingNode, Node, Position, Problems, SequenceNode, position_of
from gradverify.spec.sweeping import overlapping, sweepable, swept_values
from gradverify.spec.targets import read_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradverify.spec.battery import PlacedRow
    from gradverify.spec.counterparts import Counterpart
    from gradverify.spec.network_model import Allowance
    from gradverify.spec.target_model import Target

__all__ = ["FileContext", "read_cases"]


@dataclass(frozen=True, slots=True)
class FileContext:
    """What a case inherits from its file.

    Attributes
    ----------
    file, folder
        The file as the user named it, and the absolute folder it lies in.
    defaults
        Valid top-level entries.
    search_path, preload, absent
        Folders searched for user code, what is imported before it, and packages it may do without.
    """

    file: str
    folder: str
    defaults: Mapping[str, Any]
    search_path: tuple[str, ...]
    preload: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def read_cases(node: Node, context: FileContext, problems: Problems) -> tuple[CaseSpec, ...]:
    """Return one case, or with a battery one for each of its rows; none after recording every problem it has.

    Parameters
    ----------
    node
        The case in the file.
    context
        What it inherits from its file.
    problems
        Receives what is wrong.
    """
    if not isinstance(node, MappingNode):
        CASE.read(node, problems)
        return ()
    if node.get("battery") is None or node.get("network") is not None:
        read = [_read_case(node, context, problems, None)]
    else:
        from gradverify.spec.battery import placed_rows  # noqa: PLC0415  most specs have none

        read = [_read_case(case, context, problems, placed) for case, placed in placed_rows(node, problems)]
    return tuple(case for case in read if case is not None)


def _read_case(
    node: MappingNode, context: FileContext, problems: Problems, placed: PlacedRow | None
) -> CaseSpec | None:
    before = len(problems.found)
    reader = _CaseReader(node, CASE.read(node, problems), context, problems)
    case = reader.read(placed)
    return case if len(problems.found) == before else None


class _CaseReader:
    """Reads the parts of one case; each part records its own problems and returns what is valid."""

    def __init__(self, node: MappingNode, values: dict[str, Any], context: FileContext, problems: Problems) -> None:
        self.node = node
        self.values = values
        self.context = context
        self.problems = problems
        self.layer: LayerInfo | None = LAYERS.get(values.get("layer", ""))
        self.is_network = node.get("network") is not None

    def _keys(self, name: str) -> set[str]:
        """Return the keys written in a mapping, also those whose values are wrong: that is a problem of its own."""
        node = self.node.get(name)
        return {key.text for key, _ in node.entries} if isinstance(node, MappingNode) else set()

    def read(self, placed: PlacedRow | None) -> CaseSpec | None:
        self._check_one_target()
        targets = self._targets()
        inputs = self._inputs()
        self._check_params()
        sweep = self._sweep()
        window = self._window()
        allow = self._allowance(window)
        self._check_something_to_differentiate(inputs)
        reference = self._reference(placed)
        if not targets:
            return None
        return CaseSpec(
            placed=placed,
            reference=reference,
            name=self.values.get("name", ""),
            file=self.context.file,
            position=self.node.position,
            targets=targets,
            names_implementation=self.layer is not None and are_named(self.values.get("implementation")),
            dims=self.values.get("dims", {}),
            inputs=inputs,
            params=self.values.get("params", {}),
            sweep=sweep,
            window=window,
            seed=self._shared("seed", 0),
            dtype=self._shared("dtype", "float64"),
            tolerance=self._tolerance(),
            timeout=float(self._shared("timeout", DEFAULT_TIMEOUT)),
            memory=self._shared("memory", None),
            method=self._shared("method", "auto"),
            max_passes=self._shared("max_passes", None),
            contracts=self.context.defaults.get("contracts", {}) | self.values.get("contracts", {}),
            checks=self._checks(),
            expect=Verdict(self.values.get("expect", "pass")),
            cotangent=self._cotangent(),
            scale=self._scale(),
            strict=self._shared("strict", False),
            fail_on=None if (chosen := self._shared("fail_on", None)) is None else FailOn(chosen),
            allow=allow,
            search_path=search_path(targets[0], self.context.search_path) if self._is_code else (),
            preload=self.context.preload if self._is_code else (),
            absent=self.context.absent if self._is_code else (),
            positions=dict(_positions(self.node)),
        )

    @property
    def _is_code(self) -> bool:
        """Whether the target is code of one's own."""
        return self.layer is None and not self.is_network

    def _checks(self) -> tuple[Check, ...]:
        """Return the checks of the case, in their order; a network has a geometry, and nothing else."""
        if self.is_network:
            return (Check.GEOMETRY,)
        return tuple(check for check in Check if check in self.values.get("checks", tuple(Check)))

    def _allowance(self, window: WindowRoles | None) -> Allowance | None:
        """Return the violation that is known, where there is a window that may violate something."""
        if "allow" not in self.values or self.is_network:
            return None
        from gradverify.spec.networks import read_allowance  # noqa: PLC0415  most specs have none

        if window is None and self.node.get("geometry") is None:
            wanted = "expected a windowed layer, or a geometry of your own code"
            self._problem("allow", f"'allow' is about windows, of which the case has none, {wanted}")
        return read_allowance(self.values)

    def _reference(self, placed: PlacedRow | None) -> Counterpart | None:
        if "reference" not in self.values or self.is_network:
            return None
        from gradverify.spec.reference import read_reference  # noqa: PLC0415  most specs have none

        kind = None if placed is None else placed.kind
        return read_reference(self.node, self.values, kind, self.context.folder, self.problems)

    def _problem(self, path: str | Position, message: str, kind: ProblemKind = ProblemKind.VALUE) -> None:
        position = path if isinstance(path, Position) else position_of(self.node, path)
        self.problems.add(position, message, kind)

    def _unknown(self, path: str | Position, message: str) -> None:
        """Record that something names what there is not."""
        self._problem(path, message, ProblemKind.UNKNOWN_NAME)

    def _missing(self, path: str | Position, message: str) -> None:
        """Record that something must be there, and is not."""
        self._problem(path, message, ProblemKind.MISSING)

    def _scale(self) -> Mapping[str, float | str]:
        scale: Mapping[str, float | str] = self.values.get("scale", {})
        for name, factor in scale.items():
            if name not in self._keys("inputs") and self.node.get("functions") is not None:
                self._unknown(
                    "scale", f"'{name}' in scale is no input, {nearest_name(name, tuple(self._keys('inputs')))}"
                )
            if isinstance(factor, str) and factor not in self._keys("dims"):
                self._unknown("scale", f"'{factor}' is no dim, {nearest_name(factor, tuple(self._keys('dims')))}")
        return scale

    def _cotangent(self) -> str | tuple[ArrayFile, ...] | None:
        """Return a word, or a file for each output."""
        given = self.values.get("cotangent")
        if given is None or isinstance(given, str):
            return given
        node = self.node.get("cotangent")
        places = node.items if isinstance(node, SequenceNode) else (node,)
        listed = zip(places, given if isinstance(given, tuple) else (given,), strict=True)
        found = [
            array_file(place.get("file") or place, item["file"], self.context.folder, self.problems)
            for place, item in listed
            if isinstance(place, MappingNode) and "file" in item
        ]
        return tuple(file for file in found if file is not None)

    def _shared(self, name: str, default: Any) -> Any:
        return self.values.get(name, self.context.defaults.get(name, default))

    def _tolerance(self) -> Tolerance:
        """Return the tolerance, each part from the case or else from the file."""
        return Tolerance(**(self.context.defaults.get("tolerance", {}) | self.values.get("tolerance", {})))

    def _check_one_target(self) -> None:
        given = [name for name in TARGETS if self.node.get(name) is not None]
        if not given:
            self._missing(self.node.position, f"the case has no target, expected one of {', '.join(TARGETS)}")
        if len(given) > 1:
            self._problem(given[1], f"the case has the targets {' and '.join(given)}, expected exactly one")

    def _targets(self) -> tuple[Target, ...]:
        if self.is_network:
            from gradverify.spec.networks import read_network  # noqa: PLC0415  most specs have none

            network = read_network(self.node, self.values, self.problems)
            return () if network is None else (network,)
        if self.layer is None:
            if "implementation" in self.values and self.node.get("layer") is None:
                self._problem("implementation", "'implementation' belongs to built-in layers, expected none here")
            target = read_target(self.node, self.values, self.context.folder, self.problems)
            return () if target is None else (target,)
        for name in ("returns", "cotangent", "scale"):
            if name in self.values and (name != "cotangent" or isinstance(self.values[name], str)):
                self._problem(name, f"'{name}' belongs to code of your own, expected none here")
        entry = (position_of(self.node, "implementation"), self.node.get("implementation"))
        return layer_targets(self.layer, self.values.get("implementation"), entry, self.problems)

    def _inputs(self) -> tuple[InputSpec, ...]:
        node = self.node.get("inputs")
        read = self.values.get("inputs", {})
        if not isinstance(node, MappingNode):
            return ()
        if not node.entries and self.layer is None:
            self._missing("inputs", "there are no inputs, expected at least one")
        roles = {role.name: role for role in self.layer.inputs} if self.layer else {}
        found = {}
        for key, content in node.entries:
            if self.layer and key.text not in roles:
                hint = nearest_name(key.text, tuple(roles))
                self._unknown(key.position, f"'{key.text}' is not an input of {self.layer.name}, {hint}")
            elif key.text in read:
                spec = read_input(
                    (key, content), read[key.text], roles.get(key.text), self.context.folder, self.problems
                )
                if spec is not None:
                    found[key.text] = spec
        self._check_inputs_complete(tuple(key.text for key, _ in node.entries))
        order = tuple(roles) if self.layer else tuple(found)
        return tuple(found[name] for name in order if name in found)

    def _check_inputs_complete(self, given: tuple[str, ...]) -> None:
        for role in self.layer.inputs if self.layer else ():
            if role.name not in given:
                message = f"{self.values['layer']} needs the input '{role.name}', expected shape {role.shape_text}"
                self._missing("inputs", message)

    def _check_params(self) -> None:
        node = self.node.get("params")
        if self.layer is None:
            if node is not None and not self.is_network:
                check_imports(node, self.context.folder, self.problems)
            return
        known = {item.name: item for item in self.layer.parameters}
        entries = node.entries if isinstance(node, MappingNode) else ()
        for key, value in entries:
            if key.text not in known:
                hint = nearest_name(key.text, tuple(known))
                self._unknown(key.position, f"'{key.text}' is not a parameter of {self.layer.name}, {hint}")
            else:
                PARAMETER_RULES[known[key.text].kind].read(value, self.problems)
        given = self._keys("params") | self._keys("sweep")
        for item in known.values():
            if item.required and item.name not in given:
                message = f"{self.layer.name} needs the parameter '{item.name}', expected {item.kind.value}"
                self._missing("params", message)

    def _sweep(self) -> dict[str, tuple[Any, ...]]:
        node = self.node.get("sweep")
        if not isinstance(node, MappingNode) or not self._knows_its_names():
            return {}
        dims, params = self.values.get("dims", {}), self.values.get("params", {})
        rules = sweepable(self.layer.name if self.layer else None, params, dims)
        parameters = {item.name for item in self.layer.parameters} if self.layer else set(params)
        swept = {}
        for key, value in node.entries:
            if key.text in self._keys("dims") and key.text in parameters:
                message = f"'{key.text}' is a parameter and one of dims, expected two names"
                self._problem(key.position, message, ProblemKind.REPEATED)
            elif key.text not in rules and key.text not in self._keys("dims"):
                hint = nearest_name(key.text, tuple(rules))
                self._unknown(key.position, f"'{key.text}' is neither a parameter nor one of dims, {hint}")
            elif key.text in rules and key.text in self.values.get("sweep", {}):
                swept[key.text] = swept_values(value, rules[key.text], self.problems)
        self._check_overlap(swept)
        return {name: values for name, values in swept.items() if values is not None}

    def _knows_its_names(self) -> bool:
        """Return whether the names that can be swept are known: not for an unknown layer, or broken parameters."""
        if self.layer is not None:
            return True
        own = any(self.node.get(name) is not None for name in TARGETS if name != "layer")
        return own and ("params" in self.values or self.node.get("params") is None)

    def _check_overlap(self, names: Iterable[str]) -> None:
        found = overlapping(names)
        if found is not None:
            outer, inner = found
            self._problem("sweep", f"'{inner}' is swept, and so is '{outer}' around it, expected one of them")

    def _window(self) -> WindowRoles | None:
        given = self.values.get("geometry")
        if self.is_network:
            return None
        if self.layer is not None:
            if self.node.get("geometry") is not None:
                self._problem("geometry", f"{self.layer.name} knows its own geometry, expected no key 'geometry'")
            return self.layer.window
        if given is None or not {"input", "kernel"} <= set(given):
            return None
        return WindowRoles(**given)

    @property
    def _may_have_parameters(self) -> bool:
        """Whether the target may have parameters that the case does not name."""
        sections = (self.values.get(name) for name in ("object", "torch"))
        return any(section is not None and not _discovers_nothing(section) for section in sections)

    def _check_something_to_differentiate(self, inputs: tuple[InputSpec, ...]) -> None:
        read = self.values.get("inputs", {})
        checks = self.values.get("checks", tuple(Check))
        if self.is_network:
            return
        discovers = self.node.get("object") is not None or self.node.get("torch") is not None
        if not inputs or len(inputs) < len(read) or Check.GRADIENTS not in checks or discovers:
            return
        if not any(item.differentiable for item in inputs) and not self._may_have_parameters:
            self._problem(
                "inputs", "no input has a gradient, expected at least one of a floating dtype without grad: false"
            )


def _positions(node: Node, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Position]]:
    """Return where every key of a case stands, down to the keys of its keys."""
    if not isinstance(node, MappingNode) or len(path) > 2:
        return []
    found = []
    for key, value in node.entries:
        found.append(((*path, key.text), key.position))
        found.extend(_positions(value, (*path, key.text)))
    return found


def _discovers_nothing(section: Any) -> bool:
    return isinstance(section, dict) and section.get("discover") is False
