"""Networks as tests write them: layers as dictionaries, made into cases by the rules of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spec_cases import cases

if TYPE_CHECKING:
    from gradverify.spec.model import Case
    from gradverify.spec.site import Site


def network(*layers: dict[str, Any], shape: list[int | str], **more: Any) -> Case:
    """Return the one case of a network with an input of this shape."""
    (case,) = cases({"inputs": {"x": shape}, "network": list(layers), **more})
    return case


def named(sites: tuple[Site, ...]) -> dict[str, Site]:
    """Return layers by name."""
    return {site.name: site for site in sites}
