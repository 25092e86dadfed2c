"""The options that run, audit and sweep share, those of run and sweep alone, and what they become."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gradverify.cli.completion import case_ids, folders, format_names, spec_files
from gradverify.reporters import REPORTERS
from gradverify.results import FailOn
from gradverify.spec.model import DTYPES, LARGEST_MEMORY, LARGEST_WHOLE, METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.pipeline import Policy
    from gradverify.spec.overriding import Overrides

__all__ = ["Common", "common_options", "engine_options", "usable_cores"]

_FAIL_ON = [choice.value for choice in FailOn]

Function = TypeVar("Function", bound="Callable[..., Any]")


class _Format(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """``NAME`` or ``NAME=FILE``."""

    name = "NAME[=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str | None]:
        if isinstance(value, tuple):
            return value
        name, separator, file = value.partition("=")
        if name not in REPORTERS:
            self.fail(f"'{name}' is not a format, expected one of {', '.join(sorted(REPORTERS))}", param, ctx)
        if separator and not file:
            self.fail(f"'{value}' names no file, expected {name} or {name}=FILE", param, ctx)
        return name, file or None


class _Number(click.FloatRange):
    """A finite number: click's own range lets ``nan`` and ``inf`` through."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not finite, expected a finite number", param, ctx)
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The shared options, as given; those that only concern running code are left out by audit."""

    specs: tuple[str, ...]
    ids: tuple[str, ...]
    formats: tuple[tuple[str, str | None], ...]
    keyword: str | None
    seed: int | None
    dtype: str | None
    rtol: float | None
    atol: float | None
    timeout: float | None
    workers: int | None
    fail_fast: bool
    fail_on: str | None
    strict: bool
    collect_only: bool
    allow_empty: bool
    quiet: bool
    verbose: bool
    memory: int | None = None
    method: str | None = None
    max_passes: int | None = None
    save_failures: str | None = None

    def overrides(self, sweeps: dict[str, str] | None = None) -> Overrides:
        """Return what these options set in place of the spec."""
        from gradverify.spec.overriding import Overrides  # noqa: PLC0415  loaded by commands alone

        return Overrides(
            seed=self.seed,
            dtype=self.dtype,
            rtol=self.rtol,
            atol=self.atol,
            timeout=self.timeout,
            memory=self.memory,
            method=self.method,
            max_passes=self.max_passes,
            strict=self.strict or None,
            fail_on=None if self.fail_on is None else FailOn(self.fail_on),
            sweeps=sweeps or {},
        )

    def policy(self, default: str, **others: Any) -> Policy:
        """Return what fails a case; the options are overrides of each."""
        from gradverify.pipeline import Policy  # noqa: PLC0415  as above

        return Policy(fail_on=FailOn(default), **others)


def common_options(*, metavar: str = "SPEC...", required: bool = True) -> Callable[[Function], Function]:
    """Add the shared options to a command; they arrive as the keywords of ``Common``.

    Parameters
    ----------
    metavar, required
        What the command takes besides, and whether it must be there.
    """
    names = click.argument(
        "specs", nargs=-1, required=required, metavar=metavar, callback=_files_of, shell_complete=spec_files
    )
    return lambda function: _with((names, *_OPTIONS), function)


def _files_of(_context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that a command was given, with patterns in their files' place."""
    if not re.search(r"[*?[]", "".join(names)):
        return names
    from gradverify.cli.patterns import expanded  # noqa: PLC0415  most names are no patterns

    return expanded(names)


def engine_options(function: Function) -> Function:
    """Add what commands that verify gradients take besides; the keywords of ``Common`` that have defaults."""
    return _with(_ENGINE_OPTIONS, function)


def _with(options: tuple[Callable[[Any], Any], ...], function: Function) -> Function:
    for option in reversed(options):
        function = option(function)
    return function


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--format",
        "formats",
        type=_Format(),
        multiple=True,
        shell_complete=format_names,
        help=f"Report to stdout or FILE; repeatable: {', '.join(sorted(REPORTERS))}.  [default: terminal]",
    ),
    click.option("-k", "keyword", metavar="TEXT", shell_complete=case_ids, help="Only cases whose id contains TEXT."),
    click.option(
        "--case",
        "ids",
        multiple=True,
        metavar="ID",
        shell_complete=case_ids,
        help="Only the case with this id; repeatable.",
    ),
    click.option("--seed", type=click.IntRange(min=0, max=LARGEST_WHOLE), help="Seed of all data."),
    click.option("--dtype", type=click.Choice(DTYPES), help="Dtype of the data."),
    click.option("--rtol", type=_Number(min=0), help="Relative tolerance."),
    click.option("--atol", type=_Number(min=0), help="Absolute tolerance, relative to the largest entry."),
    click.option("--timeout", type=_Number(min=0, min_open=True), help="Seconds a case may take."),
    click.option("--workers", type=click.IntRange(min=1), help="Worker processes.  [default: the usable cores]"),
    click.option("--fail-fast", is_flag=True, help="Stop at the first case that does not pass."),
    click.option("--fail-on", type=click.Choice(_FAIL_ON), help="Geometry that fails a case."),
    click.option("--strict", is_flag=True, help="Warnings fail."),
    click.option("--collect-only", is_flag=True, help="Print the ids of the cases; run nothing."),
    click.option("--allow-empty", is_flag=True, help="Exit 0, not 5, where there is nothing to judge."),
    click.option("-q", "--quiet", is_flag=True, help="Only failures and the summary."),
    click.option("-v", "verbose", is_flag=True, help="Every contract, geometry and gradient, and how it was found."),
)

_ENGINE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--memory",
        type=click.IntRange(min=1, max=LARGEST_MEMORY),
        metavar="MIB",
        help="MiB that the process of a case may take.  [default: a worker's share of 80% of what there is]",
    ),
    click.option("--method", type=click.Choice(METHODS), help="How gradients are computed numerically."),
    click.option(
        "--max-passes",
        type=click.IntRange(min=1, max=LARGEST_WHOLE),
        metavar="N",
        help="Forward passes that one look at an input's gradient may take.",
    ),
    click.option(
        "--save-failures",
        metavar="DIR",
        shell_complete=folders,
        help="Write a spec and its arrays into DIR for every case that does not pass.",
    ),
)
