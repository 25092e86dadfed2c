"""The options of ``gradverify run`` that may stand in pytest's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gradverify.cli.options import Common
from gradverify.cli.run import run
from gradverify.errors import UsageError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read_options"]

# What pytest itself does, or what is no affair of a single case.
_PYTESTS: dict[str, Any] = {
    "specs": (),
    "ids": (),
    "formats": (),
    "keyword": None,
    "fail_fast": False,
    "collect_only": False,
    "allow_empty": False,
    "quiet": False,
    "verbose": False,
    "save_failures": None,
}


def read_options(words: Sequence[str]) -> Common:
    """Return the options that are written in ``gradverify_options``, by the rules of the command line.

    Raises
    ------
    UsageError
        One is unknown, has a wrong value, or is pytest's.
    """
    known = [option for option in run.params if option.name not in _PYTESTS]
    names = [name for option in known for name in option.opts]
    command = click.Command("gradverify_options", params=known, add_help_option=False)
    try:
        given = command.make_context("gradverify_options", list(words)).params
    except click.NoSuchOption as error:
        hint = nearest_name(error.option_name, tuple(names))
        raise UsageError(f"gradverify_options: '{error.option_name}' is no option for pytest's runs, {hint}") from None
    except click.UsageError as error:
        raise UsageError(f"gradverify_options: {error.format_message()}") from None
    return Common(**_PYTESTS, **given)
