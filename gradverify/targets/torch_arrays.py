"""Tensors of torch from arrays of numpy and back, the precision of what code makes itself, and its generators."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.targets.protocol import Array

__all__ = ["array_of", "dtype_of", "has_drawn", "numpy_of", "precision", "seed", "shared_of"]


def array_of(array: Array, device: Any = "cpu") -> Any:
    """Return a copy as a tensor: ``from_numpy`` shares memory with what it is given.

    Raises
    ------
    TypeError
        torch has no such dtype: extended precision, for one.
    """
    return torch.from_numpy(np.array(array)).to(device)


def shared_of(array: Array, device: Any = "cpu") -> Any:
    """Return an array as a tensor that shares its memory, or a copy where torch knows no such tensor.

    Raises
    ------
    TypeError
        As of :func:`array_of`.
    """
    shares = array.flags.writeable and all(step >= 0 for step in array.strides)
    return torch.from_numpy(array).to(device) if shares else array_of(array, device)


def numpy_of(value: Any) -> Any:
    """Return a copy of a tensor as an array, and anything else as it is.

    Raises
    ------
    TypeError
        numpy has no such dtype: bfloat16, for one.
    """
    if not isinstance(value, torch.Tensor):
        return value
    return value.detach().cpu().resolve_conj().resolve_neg().numpy().copy()


@contextmanager
def precision(dtype: np.dtype[Any] | None) -> Iterator[None]:
    """Let tensors that code makes without naming a dtype be of this one: ``torch.zeros`` for its results, say."""
    before = torch.get_default_dtype()
    if dtype is not None:
        torch.set_default_dtype(dtype_of(dtype))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def dtype_of(dtype: np.dtype[Any] | str) -> Any:
    """Return the dtype of torch that is one of numpy.

    Raises
    ------
    TypeError
        torch has no such dtype.
    """
    return torch.from_numpy(np.empty(0, dtype)).dtype


def seed(number: int) -> None:
    """Seed the generators of the processor and, where it is in use, of CUDA.

    ``torch.manual_seed`` does so too, and asks for every kind of device at 90 times the price.
    """
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(number)


def has_drawn(number: int) -> bool:
    """Return whether code has drawn from the generator of the processor since it was seeded."""
    return not torch.equal(torch.default_generator.get_state(), _seeded(number))


@cache
def _seeded(number: int) -> torch.Tensor:
    return torch.Generator().manual_seed(number).get_state()
