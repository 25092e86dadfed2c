"""Makes the arguments of a call from what its names stand for."""

from __future__ import annotations

import copy
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from gradverify.errors import TargetError
from gradverify.spec.calls import Arguments, made
from gradverify.targets.attributes import value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["arguments_of", "called", "copied"]

# What Python says where a function is called with other arguments than it has.
_SIGNATURE = re.compile(r"takes .*argument|missing .*argument|unexpected keyword argument|multiple values for")


def arguments_of(arguments: Arguments, names: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the positional arguments and those by name.

    Parameters
    ----------
    arguments
        As the spec has them.
    names
        What each name stands for; looked up only where it is used.

    Raises
    ------
    TargetError
        A name stands for nothing here.
    """
    look_up = partial(_named, names=names)
    positional = [made(value, look_up) for key, value in arguments if key is None]
    return positional, {key: made(value, look_up) for key, value in arguments if key is not None}


def copied(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies of parameters, for code that changes what it is given; what cannot be copied is handed over."""
    return {name: _copied(value) for name, value in params.items()}


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001  modules, locks, and a __deepcopy__ of the user's
        return value


def called(function: Callable[..., Any], positional: Iterable[Any], named: Mapping[str, Any]) -> Any:
    """Call a function of the user's.

    Raises
    ------
    TargetError
        It does not take these arguments.
    """
    try:
        return function(*positional, **named)
    except StopIteration as error:  # it would end a loop of ours
        raise RuntimeError(f"StopIteration: {error}") from error
    except TypeError as error:
        trace = error.__traceback__
        if trace is None or trace.tb_next is not None or not _SIGNATURE.search(str(error)):
            raise
        raise TargetError(f"{error}; say what it takes with a call, as in module:function(x, w, stride)") from None


def _named(text: str, names: Mapping[str, Any]) -> Any:
    """Return what a name stands for, or an attribute of that."""
    root, _, rest = text.partition(".")
    if root not in names:
        raise TargetError(f"there is no '{root}' for the call, expected one of {', '.join(names)}")
    return value_at(names[root], re.sub(r"\['?|'?\]", ".", rest).strip(".")) if rest else names[root]
