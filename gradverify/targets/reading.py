"""Reads what forward and backward functions return, in all the ways in which people let them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError, nearest_name
from gradverify.targets.attributes import value_at
from gradverify.targets.protocol import Array, Forward, Gradients

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["holds_arrays", "read_forward", "read_gradients"]


def read_forward(result: Any, returns: tuple[str, ...] | None, *, copies: bool = True) -> Forward:
    """Sort what a forward function returned into outputs, cache and gradient.

    Parameters
    ----------
    result
        One array is the output; a 2-tuple is output and cache; anything else needs ``returns``.
    returns
        A name for each part: ``out``, ``out2``, ..., ``cache``, ``grad``, ``grad2``, ..., ``_``.
    copies
        Whether outputs are copied: code may return its own input, or one buffer again and again.

    Raises
    ------
    TargetError
        The parts do not match their names, or an output is no array of numbers.
    """
    parts = _named(result, returns)
    raw = [parts[name] for name in parts if name.startswith("out")]
    outputs: list[Array] = []
    for value in raw:
        several = isinstance(value, tuple) or (isinstance(value, list) and holds_arrays(value))
        outputs.extend(_output(item, copies) for item in (value if several else (value,)))
    gradients = [parts[name] for name in parts if name.startswith("grad")]
    return Forward(
        outputs=tuple(outputs),
        cache=parts.get("cache"),
        has_cache="cache" in parts,
        gradient=gradients[0] if len(gradients) == 1 else tuple(gradients),
        has_gradient=bool(gradients),
        summed=bool(gradients),
    )


def _named(result: Any, returns: tuple[str, ...] | None) -> dict[str, Any]:
    if returns is None:
        if not isinstance(result, tuple):
            return {"out": result}
        if len(result) != 2:
            raise TargetError(
                f"forward returned a tuple of {len(result)}, expected an array or (out, cache); "
                "name its parts with returns: [out, ...]"
            )
        return {"out": result[0], "cache": result[1]}
    values = result if isinstance(result, (tuple, list)) and len(returns) > 1 else (result,)
    if len(values) != len(returns):
        raise TargetError(f"forward returned {len(values)} values, expected {len(returns)}: {', '.join(returns)}")
    return {name: value for name, value in zip(returns, values, strict=True) if name != "_"}


def holds_arrays(values: list[Any]) -> bool:
    """Return whether a list is several arrays, and not one."""
    return bool(values) and all(isinstance(value, np.ndarray) for value in values)


def _output(value: Any, copies: bool) -> Array:
    try:
        array = np.array(value, copy=True) if copies else np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TargetError(f"forward returned a {type(value).__name__} that is no array of numbers: {error}") from None
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind not in "fc":
        raise TargetError(f"forward returned {_described(value)}, expected an array of numbers")
    return array


def _described(value: Any) -> str:
    dtype = f" of dtype {value.dtype}" if isinstance(value, np.ndarray) else ""
    return f"a {type(value).__name__}{dtype}"


def read_gradients(
    result: Any,
    names: tuple[str, ...],
    differentiable: tuple[str, ...],
    gradients: tuple[str, ...] | Mapping[str, str] | None = None,
) -> Gradients:
    """Sort what a backward function returned by input.

    Parameters
    ----------
    result
        One array, a tuple or list in the order of the inputs, or a dict by name (``x``, else ``dx``).
    names
        All inputs, in order.
    differentiable
        Those that have a gradient; ``None`` is accepted in the place of the others.
    gradients
        Names for what was returned, in order, with ``_`` for what does not matter; or by input a path into it. ``None``
        leaves it to the order of the inputs.
    """
    if isinstance(gradients, tuple):
        return _by_position(result, gradients, differentiable)
    if gradients is not None:
        return Gradients({name: value_at(result, path) for name, path in gradients.items() if name in differentiable})
    if isinstance(result, dict):
        return _by_name(result, names, differentiable)
    values = list(result) if isinstance(result, (tuple, list)) else [result]
    if len(values) == len(differentiable):
        return Gradients(dict(zip(differentiable, values, strict=True)))
    if len(values) == len(names) and _none_elsewhere(values, names, differentiable):
        return Gradients({name: value for name, value in zip(names, values, strict=True) if name in differentiable})
    wanted = ", ".join(differentiable)
    message = f"backward returned {len(values)} gradients, expected {len(differentiable)}: {wanted}"
    return Gradients({}, message)


def _by_position(result: Any, order: tuple[str, ...], differentiable: tuple[str, ...]) -> Gradients:
    values = list(result) if isinstance(result, (tuple, list)) and len(order) > 1 else [result]
    if len(values) != len(order):
        return Gradients({}, f"backward returned {len(values)} values, expected {len(order)}: {', '.join(order)}")
    found = {name: value for name, value in zip(order, values, strict=True) if name in differentiable}
    missing = [name for name in differentiable if name not in found]
    return Gradients(found, f"gradients names none for {', '.join(missing)}" if missing else None)


def _none_elsewhere(values: list[Any], names: tuple[str, ...], differentiable: tuple[str, ...]) -> bool:
    return all(value is None for name, value in zip(names, values, strict=True) if name not in differentiable)


def _by_name(result: dict[Any, Any], names: tuple[str, ...], differentiable: tuple[str, ...]) -> Gradients:
    found, used = {}, set()
    for name in names:
        key = name if name in result else f"d{name}"
        if key in result:
            used.add(key)
            if name in differentiable:
                found[name] = result[key]
    missing = [name for name in differentiable if name not in found]
    if not missing:
        return Gradients(found)
    unused = [str(key) for key in result if key not in used]
    hint = f"; {nearest_name(missing[0], tuple(unused))}" if unused else ""
    return Gradients(found, f"backward returned no gradient for {', '.join(missing)}{hint}")
