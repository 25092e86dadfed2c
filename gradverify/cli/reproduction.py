"""The command that runs one case alone, as its user would have to type it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.spec.sweeping import format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradverify.cli.options import Common
    from gradverify.spec.model import Case

__all__ = ["Reproduction"]

# What decides the verdict of a case, by the field of the options that holds it.
_DECIDING = {
    "--seed": "seed",
    "--dtype": "dtype",
    "--rtol": "rtol",
    "--atol": "atol",
    "--timeout": "timeout",
    "--memory": "memory",
    "--method": "method",
    "--max-passes": "max_passes",
    "--fail-on": "fail_on",
}


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Says how to run one case of a command alone.

    Parameters
    ----------
    command
        ``run``, ``audit`` or ``sweep``.
    common
        The options that the user gave: those that decide a verdict are repeated.
    keys
        The keys that ``--set`` gave values.
    more
        Gives further options that decide the verdict of a case, as words of a command line.
    factories
        What stands behind ``--torch`` and is no spec.
    """

    command: str
    common: Common
    keys: tuple[str, ...] = ()
    more: Callable[[Case], tuple[str, ...]] | None = None
    factories: tuple[str, ...] = ()

    def __call__(self, case: Case) -> str:
        """Return the command for a POSIX shell; the path of the spec is as it was given."""
        spec = [f"./{case.spec}" if case.spec.startswith("-") else case.spec]
        if case.spec in self.factories:
            spec = ["--torch", case.spec]
        settings = {key: case.sweep[key] for key in self.keys if key in case.sweep}
        more = self.more(case) if self.more else ()
        words = ["gradverify", self.command, *spec, "--case", case.id, *_sets(settings), *self._options(), *more]
        return shlex.join(words)

    def _options(self) -> list[str]:
        given = {option: getattr(self.common, field) for option, field in _DECIDING.items()}
        words = [word for option, value in given.items() if value is not None for word in (option, str(value))]
        return [*words, *(["--strict"] if self.common.strict else [])]


def _sets(settings: Mapping[str, object]) -> list[str]:
    """Return ``--set`` with the one value of each key, as ``--set`` reads it."""
    texts = {key: value if isinstance(value, str) else format_value(value) for key, value in settings.items()}
    return [word for key, text in texts.items() for word in ("--set", f"{key}={text}")]
