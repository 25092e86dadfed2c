"""Keeps a model where it is read: without data, on the meta device, whatever device its code names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Redirecting", "looks_at_values", "redirected", "without_data"]

# What torch says where somebody asks a tensor without data for its values.
_VALUES = re.compile(r"meta (device|tensor)|register_meta|no data!|Meta tensors|values of a tensor", re.IGNORECASE)
# What draws weights, which nobody looks at here: those of a large network would take most of the time.
_DRAWS = frozenset({
    torch.Tensor.normal_,
    torch.Tensor.uniform_,
    torch.Tensor.erfinv_,
    torch.Tensor.mul_,
    torch.Tensor.add_,
    torch.Tensor.clamp_,
})  # fmt: skip
_MANY = 2**16
_MOVES = frozenset({torch.Tensor.cuda, torch.Tensor.cpu, torch.Tensor.xpu})


def looks_at_values(error: BaseException) -> bool:
    """Return whether an error says that code looked at values that a tensor on the meta device does not have."""
    return isinstance(error, (RuntimeError, NotImplementedError, TypeError)) and bool(_VALUES.search(str(error)))


def redirected(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], device: str
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Return the arguments of a call with every device replaced by one that is there; ``None`` where it only moves.

    A tensor that is moved stays where it is; one that is made on a device is made on ``device``.
    """
    if function in _MOVES:
        return None
    if function is torch.Tensor.to:
        rest = tuple(_dtype_of(value) for value in args[1:] if not _is_device(value))
        named = {name: _dtype_of(value) for name, value in kwargs.items() if name != "device"}
        return ((args[0], *rest), named) if rest or named else None
    if kwargs.get("device") is None or torch.device(kwargs["device"]).type == "meta":
        return tuple(args), dict(kwargs)
    return tuple(args), {**kwargs, "device": device}


class Redirecting(TorchFunctionMode):  # type: ignore[misc]  # torch is not followed
    """Makes and keeps tensors on one device, whatever device the code names that makes a module; large ones undrawn.

    Parameters
    ----------
    device
        Where tensors are made.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = device

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _DRAWS or getattr(func, "__module__", None) == "torch.nn.init":
            weights = args[0] if args else kwargs["tensor"]
            if weights.is_floating_point() and weights.numel() > _MANY:
                return weights
        moved = redirected(func, args, kwargs or {}, self._device)
        return args[0] if moved is None else func(*moved[0], **moved[1])


def without_data(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return what a function makes; where torch refuses two devices, of tensors that are all without data.

    Raises
    ------
    RuntimeError
        An operation would write into a tensor with data, which nobody could look at afterwards.
    """
    try:
        return function(*args, **kwargs)
    except (RuntimeError, NotImplementedError) as error:
        schema = getattr(function, "_schema", None)
        if not _is_mixed((*args, *kwargs.values())) or (schema is None and looks_at_values(error)):
            raise
    if schema is not None and schema.is_mutable and not args[0].is_meta:
        raise RuntimeError("the values of a tensor are computed from the input, on the meta device")
    return function(*_mapped(args, _emptied), **{name: _mapped(value, _emptied) for name, value in kwargs.items()})


def _is_device(value: Any) -> bool:
    return isinstance(value, (torch.device, str)) or (isinstance(value, int) and not isinstance(value, bool))


def _dtype_of(value: Any) -> Any:
    return value.dtype if isinstance(value, torch.Tensor) else value


def _is_mixed(values: Any) -> bool:
    found: set[bool] = set()
    _mapped(values, lambda tensor: found.add(bool(tensor.is_meta)))
    return len(found) == 2


def _emptied(tensor: Any) -> Any:
    return tensor if tensor.is_meta else tensor.to("meta")


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return lists and tuples with every tensor changed."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, (tuple, list)):
        return type(value)(_mapped(item, change) for item in value)
    return value
