"""Load and expand: from names on the command line to the cases that run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gradverify.errors import UsageError, nearest_name
from gradverify.pipeline.modelling import Models, modelled
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import find_specs, read_specs
from gradverify.spec.nodes import escaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.results import Network
    from gradverify.spec.model import Case
    from gradverify.spec.overriding import Overrides

__all__ = ["Selection", "select"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The cases to run and the seed to report.

    Attributes
    ----------
    whole
        Whether these are all cases of what was named.
    networks
        The networks and models whose layers are among the cases.
    tried, before
        What ``--try`` changed, and the selection as it is without it.
    """

    cases: tuple[Case, ...]
    seed: int
    whole: bool = True
    networks: tuple[Network, ...] = ()
    tried: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    before: Selection | None = None


def select(
    names: tuple[str, ...],
    overrides: Overrides,
    keyword: str | None = None,
    ids: tuple[str, ...] = (),
    models: Models | None = None,
) -> Selection:
    """Load and expand, and keep the cases whose id contains the keyword and, where ids are given, is one of them.

    Parameters
    ----------
    names
        Specs, and folders of them.
    overrides
        What the command line sets in place of the specs.
    keyword, ids
        Which cases are kept.
    models
        Models to audit, where a command takes any.

    Raises
    ------
    UsageError, SpecError, ModelError
        Nothing was run.
    """
    specs = read_specs(find_specs(names))
    seed = overrides.seed if overrides.seed is not None else specs[0].seed if specs else 0
    cases, networks = modelled(expand_specs(specs, overrides), overrides, models)
    if overrides.sizes:
        from gradverify.spec.trying import check_sizes_are_known  # noqa: PLC0415  --try alone needs it

        inputs = (network.inputs for network in networks)
        check_sizes_are_known((case for spec in specs for case in spec.cases), inputs, overrides.sizes)
    chosen = _chosen(cases, keyword, ids)
    whole = len(chosen) == len(cases)
    shown = networks if whole else _of_cases(networks, chosen)
    selected = Selection(cases=chosen, seed=seed, whole=whole, networks=shown)
    if models is None or not models.tried:
        return selected
    before = select(names, replace(overrides, sizes={}), keyword, ids, replace(models, tried={}, solve=False))
    return replace(selected, tried=models.tried, before=before)


def _chosen(cases: tuple[Case, ...], keyword: str | None, ids: tuple[str, ...]) -> tuple[Case, ...]:
    return tuple(case for case in _of_ids(cases, ids) if keyword is None or keyword in case.id)


def _of_cases(networks: tuple[Network, ...], cases: tuple[Case, ...]) -> tuple[Network, ...]:
    """Return the networks of which some layer is among these cases."""
    kept = {(case.spec, case.id) for case in cases}
    return tuple(network for network in networks if any((network.spec, layer.case) in kept for layer in network.layers))


def _of_ids(cases: tuple[Case, ...], ids: tuple[str, ...]) -> tuple[Case, ...]:
    """Return the cases with one of these ids, as the spec has it or as a terminal shows it; without ids, all."""
    if not ids:
        return cases
    chosen = tuple(case for case in cases if case.id in ids or escaped(case.id) in ids)
    found = {name for case in chosen for name in (case.id, escaped(case.id))}
    for name in ids:
        if name not in found:
            known = tuple(case.id for case in cases)
            raise UsageError(f"--case '{name}': no case has this id, {nearest_name(name, known)}")
    return chosen
