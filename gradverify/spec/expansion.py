"""Spec into cases: the full product of every sweep, with stable ids and shapes in numbers."""

from __future__ import annotations

import itertools
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradverify.errors import RoleError, SpecError, UsageError, nearest_name
from gradverify.layers.registry import LAYERS, Kind, LayerInfo, with_defaults
from gradverify.problems import Problem, ProblemKind
from gradverify.spec.code import with_lengths
from gradverify.spec.counterparts import At, Counterpart
from gradverify.spec.model import Case, CaseSpec, InputSpec, Spec
from gradverify.spec.network_model import MAX_LAYERS, count_layers
from gradverify.spec.nodes import Position, Problems, TooManyProblems
from gradverify.spec.overriding import Overrides, check_sets_are_known, overridden
from gradverify.spec.shapes import lengths_of, match_shapes
from gradverify.spec.sweeping import MAX_CASES, format_value, with_parameters
from gradverify.spec.target_model import LayerTarget, NetworkTarget, Target
from gradverify.spec.windows import parameter_at, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MAX_ELEMENTS", "expand", "expand_specs"]

MAX_ELEMENTS = 1 << 27
_MOST_LAYERS = 500_000
_PER_FEATURE = {Kind.STATISTIC, Kind.VARIANCE}


def expand_specs(specs: tuple[Spec, ...], overrides: Overrides) -> tuple[Case, ...]:
    """Return the cases of all specs, in the order of the files.

    Raises
    ------
    SpecError
        Shapes do not fit each other, name no dim, or are too large.
    UsageError
        A ``--set`` key is no name of any case, or its values are wrong.
    """
    check_sets_are_known(specs, overrides)
    cases: list[Case] = []
    problems: list[Problem] = []
    for spec in specs:
        found = Problems(spec.file)
        with suppress(TooManyProblems):
            cases.extend(_expand_spec(spec, overrides, found, MAX_CASES - len(cases)))
        problems.extend(found.listed())
    if problems:
        raise SpecError(tuple(problems))
    return tuple(cases)


def _expand_spec(spec: Spec, overrides: Overrides, problems: Problems, most: int) -> Iterator[Case]:
    """Yield the cases of one spec; their ids are unique."""
    first: dict[str, str] = {}
    for case in spec.cases:
        for expanded in _expand_case(overridden(case, overrides), problems):
            if expanded.id in first:
                wanted = f"expected unique ids (first in the case '{first[expanded.id]}')"
                message = f"the id '{expanded.id}' stands twice, {wanted}"
                problems.add(case.where("name"), message, ProblemKind.REPEATED)
            first.setdefault(expanded.id, case.name)
            if len(first) > most:
                raise UsageError(f"more than {MAX_CASES} cases in all, expected fewer; run the specs one by one")
            yield expanded


def expand(spec: Spec) -> tuple[Case, ...]:
    """Return the cases of one spec, as written."""
    return expand_specs((spec,), Overrides())


def _expand_case(case: CaseSpec, problems: Problems) -> Iterator[Case]:
    points = math.prod(len(values) for values in case.sweep.values()) * len(case.targets)
    if points > MAX_CASES:
        problems.add(case.where("sweep"), f"the sweep has {points} cases, expected at most {MAX_CASES}")
        return
    if points > 1 and _has_too_many_layers(case, points, problems):
        return
    blamed: set[Position] = set()  # one point of the sweep is enough to show what is wrong with a line
    for target in case.targets:
        for values in itertools.product(*case.sweep.values()):
            found = Problems(problems.file)
            expanded = _case_at(case, target, dict(zip(case.sweep, values, strict=True)), found)
            point = f" (in {expanded.id})" if case.sweep else ""
            for (place, message), kind in found.found.items():
                if place not in blamed:
                    problems.add(place, message + point, kind)
            blamed |= {place for place, _ in found.found}
            yield expanded


def _has_too_many_layers(case: CaseSpec, points: int, problems: Problems) -> bool:
    """Return whether a sweep makes more layers of networks than can be held, and record it."""
    largest = {name: max(case.sweep.get(name, (length,))) for name, length in case.dims.items()}
    layers = [count_layers(target.written, largest) for target in case.targets if isinstance(target, NetworkTarget)]
    many = points * min(sum(layers), MAX_LAYERS)
    if many > _MOST_LAYERS:
        message = f"the sweep has {points} networks with {many} layers in all, expected at most {_MOST_LAYERS}"
        problems.add(case.where("sweep"), message)
    return many > _MOST_LAYERS


