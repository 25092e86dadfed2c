"""The contract about how arrays lie in memory: slices, transposes and what may not be written into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.contracts.finding import Finding, broken, kept
from gradverify.checks.contracts.unchanged import changed_inputs
from gradverify.checks.keeping import Kind
from gradverify.targets.handing import Hand

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from gradverify.checks.contracts.look import Look

__all__ = ["layout", "lying"]

_WORDS = {
    "fortran": "Fortran-ordered arrays",
    "strided": "non-contiguous arrays (every other entry of a larger one)",
    "reversed": "arrays with negative strides",
    "read-only": "read-only arrays",
}
# One pass for each: all of its layouts at once, and one by one only where something is wrong.
_TOGETHER = (("fortran", "read-only"), ("strided", "reversed", "read-only"))


def layout(look: Look) -> Finding | None:
    """Check that the layout of inputs and cotangents changes no result.

    A warning where code refuses one by raising, and where only Fortran order of more axes than a matrix has changes
    results: transposing makes none such, and code that finds windows by strides of its own often forgets it. Returns
    ``None`` where arrays cannot lie otherwise, or results change anyway.
    """
    if not look.is_deterministic or look.alone_if_disturbed:
        return None
    known = _layouts(look)
    if not known:
        return None
    suspects = [name for group in _TOGETHER for name in _suspects(look, [name for name in group if name in known])]
    wrong: list[str] = []
    mild: list[str] = []
    for name in dict.fromkeys(suspects):
        other, raised = _results(look, (name,))
        if other:
            rare = name == "fortran" and not any(_results(look, ("transposed",)))
            (mild if rare else wrong).append(f"{_WORDS[name]} give other results: {other}")
        elif raised:
            mild.append(f"it refuses {_WORDS[name]}: {raised}")
    if wrong or mild:
        return broken(wrong or mild, milder=not wrong)
    return kept(f"the same for {', '.join(_WORDS[name] for name in known)}")


def _layouts(look: Look) -> tuple[str, ...]:
    """Return the layouts to look at: what writes into its inputs is known to, and need not be told again."""
    written = changed_inputs(look) or any(change.kind is Kind.COTANGENT for change in look.trial.keeper.changes)
    return tuple(name for name in look.traits.layouts if not (written and name == "read-only"))


def _suspects(look: Look, group: list[str]) -> Iterator[str]:
    """Yield the layouts of a group where they give something else together."""
    if group and any(_results(look, group)):
        yield from group


def _results(look: Look, names: Collection[str]) -> tuple[str, str]:
    """Say what is other in a pass on arrays of some layouts, and what it raises; nothing where all is well."""
    hand = _Lying(names, look.traits.parameters)
    try:
        forward = look.forward(hand=hand)
        changed = look.differ.outputs(forward.outputs, otherwise=True)
        changed |= look.differ.gradients(look.gradients, look.backward(forward, hand=hand), otherwise=True)
    except Exception as error:  # noqa: BLE001  user code that refuses an array
        return "", look.said(error)
    return ", ".join(f"{name} differs by {gap:.2g}" for name, gap in changed.items()), ""


class _Lying(Hand):
    """Hands out arrays in some layouts at once; parameters of an object are its own, and lie as they are."""

    def __init__(self, names: Collection[str], parameters: Collection[str]) -> None:
        self._names, self._parameters = names, parameters

    def array(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        return array.copy() if name in self._parameters else lying(array, self._names)


def lying(array: NDArray[Any], names: Collection[str]) -> NDArray[Any]:
    """Return a copy of an array that lies otherwise in memory.

    Parameters
    ----------
    array
        The array.
    names
        ``fortran``, ``transposed`` (the second axis lies last, as channels do), ``strided`` (every other entry of a
        larger array whose rest is NaN), ``reversed`` (negative strides along the last axis), ``read-only``.
    """
    turned = "fortran" in names or ("transposed" in names and array.ndim == 2)
    made = np.array(array, order="F" if turned else "C")
    if "transposed" in names and array.ndim > 2:
        made = np.moveaxis(np.array(np.moveaxis(array, 1, -1), order="C"), -1, 1)
    if array.ndim and not {"strided", "reversed"}.isdisjoint(names):
        step = 2 if "strided" in names else 1
        last = -step if "reversed" in names else step
        rest = np.nan if array.dtype.kind == "f" else 0
        larger = np.full([step * length for length in array.shape], rest, array.dtype)
        made = larger[(slice(None, None, step),) * (array.ndim - 1) + (slice(None, None, last),)]
        made[...] = array
    made.flags.writeable = "read-only" not in names
    return made
