"""Finding a function by its name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["resolve"]


def resolve(function: str) -> Callable[[Any], Any]:
    """Import what ``module:callable`` names."""
    module, _, name = function.partition(":")
    found: Callable[[Any], Any] = getattr(import_module(module), name)
    return found
