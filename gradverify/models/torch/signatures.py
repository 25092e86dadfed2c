"""What a function takes, as far as it tells."""

from __future__ import annotations

import inspect
from typing import Any

__all__ = ["signature_of"]


def signature_of(function: Any) -> inspect.Signature | None:
    """Return what a function takes, without what it says of types; ``None`` where it does not tell."""
    schema = getattr(function, "schema", None)  # of a script
    if schema is not None:
        return inspect.Signature([_parameter(item) for item in schema.arguments if item.name != "self"])
    try:
        plain = inspect.signature(function)
    except (TypeError, ValueError):  # torch's own have none
        return None
    bare = [item.replace(annotation=item.empty) for item in plain.parameters.values()]
    return plain.replace(parameters=bare, return_annotation=plain.empty)


def _parameter(item: Any) -> inspect.Parameter:
    default = item.default_value if item.has_default_value() else inspect.Parameter.empty
    return inspect.Parameter(item.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
