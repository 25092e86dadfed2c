"""The inputs of a forward pass: tensors without data, by position or by name."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from gradverify.errors import ModelError, nearest_name
from gradverify.models.torch.signatures import signature_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.models.requests import TorchRequest
    from gradverify.spec.site import Shape

__all__ = ["Inputs", "inputs_of"]

_DTYPES = {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a forward pass is given.

    Attributes
    ----------
    positional, named
        Tensors on the meta device.
    shapes
        Names and shapes of all.
    """

    positional: tuple[Any, ...]
    named: dict[str, Any]
    shapes: tuple[tuple[str, Shape], ...]


def inputs_of(request: TorchRequest, subject: Any) -> Inputs:
    """Return what a module or a function is given.

    Raises
    ------
    ModelError
        It takes something else, a length is less than 1, or there is no such dtype.
    """
    usual = _usual_dtype(subject)
    tensors = [(name, _tensor(lengths, dtype, usual)) for name, lengths, dtype in request.input_shapes]
    positional = tuple(tensor for name, tensor in tensors if not name)
    named = {name: tensor for name, tensor in tensors if name}
    names = iter(_names(subject, positional, named))
    shapes = tuple((name or next(names), tuple(tensor.shape)) for name, tensor in tensors)
    return Inputs(positional, named, shapes)


def _usual_dtype(subject: Any) -> torch.dtype:
    """Return the dtype of a module's first weight that is a real number; float32 where there is none."""
    weights = subject.parameters() if isinstance(subject, torch.nn.Module) else ()
    return next((weight.dtype for weight in weights if weight.dtype.is_floating_point), torch.float32)


def _tensor(lengths: tuple[int, ...], dtype: str, usual: torch.dtype) -> Any:
    if any(length < 1 for length in lengths):
        raise ModelError(f"the input shape {list(lengths)} has a length below 1")
    if dtype and dtype not in _DTYPES:
        raise ModelError(f"torch has no dtype '{dtype}', {nearest_name(dtype, tuple(_DTYPES))}")
    return torch.empty(lengths, dtype=_DTYPES[dtype] if dtype else usual, device="meta")


def _names(subject: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> Iterator[str]:
    """Return what the positional inputs are called."""
    signature = signature_of(subject.forward if isinstance(subject, torch.nn.Module) else subject)
    if signature is None:
        return (f"input{number}" for number in range(len(positional)))
    try:
        given = signature.bind(*positional, **named).arguments
    except TypeError as error:
        raise ModelError(
            f"the forward pass takes {signature}, and {len(positional) + len(named)} input shapes are given ({error}): "
            "give one for each, as in --input-shape x=1,3,224,224"
        ) from None
    return _listed(given, signature, named)


def _listed(given: dict[str, Any], signature: inspect.Signature, named: dict[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            yield from (f"{name}{number}" for number in range(len(value)))
        elif name not in named:
            yield name
