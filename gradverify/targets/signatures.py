"""What a function can be given, read off its signature."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Signature"]


@dataclass(frozen=True, slots=True)
class Signature:
    """The arguments that a function can be given: those that it must be, and those that it may."""

    required: tuple[str, ...]
    optional: Mapping[str, Any]
    open: bool
    keywords: bool

    def accepts(self, name: str) -> bool:
        """Return whether an argument of this name can be given."""
        return self.keywords or name in self.required or name in self.optional

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Signature:
        """Read a function's signature; one that cannot be read takes whatever comes."""
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return cls((), {}, open=True, keywords=True)
        kinds = {item.kind for item in parameters}
        named = [item for item in parameters if item.kind not in {item.VAR_POSITIONAL, item.VAR_KEYWORD}]
        return cls(
            tuple(item.name for item in named if item.default is item.empty),
            {item.name: item.default for item in named if item.default is not item.empty},
            inspect.Parameter.VAR_POSITIONAL in kinds,
            inspect.Parameter.VAR_KEYWORD in kinds,
        )
