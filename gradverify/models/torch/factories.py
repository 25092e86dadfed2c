"""Makes what is read: finds what a factory names, and calls it where it makes a module."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

from gradverify.errors import ModelError, TargetError, explain_error
from gradverify.importing import imported
from gradverify.models.torch.signatures import signature_of
from gradverify.spec.calls import made, read_call

if TYPE_CHECKING:
    from gradverify.models.requests import TorchRequest
    from gradverify.spec.calls import Call

__all__ = ["Factory", "factory_of"]


@dataclass(frozen=True, slots=True)
class Factory:
    """Makes a module, or a function on tensors.

    Attributes
    ----------
    call
        As it is written.
    found
        What that names.
    folder
        Where the user's code is.
    inputs
        How many inputs the forward pass is given.
    """

    call: Call
    found: Any
    folder: str
    inputs: int

    @property
    def is_made(self) -> bool:
        """Whether it is a module already, with data of its own."""
        return isinstance(self.found, nn.Module)

    def make(self) -> Any:
        """Return a module in its evaluation mode, or a function.

        Raises
        ------
        ModelError
            There is none, or what makes it needs other arguments. What it raises itself is passed on.
        """
        if self.is_made:
            return self._instance().eval()
        if self.call.arguments is None and not _binds(self.found):
            return self._function()
        return self._result()

    def _result(self) -> Any:
        """Return what calling it returns; itself, where it takes any number of tensors and returns no module."""
        positional, named = _arguments(self.call)
        open_ended = self.call.arguments is None and _takes_any_number(self.found)
        try:
            result = self.found(*positional, **named)
        except Exception:
            if open_ended:
                return self.found
            raise
        if isinstance(result, nn.Module):
            return result.eval()
        if callable(result) and not isinstance(result, type):
            return result
        if open_ended:
            return self.found
        kind = result.__name__ if isinstance(result, type) else type(result).__name__
        raise ModelError(f"'{self.call}' returned {_article(kind)}, expected a torch Module, or a function on tensors")

    def _instance(self) -> Any:
        if self.call.arguments is not None:
            kind = type(self.found).__name__
            raise ModelError(f"'{self.call}' is a {kind} already and not what makes one: write it without parentheses")
        return self.found

    def _function(self) -> Any:
        """Return what needs arguments: a function on as many tensors as there are inputs."""
        if isinstance(self.found, type) or not _binds(self.found, self.inputs):
            takes, example = signature_of(self.found) or "other arguments", f"{self.call}(10, width=0.5)"
            given = "" if isinstance(self.found, type) else "; or, of a function on tensors, an input shape for each"
            raise ModelError(f"'{self.call}' takes {takes}: give what it needs in a call, as in '{example}'{given}")
        return self.found


def factory_of(request: TorchRequest) -> Factory:
    """Import what a request names.

    Raises
    ------
    ModelError
        It cannot be read, there is no such thing, its module cannot be imported, or it makes nothing.
    """
    call = _call(request)
    try:
        found = imported(call)
    except TargetError as error:
        raise ModelError(str(error)) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  code of the user, which may raise anything
        raise ModelError(f"'{call}' cannot be imported: {explain_error(error, (request.folder,))}") from None
    if not callable(found):
        kind = _article(type(found).__name__)
        raise ModelError(f"'{call}' is {kind}, expected a torch Module, its class, or a function that makes one")
    return Factory(call, found, request.folder, len(request.input_shapes))


def _call(request: TorchRequest) -> Call:
    try:
        call = read_call(request.factory)
        _arguments(call)
    except ValueError as error:
        raise ModelError(f"'{request.factory}': {error}") from None
    if not call.module:
        raise ModelError(f"'{request.factory}' names no module, expected module:name or file.py:name")
    return call.located(request.folder)


def _arguments(call: Call) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call, which are plain values: there is nothing that a name could stand for."""
    given = [(key, made(value, _unknown)) for key, value in call.arguments or ()]
    return [value for key, value in given if key is None], {key: value for key, value in given if key is not None}


def _unknown(name: str) -> Any:
    raise ValueError(f"'{name}' is a name, expected plain values as arguments")


def _binds(function: Any, count: int = 0) -> bool:
    """Return whether a function takes that many arguments; of one that does not tell, whether there are any."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # torch's own have none
        return count > 0 or isinstance(function, type)
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _takes_any_number(function: Any) -> bool:
    signature = None if isinstance(function, type) else signature_of(function)
    return signature is not None and any(item.kind is item.VAR_POSITIONAL for item in signature.parameters.values())


def _article(noun: str) -> str:
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"
