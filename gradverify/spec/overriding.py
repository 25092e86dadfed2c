"""What the command line sets in place of the spec: options that beat it, and sweeps."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gradverify.errors import UsageError, nearest_name
from gradverify.layers.registry import LAYERS
from gradverify.spec.model import CaseSpec, Spec, Tolerance
from gradverify.spec.nodes import Node, Problems, TooManyProblems, shortened
from gradverify.spec.sweeping import is_within, nodes_from_text, overlapping, sweepable, swept_values
from gradverify.spec.target_model import LayerTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.results import FailOn

__all__ = ["Overrides", "check_sets_are_known", "overridden"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line sets in place of the spec; ``None`` leaves the spec's.

    Attributes
    ----------
    sweeps
        ``--set`` keys and the text behind their sign.
    sizes
        Lengths by the name of a dim or an axis, and shapes by the name of an input.
    """

    seed: int | None = None
    dtype: str | None = None
    rtol: float | None = None
    atol: float | None = None
    timeout: float | None = None
    memory: int | None = None
    method: str | None = None
    max_passes: int | None = None
    strict: bool | None = None
    fail_on: FailOn | None = None
    sweeps: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def check_sets_are_known(specs: tuple[Spec, ...], overrides: Overrides) -> None:
    """Check that every ``--set`` key is a name of some case.

    Raises
    ------
    UsageError
        One is not.
    """
    known = {name for spec in specs for case in spec.cases for name in _sweepable(case)}
    for name in overrides.sweeps:
        if name not in known:
            raise UsageError(
                f"--set {name}: no case has a parameter or dim '{name}', {nearest_name(name, tuple(known))}"
            )


def _sweepable(case: CaseSpec) -> dict[str, Any]:
    target = case.targets[0]
    return sweepable(target.layer if isinstance(target, LayerTarget) else None, case.params, case.dims)


def overridden(case: CaseSpec, overrides: Overrides) -> CaseSpec:
    """Return a case with what the command line sets in its place.

    Raises
    ------
    UsageError
        The values of a ``--set`` key are wrong, or the case gives the key another meaning.
    """
    if overrides.sizes:
        from gradverify.spec.trying import with_sizes  # noqa: PLC0415  --try alone needs it

        case = with_sizes(case, overrides.sizes)
    rules = _sweepable(case)
    sweep = dict(case.sweep)
    for name, text in overrides.sweeps.items():
        if name in rules:
            _check_one_meaning(name, case)
            _check_not_set_by_row(name, case)
            sweep[name] = _set_values(name, text, rules[name])
    overlap = overlapping(sweep)
    if overlap is not None:
        outer, inner = overlap
        raise UsageError(f"--set: '{case.name}' sweeps '{inner}', and '{outer}' around it, expected one of them")
    tolerance = Tolerance(
        case.tolerance.rtol if overrides.rtol is None else overrides.rtol,
        case.tolerance.atol if overrides.atol is None else overrides.atol,
    )
    return replace(
        case,
        sweep=sweep,
        tolerance=tolerance,
        seed=case.seed if overrides.seed is None else overrides.seed,
        dtype=overrides.dtype or case.dtype,
        timeout=case.timeout if overrides.timeout is None else overrides.timeout,
        memory=case.memory if overrides.memory is None else overrides.memory,
        method=overrides.method or case.method,
        max_passes=case.max_passes if overrides.max_passes is None else overrides.max_passes,
        strict=case.strict if overrides.strict is None else overrides.strict,
        fail_on=case.fail_on if overrides.fail_on is None else overrides.fail_on,
    )


def _check_one_meaning(name: str, case: CaseSpec) -> None:
    target = case.targets[0]
    known = {item.name for item in LAYERS[target.layer].parameters} if isinstance(target, LayerTarget) else case.params
    if name in case.dims and name in known:
        raise UsageError(f"--set {name}: '{name}' is a parameter and one of dims in '{case.name}', expected two names")


def _check_not_set_by_row(name: str, case: CaseSpec) -> None:
    if case.placed is not None and is_within(name, case.placed.set_by_row):
        raise UsageError(f"--set {name}: the battery of '{case.name}' sets it, expected another parameter")


def _set_values(name: str, text: str, rule: Any) -> tuple[Any, ...]:
    problems = Problems("--set")
    try:
        node: Node = nodes_from_text(text)
    except ValueError as error:
        raise UsageError(f"--set {name}={shortened(text)}: {error}") from None
    values = None
    with suppress(TooManyProblems):
        values = swept_values(node, rule, problems)
    if problems or values is None:
        said = "; ".join(message for _, message in problems.found)
        raise UsageError(f"--set {name}={shortened(text)}: {shortened(said, 400)}")
    return values
