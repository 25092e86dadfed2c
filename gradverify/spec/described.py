"""A case as the plain values that its spec would hold: the reading of a case, turned round."""

from __future__ import annotations

import os
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradverify.numerics.geometry import axis_names
from gradverify.spec.calls import Call, read_call, write_call
from gradverify.spec.contract_table import OFF
from gradverify.spec.model import DEFAULT_TIMEOUT, IMPORT, ArrayFile, Case, Check, Fill, InputSpec, Tolerance
from gradverify.spec.target_model import (
    FrameworkTarget,
    FunctionsTarget,
    LayerTarget,
    NetworkTarget,
    ObjectTarget,
    ParameterRole,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradverify.layers.registry import WindowRoles
    from gradverify.spec.network_model import NetworkLayer
    from gradverify.spec.target_model import Target

__all__ = ["described"]


def described(case: Case, folder: Path) -> dict[str, Any]:
    """Return a spec with this one case, without a sweep.

    Parameters
    ----------
    case
        The case, at its point of the sweep.
    folder
        The absolute folder of the spec, from which files and folders are named.
    """
    return _Describer(case, folder).spec()


class _Describer:
    """Describes the parts of one case."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.folder = folder

    def spec(self) -> dict[str, Any]:
        case = self.case
        own = {
            "pythonpath": [self.path(folder) for folder in case.search_path],
            "preload": [self.path(name) if name.endswith(".py") else name for name in case.preload],
            "absent": list(case.absent),
        }
        return {"version": 1, "seed": case.seed, "dtype": case.dtype, **_filled(own), "cases": [self.entry()]}

    def entry(self) -> dict[str, Any]:
        """Return the case."""
        case = self.case
        own = not isinstance(case.target, LayerTarget)
        more = {
            "params": {name: self.param(value) for name, value in case.params.items()},
            "geometry": _changed(case.window) if own and case.window else {},
            "checks": [] if case.checks == tuple(Check) else [check.value for check in case.checks],
            "allow": case.allow and asdict(case.allow),
            "cotangent": self.cotangent(),
            "scale": dict(case.scale),
            "reference": self.reference(),
            "contracts": self.contracts(),
            "expect": case.expect.value,
            "tolerance": _changed(case.tolerance),
            "timeout": None if case.timeout == DEFAULT_TIMEOUT else case.timeout,
            "memory": case.memory,
            "method": case.method,
            "max_passes": case.max_passes,
            "strict": case.strict or None,
            "fail_on": case.fail_on and case.fail_on.value,
        }
        dims, items = _shared_lengths(case)
        inputs = {item.name: self.input(item) for item in items}
        return {
            "name": case.name,
            **self.target(case.target),
            **_filled({"dims": dims}),
            "inputs": inputs,
            **_filled(more),
        }

    def contracts(self) -> dict[str, str]:
        """Return the levels of contracts; at the kinks of a row more than one gradient is right."""
        placed, reference = self.case.placed, self.case.reference
        kinks = placed is not None and placed.row.kinks and reference is not None
        return {**({"reference-gradients": OFF} if kinks else {}), **self.case.contracts}

    def reference(self) -> dict[str, Any] | None:
        """Return what the case is compared with: its reference, or else the layer that its battery is of."""
        placed, found = self.case.placed, self.case.reference
        if found is None and placed is not None and not isinstance(self.case.target, LayerTarget):
            found = replace(placed.kind, compared=False)
        if found is None:
            return None
        orders = {name: list(item.order) for name, item in found.arrangements.items()} | {"out": found.output}
        return {
            **self.target(found.target),
            "params": {name: self.param(value) for name, value in found.params.items()},
            **_filled({"inputs": dict(found.inputs)}),
            **_filled({"order": {name: list(order) for name, order in orders.items() if order and len(order) > 1}}),
            **({} if found.compared else {"compare": False}),
        }

    def path(self, name: str) -> str:
        """Return a path from the folder of the spec, or the path itself where they share nothing but the root."""
        try:
            shared = os.path.commonpath((name, self.folder))
        except ValueError:  # another drive
            return name
        return name if shared == Path(shared).anchor else os.path.relpath(name, self.folder)

    def call(self, call: Call) -> str:
        return write_call(replace(call, module=self.path(call.module)) if call.is_file else call)

    def array(self, source: ArrayFile) -> str:
        return self.path(source.file) + (f":{source.key}" if source.key else "")

    def cotangent(self) -> Any:
        given = self.case.cotangent
        if given is None or isinstance(given, str):
            return given
        named = [{"file": self.array(source)} for source in given]
        return named[0] if len(named) == 1 else named

    def param(self, value: Any) -> Any:
        """Return a parameter; the files of those that are imported are named from the folder of the spec."""
        if isinstance(value, (list, tuple)):
            return [self.param(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {IMPORT} and isinstance(value[IMPORT], str):
            return {IMPORT: self.imported(value[IMPORT])}
        return {name: self.param(item) for name, item in value.items()}

    def imported(self, text: str) -> str:
        call = read_call(text)
        there = (folder for folder in self.case.search_path if Path(folder, call.module).is_file())
        return self.call(call.located(next(there, ""))) if call.is_file else text

    def input(self, item: InputSpec) -> Any:
        """Return one input: a shape where that says it all."""
        found = {
            "shape": None if item.fill in {Fill.VALUES, Fill.FILE} else list(item.shape or ()),
            "init": None if item.fill in {Fill.VALUES, Fill.FILE, Fill.NORMAL} else item.fill.value,
            **item.options,
            "values": item.values,
            "file": self.array(ArrayFile(item.file, item.key)) if item.file else None,
            "dtype": item.dtype,
            "grad": item.grad,
        }
        given = {name: value for name, value in found.items() if value is not None}
        return given["shape"] if set(given) == {"shape"} else given

    def target(self, target: Target) -> dict[str, Any]:
        """Return the key of a target with its section."""
        if isinstance(target, LayerTarget):
            named = {"name": target.implementation, "reference": target.reference}
            return {"layer": target.layer, "implementation": named if target.reference else target.implementation}
        if isinstance(target, FunctionsTarget):
            arrays = None if target.arrays == "numpy" else target.arrays
            more = {"arrays": arrays, "globals": list(target.globals)}
            return {"functions": {"forward": self.call(target.forward), **_filled(self.backward(target) | more)}}
        if isinstance(target, NetworkTarget):
            return {"network": [_layer(layer) for layer in target.layers]}
        if isinstance(target, ObjectTarget):
            return {"object": {"class": self.call(target.create), **_filled(self.object(target))}}
        assert isinstance(target, FrameworkTarget)  # noqa: S101  layers of networks are no cases of a spec
        return {target.framework: {"call": self.call(target.call), **_filled(self.framework(target))}}

    def backward(self, target: FunctionsTarget | ObjectTarget) -> dict[str, Any]:
        """Return what functions and objects have in common."""
        role = "derivative" if target.elementwise else "backward"
        named = target.gradients
        return {
            role: None if target.backward is None else self.call(target.backward),
            "returns": list(target.returns or ()),
            "gradients": list(named or ()) if named is None or isinstance(named, tuple) else dict(named),
        }

    def object(self, target: ObjectTarget) -> dict[str, Any]:
        return {
            "preset": None if target.preset == "auto" else target.preset,
            "attributes": dict(target.attributes),
            "setup": self.calls(target.setup),
            "forward": None if target.forward is None else self.call(target.forward),
            **self.backward(target),
            "after": self.calls(target.after),
            "output": target.output,
            "parameters": {name: _role(role) for name, role in target.parameters.items()},
            "reset": self.calls(target.reset),
            "discover": None if target.discover else False,
            "constants": list(target.constants),
        }

    def calls(self, calls: Iterable[Call]) -> list[str]:
        return [self.call(call) for call in calls]

    def framework(self, target: FrameworkTarget) -> dict[str, Any]:
        return {
            "forward": None if target.forward is None else self.call(target.forward),
            "device": None if target.device == "cpu" else target.device,
            "parameters": dict(target.parameters),
            "discover": None if target.discover else False,
        }


def _shared_lengths(case: Case) -> tuple[dict[str, int], tuple[InputSpec, ...]]:
    """Return the dims that are lengths of a network's axes, and the inputs with their names; axes of one stay equal."""
    if not isinstance(case.target, NetworkTarget):
        return {}, case.inputs
    (item,), axes = case.inputs, case.target.axes
    batch, channels, *lengths = item.shape or ()
    letters = zip(axes, axis_names(len(axes)), strict=True)
    named = [name if name != letter or axes.count(name) > 1 else None for name, letter in letters]
    dims = {name: int(length) for name, length in zip(named, lengths, strict=True) if name is not None}
    shape = (batch, channels, *(name or length for name, length in zip(named, lengths, strict=True)))
    return dims, (replace(item, shape=shape),)


def _layer(layer: NetworkLayer) -> dict[str, Any]:
    """Return one layer of a network, in numbers."""
    more = {"allow": asdict(layer.allow)} if layer.allow else {}
    options = {name: _listed(value) for name, value in layer.options.items()}
    return {"name": layer.name, "layer": layer.kind, **options, **more}


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def _role(role: ParameterRole) -> Any:
    found = _changed(role)
    return found["value"] if set(found) == {"value"} else found


def _changed(value: WindowRoles | Tolerance | ParameterRole) -> dict[str, Any]:
    """Return the fields of a value that are not what they are by themselves."""
    found = {
        item.name: getattr(value, item.name) for item in fields(value) if getattr(value, item.name) != item.default
    }
    return {name: list(item) if isinstance(item, tuple) else item for name, item in found.items()}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that say something."""
    return {name: value for name, value in values.items() if value is not None and value not in ([], {})}
