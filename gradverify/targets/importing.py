"""Puts what a spec imports in the place of its ``{import: module:name}``."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradverify.importing import imported
from gradverify.spec.calls import read_call
from gradverify.spec.model import IMPORT
from gradverify.targets.arguments import arguments_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["with_objects"]


def with_objects(params: Mapping[str, Any], folders: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return parameters with every ``{import: module:name}`` replaced by what it names; made by its call, if it is one.

    Parameters
    ----------
    params
        As the spec has them.
    folders
        Where the files are that they name.

    Raises
    ------
    TargetError
        Something named does not exist.
    """
    return {name: _with_objects(value, folders) for name, value in params.items()}


def _with_objects(value: Any, folders: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_with_objects(item, folders) for item in value]
    if not isinstance(value, dict):
        return copy.copy(value)
    if set(value) != {IMPORT}:
        return with_objects(value, folders)
    call = read_call(value[IMPORT])
    there = (folder for folder in folders if Path(folder, call.module).is_file())
    found = imported(call.located(next(there, "")))
    if call.arguments is None:
        return found
    positional, named = arguments_of(call.arguments, {})
    return found(*positional, **named)