def _case_at(case: CaseSpec, target: Target, sweep: dict[str, Any], problems: Problems) -> Case:
    swept = sweep if case.placed is None else {"battery": case.placed.row.name, **sweep}
    dims = {name: sweep.get(name, length) for name, length in case.dims.items()}
    params = _effective(case, target, {name: value for name, value in sweep.items() if name not in dims})
    inputs = tuple(_resolved(item, dims, case, problems) for item in case.inputs)
    if isinstance(target, LayerTarget):
        inputs = match_shapes(LAYERS[target.layer], inputs, case, problems)
        _check_statistics(LAYERS[target.layer], inputs, params, case, problems)
    if isinstance(target, NetworkTarget):
        target = _network_at(target, dims, case, problems)
    else:
        _check_size(inputs, case, problems)
    if not isinstance(target, LayerTarget):
        _check_window(case, inputs, params, problems)
    return Case(
        id=_case_id(case, target, swept),
        name=case.name,
        spec=case.file,
        line=case.position.line,
        column=case.position.column,
        target=with_lengths(target, dims),
        inputs=inputs,
        params=params,
        sweep=swept,
        window=case.window,
        lengths=_lengths(case, target, inputs),
        seed=case.seed,
        dtype=case.dtype,
        tolerance=case.tolerance,
        timeout=case.timeout,
        memory=case.memory,
        method=case.method,
        max_passes=case.max_passes,
        contracts=case.contracts,
        checks=case.checks,
        expect=case.expect,
        cotangent=case.cotangent,
        scale={name: float(dims[factor] if isinstance(factor, str) else factor) for name, factor in case.scale.items()},
        search_path=case.search_path,
        preload=case.preload,
        absent=case.absent,
        placed=case.placed,
        reference=None if case.reference is None else _with_values(case.reference, params),
        strict=case.strict,
        fail_on=case.fail_on,
        allow=case.allow,
    )


def _network_at(target: NetworkTarget, dims: Mapping[str, int], case: CaseSpec, problems: Problems) -> NetworkTarget:
    """Return a network at one point of the sweep."""
    from gradverify.spec.networks import resolved_network  # noqa: PLC0415  most specs have none

    return resolved_network(target, case.inputs[0], dims, case, problems)


def _lengths(case: CaseSpec, target: Target, inputs: tuple[InputSpec, ...]) -> Mapping[str, int]:
    """Return the lengths of the inputs by the names of their axes: those of the layer or of the battery, if any."""
    if case.placed is not None:
        return case.placed.lengths
    return lengths_of(LAYERS[target.layer] if isinstance(target, LayerTarget) else None, inputs)


def _with_values(counterpart: Counterpart, params: Mapping[str, Any]) -> Counterpart:
    """Return a counterpart with all its parameters in values: those of a layer with defaults, in the table's order."""

    def valued(value: Any) -> Any:
        if isinstance(value, list):
            return [valued(item) for item in value]
        return parameter_at(params, value.path) if isinstance(value, At) else value

    values = {name: valued(value) for name, value in counterpart.params.items()}
    if isinstance(counterpart.target, LayerTarget):
        values = with_defaults(LAYERS[counterpart.target.layer], values)
    return replace(counterpart, params=values)


def _case_id(case: CaseSpec, target: Target, sweep: dict[str, Any]) -> str:
    parts = [f"{name}={format_value(value)}" for name, value in sweep.items()]
    if case.names_implementation and isinstance(target, LayerTarget):
        parts.insert(0, f"implementation={target.implementation}")
    return f"{case.name}/{','.join(parts)}" if parts else case.name


def _effective(case: CaseSpec, target: Target, swept: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters at one point of the sweep; those of a layer with defaults, in the table's order."""
    params = with_parameters(case.params, swept)
    if not isinstance(target, LayerTarget):
        return params
    return with_defaults(LAYERS[target.layer], params)


def _resolved(item: InputSpec, dims: Mapping[str, int], case: CaseSpec, problems: Problems) -> InputSpec:
    if item.shape is None:
        return item
    unknown = [length for length in item.shape if isinstance(length, str) and length not in dims]
    for length in unknown:
        hint = nearest_name(length, tuple(dims)) if dims else "expected a number: the case has no dims"
        problems.add(
            case.where("inputs", item.name),
            f"the shape of '{item.name}' has the unknown name '{length}', {hint}",
            ProblemKind.UNKNOWN_NAME,
        )
    if unknown:
        return replace(item, shape=None)  # nothing more can be said about it
    return replace(item, shape=tuple(dims.get(str(length), length) for length in item.shape))


def _check_statistics(
    layer: LayerInfo, inputs: tuple[InputSpec, ...], params: Mapping[str, Any], case: CaseSpec, problems: Problems
) -> None:
    """Check that lists of running statistics have a number for every feature, as gamma has."""
    features = next((item.shape[0] for item in inputs if item.name == "gamma" and item.shape), None)
    for item in layer.parameters:
        value = params[item.name]
        if item.kind not in _PER_FEATURE or not isinstance(value, (list, tuple)) or features is None:
            continue
        if len(value) != features:
            message = f"{item.name} has {len(value)} numbers, expected one, or {features} as gamma has"
            problems.add(case.where("params", item.name), message)


def _check_size(inputs: tuple[InputSpec, ...], case: CaseSpec, problems: Problems) -> None:
    sizes = {item.name: math.prod(int(length) for length in item.shape or ()) for item in inputs}
    total = sum(sizes.values())
    if total > MAX_ELEMENTS:
        largest = max(sizes, key=sizes.__getitem__)
        message = (
            f"the inputs have {total} elements in all, expected at most {MAX_ELEMENTS}; '{largest}' is the largest"
        )
        problems.add(case.where("inputs", largest), message)


def _check_window(case: CaseSpec, inputs: tuple[InputSpec, ...], params: Mapping[str, Any], problems: Problems) -> None:
    if case.window is None:
        return
    shapes = {item.name: None if item.shape is None else tuple(int(n) for n in item.shape) for item in inputs}
    try:
        windows(case.window, shapes, params)
    except RoleError as error:
        problems.add(case.where("geometry", error.role), error.message, error.kind or ProblemKind.VALUE)
