"""What run, audit and sweep do alike: select, report to the formats asked for, exit."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradverify import pipeline
from gradverify.cli.options import Common, usable_cores
from gradverify.cli.outputs import Outputs
from gradverify.cli.progress import ProgressLine
from gradverify.cli.reproduction import Reproduction
from gradverify.errors import ModelError, SpecError
from gradverify.exit_codes import ExitCode
from gradverify.pipeline import Listener, Policy, Selection, Settings, select
from gradverify.reporters import Appearance
from gradverify.results import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.results import CaseResult, Report

__all__ = ["conduct", "select_cases", "settings_of"]


@dataclass(frozen=True, slots=True)
class _Everyone:
    """Passes on to several listeners."""

    listeners: tuple[Listener, ...]

    def start(self, plan: Plan) -> None:
        for listener in self.listeners:
            listener.start(plan)

    def case(self, result: CaseResult) -> None:
        for listener in self.listeners:
            listener.case(result)

    def finish(self, report: Report) -> None:
        for listener in self.listeners:
            listener.finish(report)


def conduct(
    common: Common,
    settings: Settings,
    choose: Callable[[], Selection],
    map_keys: tuple[str, ...] = (),
    listeners: tuple[Listener, ...] = (),
) -> None:
    """Run a command from its options to its exit code.

    Parameters
    ----------
    common
        The shared options.
    settings
        How it runs.
    choose
        Selects the cases.
    map_keys
        Sweep keys of the map at the end.
    listeners
        Who hears what happens, besides the reporters.
    """
    known = settings.policy.baseline
    read = common.specs if known is None else (*common.specs, known.file)
    outputs = Outputs(common.formats, os.environ.get("GITHUB_STEP_SUMMARY"), read)
    try:
        selection = choose()
    except (SpecError, ModelError) as error:
        if not common.collect_only:
            _refuse(error, outputs, settings.command, _appearance(common, map_keys))
        raise
    _say_if_empty(selection, common)
    if common.collect_only:
        _collect(selection, allow_empty=common.allow_empty)
    appearance = _appearance(common, map_keys or _map_keys(selection, settings.command))
    others = (*_saving(common, selection), *listeners)

    def listen() -> Listener:
        return ProgressLine(_Everyone((*outputs.reporters(appearance), *others)), sys.stderr, quiet=common.quiet)

    ran = pipeline.audit if settings.command == "audit" else pipeline.verify
    try:
        report = ran(selection, replace(settings, near=outputs.near), listen)
    finally:
        outputs.close()
    sys.exit(report.exit_code or outputs.exit_code)


def _refuse(error: SpecError | ModelError, outputs: Outputs, command: str, appearance: Appearance) -> None:
    """Let files say what is wrong with specs or models; stdout stays empty."""
    report = pipeline.refused(error.problems, command)
    listener = _Everyone(outputs.refusers(appearance))
    listener.start(Plan(version=report.version, command=command, seed=report.seed, cases=()))
    listener.finish(report)
    outputs.close()


def select_cases(common: Common, sweeps: dict[str, str] | None = None) -> Selection:
    """Return the cases that run and sweep are asked for; ``sweeps`` are ``--set`` options."""
    return select(common.specs, common.overrides(sweeps), common.keyword, common.ids)


def _saving(common: Common, selection: Selection) -> list[Listener]:
    """Return the listener that saves what does not pass, where it is asked for."""
    if common.save_failures is None:
        return []
    from gradverify.cli.failures import SavedFailures  # noqa: PLC0415  only who asks for it pays

    return [SavedFailures(Path(common.save_failures), selection.cases)]


def _say_if_empty(selection: Selection, common: Common) -> None:
    """Say on stderr why there is nothing to judge: a folder may be the wrong one, and a text the wrong one too."""
    if selection.cases or common.allow_empty:
        return
    if common.keyword is not None:
        said = f"no case has '{common.keyword}' in its id, --collect-only without -k lists all ids"
    else:
        named = ", ".join(f"'{name}'" for name in common.specs) or "what --torch names"
        said = f"there is nothing to judge in {named}, expected specs (*.yaml, *.yml), or models with windowed layers"
    click.echo(said, err=True)


def _collect(selection: Selection, *, allow_empty: bool) -> None:
    for case in selection.cases:
        click.echo(case.id)
    sys.exit(ExitCode.PASS if selection.cases or allow_empty else ExitCode.EMPTY)


def _map_keys(selection: Selection, command: str) -> tuple[str, ...]:
    """Return all keys that the cases of a sweep without ``--set`` have themselves."""
    if command != "sweep":
        return ()
    return tuple(dict.fromkeys(key for case in selection.cases for key in case.sweep))


def _appearance(common: Common, keys: tuple[str, ...]) -> Appearance:
    width = os.environ.get("COLUMNS", "")
    color = None
    if os.environ.get("NO_COLOR"):
        color = False
    elif os.environ.get("FORCE_COLOR"):
        color = True
    return Appearance(
        verbosity=-1 if common.quiet else int(common.verbose),
        color=color,
        width=int(width) if width.isdigit() and int(width) > 0 else None,
        map_keys=_rows_and_columns(keys),
        root=os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR"),
    )


def _rows_and_columns(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys of a map; nothing where there are none."""
    if not keys:
        return ()
    from gradverify.reporters.sweep_grid import rows_and_columns  # noqa: PLC0415  an audit has no map, and starts fast

    return rows_and_columns(keys)


def settings_of(common: Common, command: str, policy: Policy, set_keys: tuple[str, ...] = ()) -> Settings:
    """Return how a command runs, from its options and the keys that ``--set`` gave values."""
    return Settings(
        command=command,
        policy=policy,
        workers=common.workers or usable_cores(),
        fail_fast=common.fail_fast,
        keep=common.save_failures is not None,
        allow_empty=common.allow_empty,
        reproduce=Reproduction(command, common, set_keys),
    )
