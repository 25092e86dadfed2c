"""From networks and models to the cases of their layers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gradverify.models.placing import cases_of, network_of
from gradverify.spec.model import DEFAULT_TIMEOUT, Case, Tolerance
from gradverify.spec.network_model import NetworkTarget
from gradverify.spec.site import SiteTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.models.requests import NamedShape
    from gradverify.results import Network, Solution
    from gradverify.spec.overriding import Overrides
    from gradverify.spec.site import Model

__all__ = ["Models", "modelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The models that a command takes.

    Attributes
    ----------
    files, factories
        ONNX files, and torch factories as ``module:name``.
    shapes
        What goes into them.
    tried
        Lengths by the name of an axis, or shapes by the name of an input, that stand in the place of those.
    solve
        Whether to look for the smallest sizes with which every layer is exact.
    folder
        Absolute path of the folder that factories are imported from.
    workers
        Processes that read them.
    """

    files: tuple[str, ...] = ()
    factories: tuple[str, ...] = ()
    shapes: tuple[NamedShape, ...] = ()
    tried: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    solve: bool = False
    folder: str = ""
    workers: int = 1

    @property
    def labels(self) -> tuple[str, ...]:
        """What the models are called, in the order in which they are read."""
        return (*self.files, *self.factories)


def modelled(
    cases: tuple[Case, ...], overrides: Overrides, models: Models | None
) -> tuple[tuple[Case, ...], tuple[Network, ...]]:
    """Return cases, with a case for every layer of a network and of the models, and networks and models as wholes.

    Raises
    ------
    ModelError
        A model cannot be read; says so of all that cannot.
    UsageError
        An axis is to have several lengths.
    """
    found: list[Case] = []
    networks = []
    for case in cases:
        if not isinstance(case.target, NetworkTarget):
            found.append(case)
            continue
        model, solution = _walked(case, models)
        found.extend(cases_of(model, case))
        networks.append(network_of(model, case, solution))
    for label, model, solution in _read(models, overrides):
        around = _around(label, overrides)
        found.extend(cases_of(model, around))
        networks.append(network_of(model, around, solution))
    return tuple(found), tuple(networks)


def _walked(case: Case, models: Models | None) -> tuple[Model, Solution | None]:
    """Return what is found about each layer of a network, and its smallest exact sizes where they are asked for."""
    from gradverify.models.network import chain  # noqa: PLC0415  most specs have no network

    model = chain(case)
    if models is None or not models.solve:
        return model, None
    from gradverify.models.solving import smallest_exact  # noqa: PLC0415  only who asks for it pays

    return model, smallest_exact(case)


def _read(models: Models | None, overrides: Overrides) -> Iterator[tuple[str, Model, Solution | None]]:
    """Yield name, layers and smallest exact sizes of the models that a command takes."""
    if models is not None and models.labels:
        from gradverify.pipeline.reading import read_models  # noqa: PLC0415  a spec needs no workers to be audited

        yield from read_models(models, overrides)


def _around(label: str, overrides: Overrides) -> Case:
    """Return what the cases of a model's layers have in common."""
    name = re.sub(r"[/\\]", "-", Path(label).stem if label.endswith(".onnx") else label)
    return Case(
        id=name,
        name=name,
        spec=label,
        line=0,
        column=0,
        target=SiteTarget("model"),
        inputs=(),
        params={},
        sweep={},
        window=None,
        seed=overrides.seed or 0,
        dtype=overrides.dtype or "float64",
        tolerance=Tolerance(),
        timeout=DEFAULT_TIMEOUT,
        fail_on=overrides.fail_on,
        strict=bool(overrides.strict),
    )
