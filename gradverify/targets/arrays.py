"""Hand-written functions that compute with tensors of torch or arrays of jax: numpy in, numpy out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gradverify.targets.frameworks import widest
from gradverify.targets.protocol import LAYOUTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from gradverify.targets.protocol import Array

__all__ = ["ArrayKind", "adapted", "inward", "layouts_of"]

# Where each kind of array is, to load on use.
_KINDS = {"torch": "gradverify.targets.torch_arrays", "jax": "gradverify.targets.jax_arrays"}


class ArrayKind(Protocol):
    """What a kind of array offers; a module."""

    def shared_of(self, array: Array) -> Any:
        """Return a numpy array as one of this kind, which shares its memory where that is possible."""

    def numpy_of(self, value: Any) -> Any:
        """Return a copy of an array of this kind as one of numpy, and anything else as it is."""

    def precision(self, dtype: np.dtype[Any] | None) -> AbstractContextManager[Any]:
        """Return where code computes in a dtype that it does not name."""

    def seed(self, number: int) -> None:
        """Seed the global generators of this kind."""


def layouts_of(name: str) -> tuple[str, ...]:
    """Return in which layouts arrays reach code that computes with ``numpy``, ``torch`` or ``jax``.

    torch draws random numbers in the order of memory: a mask for an array in Fortran order is another by right.
    """
    return {"torch": ("strided",), "jax": ()}.get(name, LAYOUTS)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A cache, on its way from forward to backward: no array in it is converted."""

    value: Any


def adapted(
    name: str, forward: Callable[..., Any], backward: Callable[..., Any] | None, returns: tuple[str, ...] | None
) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    """Return a forward and a backward function that take and return arrays of numpy.

    Parameters
    ----------
    name
        ``torch`` or ``jax``.
    forward, backward
        The functions of the user.
    returns
        Names what forward returns, or ``None``.
    """
    kind: ArrayKind = import_module(_KINDS[name])

    def adapted_forward(*arguments: Any, **named: Any) -> Any:
        kind.seed(0)
        return _forward_result(kind, _called(kind, forward, arguments, named), returns)

    def adapted_backward(*arguments: Any, **named: Any) -> Any:
        assert backward is not None  # noqa: S101  for the type checker
        return _mapped(_called(kind, backward, arguments, named), kind.numpy_of)

    return adapted_forward, None if backward is None else adapted_backward


def _called(kind: ArrayKind, function: Callable[..., Any], arguments: Any, named: Mapping[str, Any]) -> Any:
    with kind.precision(widest(_arrays([arguments, named]))):
        return function(*inward(kind, arguments), **inward(kind, named))


def inward(kind: ArrayKind, value: Any) -> Any:
    """Return a value with every numpy array in its lists, tuples and dictionaries converted."""
    return _mapped(value, lambda item: _one_inward(kind, item))


def _one_inward(kind: ArrayKind, item: Any) -> Any:
    if isinstance(item, _Kept):
        return item.value
    return kind.shared_of(item) if isinstance(item, np.ndarray) else item


def _forward_result(kind: ArrayKind, result: Any, returns: tuple[str, ...] | None) -> Any:
    """Return what forward returned, its cache kept as it is and all else converted."""
    names = ("out", "cache") if returns is None else returns
    split = isinstance(result, tuple) or (isinstance(result, list) and returns is not None)
    if not split or len(result) != len(names) or len(names) == 1:
        return _mapped(result, kind.numpy_of)
    parts = zip(names, result, strict=True)
    return tuple(_Kept(part) if name == "cache" else _mapped(part, kind.numpy_of) for name, part in parts)


def _mapped(value: Any, convert: Callable[[Any], Any]) -> Any:
    if type(value) in {list, tuple}:
        return type(value)(_mapped(item, convert) for item in value)
    if type(value) is dict:
        return {key: _mapped(item, convert) for key, item in value.items()}
    return convert(value)


def _arrays(value: Any) -> Iterator[Array]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _arrays(item)
    elif isinstance(value, dict):
        yield from _arrays(list(value.values()))
