"""Reads the windows of a case from the roles that name them: which input, which kernel, which parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradverify.errors import RoleError, nearest_name
from gradverify.numerics.geometry import Window, axis_names
from gradverify.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.layers.registry import WindowRoles

__all__ = ["parameter_at", "parameter_paths", "spatial_places", "windows"]

_SPATIAL = "DHWL"
_LEAST = {"kernel": 1, "stride": 1, "padding": 0, "dilation": 1}


def parameter_at(params: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path (``conv_param.stride``).

    Raises
    ------
    KeyError
        There is no such path.
    """
    value: Any = params
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            raise KeyError(path)
        value = value[name]
    return value


def parameter_paths(params: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the dotted paths of all parameters, those of nested mappings too."""
    found = []
    for name, value in params.items():
        if "." in name:
            continue  # a path could not tell it from a name in a name
        found.append(prefix + name)
        if isinstance(value, dict):
            found.extend(parameter_paths(value, f"{prefix}{name}."))
    return found


def windows(
    roles: WindowRoles, shapes: Mapping[str, tuple[int, ...] | None], params: Mapping[str, Any]
) -> tuple[tuple[str, Window], ...] | None:
    """Return axis name and window for every spatial axis.

    Parameters
    ----------
    roles
        Which inputs and parameters make the window.
    shapes
        Shape of every input; ``None`` where only a file knows it.
    params
        Effective parameters.

    Returns
    -------
    tuple or None
        ``None`` when a shape that is needed is not known yet.

    Raises
    ------
    RoleError
        A role names nothing, or its value is no length.
    """
    if roles.input not in shapes:
        message = f"there is no input '{roles.input}', {nearest_name(roles.input, tuple(shapes))}"
        raise RoleError("input", message, ProblemKind.UNKNOWN_NAME)
    shape = shapes[roles.input]
    is_input = isinstance(roles.kernel, str) and roles.kernel in shapes
    kernel_shape = shapes[roles.kernel] if is_input else None
    if shape is None or (is_input and kernel_shape is None):
        return None
    if kernel_shape is not None:
        kernel: Any = list(_spatial(kernel_shape, roles.kernel_layout, "kernel_layout"))
    else:
        kernel = _value("kernel", roles.kernel, params)
    lengths = _spatial(shape, roles.layout, "layout")
    count = len(kernel) if isinstance(kernel, list) else len(lengths)
    if roles.layout is None:
        lengths = shape[-count:] if count else ()
    if not 0 < count == len(lengths):
        raise RoleError("input", f"'{roles.input}' has shape {list(shape)}, expected at least {max(count, 1)} axes")
    kernels = _lengths("kernel", kernel, count)
    strides = _lengths("stride", _value("stride", roles.stride, params), count)
    dilations = _lengths("dilation", _value("dilation", roles.dilation, params), count)
    paddings = _paddings(_value("padding", roles.padding, params), count)
    found = zip(lengths, kernels, strides, paddings, dilations, strict=True)
    return tuple(
        (axis, Window(*numbers, reads_padding_only=roles.reads_padding_only))
        for axis, numbers in zip(axis_names(count), found, strict=True)
    )


def _spatial(shape: tuple[int, ...], layout: str | None, role: str) -> tuple[int, ...]:
    """Return the lengths along which a window slides: those behind batch and channels, unless a layout says which."""
    if layout is not None and len(layout) != len(shape):
        raise RoleError(role, f"{layout} names {len(layout)} axes of the shape {list(shape)}, expected {len(shape)}")
    return tuple(shape[place] for place in spatial_places(len(shape), layout))


def spatial_places(count: int, layout: str | None = None) -> tuple[int, ...]:
    """Return which axes of ``count`` a window slides along: those behind batch and channels, or the layout's."""
    if layout is None:
        return tuple(range(2 if count > 2 else 0, count))
    return tuple(place for place, letter in enumerate(layout) if letter in _SPATIAL)


def _value(role: str, given: Any, params: Mapping[str, Any]) -> Any:
    if isinstance(given, (list, tuple)):
        return [_value(role, item, params) for item in given]
    if not isinstance(given, str):
        return given
    try:
        return parameter_at(params, given)
    except KeyError:
        wanted = "input or parameter" if role == "kernel" else "parameter"
        hint = nearest_name(given, tuple(parameter_paths(params)))
        message = f"there is no {wanted} '{given}' for the {role}, {hint}"
        raise RoleError(role, message, ProblemKind.UNKNOWN_NAME) from None


def _lengths(role: str, value: Any, count: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    if len(values) != count:
        raise RoleError(role, f"the {role} has {len(values)} values, expected one or {count}")
    return tuple(_length(role, item) for item in values)


def _length(role: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < _LEAST[role]:
        raise RoleError(role, f"the {role} is {value!r}, expected a whole number of at least {_LEAST[role]}")
    return value


def _paddings(value: Any, count: int) -> tuple[tuple[int, int], ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    if len(values) != count:
        raise RoleError("padding", f"the padding has {len(values)} values, expected one or {count}")
    both = []
    for item in values:
        low, high = _lengths("padding", item, 2)
        both.append((low, high))
    return tuple(both)
