"""Contracts about calling more than once: the same again, backward again, another forward pass in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradverify.checks.contracts.differences import apart, size
from gradverify.checks.contracts.finding import Finding, broken, kept, skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.checks.contracts.look import Look

__all__ = ["backward_deterministic", "backward_twice", "forward_deterministic", "stale_cache"]

# Part of a gradient by which twice of it may be missed and still count as twice.
_TWICE = 1e-3
# Where objects of a tape keep their gradient, and whose arrays are none, though some have such an attribute.
_GRADIENTS = ("grad", "_grad", "gradient", "grads")
_LIBRARIES = ("builtins", "numpy", "torch")


def forward_deterministic(look: Look) -> Finding:
    """Check that two forward passes on the same inputs give the same outputs, but for the order of sums."""
    try:
        changed = look.differ.outputs(look.again.outputs)
    except Exception as error:  # noqa: BLE001  user code with a state
        return broken([f"forward raises when it runs again on the same inputs: {look.said(error)}"])
    if not changed:
        return kept("two forward passes give the same outputs")
    gaps = _gaps(changed, "between two passes on the same inputs")
    why = "forward draws from a generator of its own or keeps a state, so no comparison of its gradients means anything"
    return broken([f"{gaps}: {why}"])


def backward_deterministic(look: Look) -> Finding | None:
    """Check that forward and backward give the same gradients again; ``None`` where forward does not."""
    if not look.is_deterministic:
        return None
    changed = look.alone_if_disturbed
    if not changed:
        return kept("two backward passes, each after its own forward, give the same gradients")
    if isinstance(changed, str):
        return broken([f"backward raises when both passes run again on the same inputs: {changed}"])
    return broken([_gaps(changed, "between two runs of forward and backward on the same inputs")])


def stale_cache(look: Look) -> Finding | None:
    """Check that a forward pass on other inputs does not disturb what an earlier one keeps for backward.

    Returns ``None`` where forward keeps nothing, one object serves all passes, or the gradients change anyway.
    """
    if not (look.is_disturbable and look.is_deterministic):
        return None
    if look.refusal is not None:
        return skipped(f"forward does not take the inputs in reverse order: {look.refusal}")
    if not look.disturbed:
        return kept("a cache serves backward though forward ran on other inputs in between")
    if look.alone:
        return None
    if isinstance(look.disturbed, str):
        return broken([f"backward raises when forward ran on other inputs in between: {look.disturbed}"])
    gaps = _gaps(look.disturbed, "when forward ran on other inputs in between")
    return broken([f"{gaps}: {'two objects' if look.traits.is_object else 'two passes'} share what backward reads"])


def backward_twice(look: Look) -> Finding | None:
    """Check that backward gives the same gradients when it is called again with the same cache.

    A warning for objects and for tapes: to add to gradients, or to let go of what forward kept, is a convention there.
    Returns ``None`` where forward keeps nothing, or backward updates what it reads.
    """
    if not look.keeps or look.traits.updated:
        return None
    milder = look.traits.is_object or _is_tape(look.trial.forward.cache)
    try:
        first, second = look.twice
    except Exception as error:  # noqa: BLE001  user code that consumes its cache
        said = f"backward raises on its second call: {look.said(error)}: it consumes its cache"
        return broken([said], milder=milder)
    changed = look.differ.gradients(first, second)
    if not changed:
        return kept("backward gives the same gradients again from the same cache")
    return broken(_repeated(changed, first, second), milder=milder)


def _is_tape(cache: Any) -> bool:
    """Return whether a cache holds objects that carry their gradient with them: it adds up until it is set to zero."""
    if isinstance(cache, (list, tuple)):
        return any(_is_tape(item) for item in cache)
    if isinstance(cache, dict):
        return any(_is_tape(item) for item in cache.values())
    return type(cache).__module__ not in _LIBRARIES and any(hasattr(cache, name) for name in _GRADIENTS)


def _repeated(changed: Mapping[str, float], first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Say what became of gradients at the second call."""
    names = [name for name in changed if name[1:] in first and name[1:] in second]
    doubled = [name for name in names if apart(2 * first[name[1:]], second[name[1:]]) <= _TWICE * size(first[name[1:]])]
    others = {name: gap for name, gap in changed.items() if name not in doubled}
    said = []
    if doubled:
        verb = "doubles" if len(doubled) == 1 else "double"
        said.append(f"{', '.join(doubled)} {verb} at the second call: backward adds to what the last call left")
    if others:
        said.append(_gaps(others, "when backward is called again with the same cache"))
    return said


def _gaps(changed: Mapping[str, float], when: str) -> str:
    """Return ``dx differs by 0.3, dw by 2.1 between ...``."""
    parts = [f"{name} by {gap:.2g}" for name, gap in changed.items()]
    return f"{', '.join(parts)} {when}".replace(" by ", " differs by ", 1)
