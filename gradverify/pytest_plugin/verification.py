"""What the specs of one run of pytest share: options, workers, and the hooks around a case."""

from __future__ import annotations

import os
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gradverify.cli.options import usable_cores
from gradverify.cli.reproduction import Reproduction
from gradverify.pipeline import Settings, select
from gradverify.pytest_plugin.options import read_options
from gradverify.pytest_plugin.wording import data_of, note_lines
from gradverify.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from gradverify.cli.options import Common
    from gradverify.pipeline.one_by_one import OneByOne
    from gradverify.pytest_plugin.collecting import CaseItem
    from gradverify.results import CaseResult
    from gradverify.spec.model import Case

__all__ = ["Verification", "verification_of"]

# Marks that may keep a test from running: what one of them stands on does not run ahead.
_RESTRAINING = ("skip", "skipif", "xfail")


class Verification:
    """Reads specs, and has their cases verified.

    Parameters
    ----------
    config
        pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._items: list[pytest.Item] = []
        self._places: dict[pytest.Item, int] = {}
        self._reached = 0
        self._announced: set[pytest.Item] = set()

    @cached_property
    def _common(self) -> Common:
        return read_options(self._config.getini("gradverify_options"))

    @cached_property
    def _cases(self) -> OneByOne:
        from gradverify.pipeline.one_by_one import OneByOne  # noqa: PLC0415  --collect-only runs nothing

        # Under xdist there is one process of pytest for each core already.
        shared = getattr(self._config, "workerinput", None)
        workers = self._common.workers or (1 if shared else usable_cores())
        reproduce = Reproduction("run", self._common)
        settings = Settings(command="run", policy=self._common.policy("never"), workers=workers, reproduce=reproduce)
        cases = OneByOne(settings, beside=shared["workercount"] if shared else 1)
        self._config.add_cleanup(cases.close)
        return cases

    def cases_of(self, file: Path) -> tuple[Case, ...]:
        """Return the cases of a spec, which is called as its user would call it.

        Raises
        ------
        SpecError
            It is invalid.
        UsageError
            The options are.
        """
        return select((self._called(file),), self._common.overrides()).cases

    def _called(self, file: Path) -> str:
        folder = self._config.invocation_params.dir
        if Path.cwd() != folder:
            return str(file)
        try:
            return os.path.relpath(file, folder)
        except ValueError:  # on another drive
            return str(file)

    def result(self, item: CaseItem) -> CaseResult:
        """Return what is found about a case."""
        self._announced.discard(item)
        return self._cases.result(item.case)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Let the cases that follow run ahead, beside this one."""
        for other in self._following(item, nextitem):
            restrained = any(other.get_closest_marker(name) for name in _RESTRAINING)
            if other not in self._announced and not restrained:
                self._announced.add(other)
                self._cases.announce((other.case,))

    def _following(self, item: pytest.Item, nextitem: pytest.Item | None) -> list[CaseItem]:
        """Return a case with those that are certain to follow it; nothing where it was among those of another."""
        if hasattr(self._config, "workerinput"):  # the others may be another process's
            return _cases_among((item,) if nextitem is None else (item, nextitem))
        if self._items is not item.session.items:
            self._items, self._reached = item.session.items, 0
            self._places = {other: place for place, other in enumerate(self._items)}
        place = self._places.get(item, 0)
        if place < self._reached:
            return []
        following = _cases_among(islice(self._items, place, None))
        self._reached = place + len(following)
        return following

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give the report of a case what it needs beside its text."""
        report = yield
        result: CaseResult | None = getattr(item, "result", None)
        if call.when == "call" and result is not None and _cases_among((item,)):
            _complete(report, item, result)
        return report


def _cases_among(items: Iterable[pytest.Item]) -> list[CaseItem]:
    """Return the cases of specs that items begin with."""
    from gradverify.pytest_plugin.collecting import CaseItem  # noqa: PLC0415  which imports this module

    return list(takewhile(lambda item: isinstance(item, CaseItem), items))  # type: ignore[arg-type]  # all of them are


def _complete(report: pytest.TestReport, item: pytest.Item, result: CaseResult) -> None:
    """Add the time of the case itself, its place where it is skipped, what there is to note, and data for the end."""
    report.duration = result.seconds
    report.gradverify = data_of(result)  # type: ignore[attr-defined]  # reports take what plugins give them
    if result.verdict is Verdict.SKIP and report.skipped:
        path, line, _ = item.reportinfo()
        report.longrepr = (os.fspath(path), (line or 0) + 1, f"Skipped: {result.reason}")
    notes = list(note_lines(result, full=item.config.get_verbosity() > 1))
    if notes:
        report.sections.append(("gradverify", "\n".join(notes)))


def verification_of(config: pytest.Config) -> Verification:
    """Return the verification of a run of pytest, which begins with its first spec."""
    found: Verification | None = config.pluginmanager.get_plugin("gradverify-cases")
    if found is None:
        found = Verification(config)
        config.pluginmanager.register(found, "gradverify-cases")
    return found
