"""The report for people: a line per case while it runs, the failures explained last, above the summary."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from gradverify.reporters.explanation import assurances, explain, geometry_notes, geometry_table, title_of
from gradverify.reporters.headline import STYLES, headline
from gradverify.reporters.likeness import alike
from gradverify.reporters.network_table import network_tables, solved
from gradverify.reporters.sweep_map import sweep_maps
from gradverify.reporters.words import condition_text, count, printable, summary
from gradverify.results import NOT_RUN, GeometrySeverity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradverify.reporters import Appearance
    from gradverify.results import CaseResult, Plan, Report

__all__ = ["TerminalReporter"]

# Lines for a pipe are not wrapped at the 80 columns that an unknown terminal is taken to have.
_PIPE_WIDTH = 120
_IDENTITY = "size identity: (H'-1)S + K = H + 2P, with K = D(HH-1) + 1 the effective kernel; r is its residual"
_COTANGENT = "dV~: length of the cotangent dilated by S and padded by K - 1 on both sides"


class _Console(Console):
    """Leaves a broken pipe to the command line, which has an exit code for it; rich would exit 1, "a check failed"."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class TerminalReporter:
    """Writes for a terminal or a pipe; plain ASCII, colours where they are wanted.

    Parameters
    ----------
    stream
        Where it goes.
    appearance
        How it looks.
    """

    def __init__(self, stream: TextIO, appearance: Appearance) -> None:
        self._appearance = appearance
        width = appearance.width or (None if stream.isatty() else _PIPE_WIDTH)
        forced = {True: {"force_terminal": True}, False: {"color_system": None}, None: {}}[appearance.color]
        self._console = _Console(file=stream, width=width, highlight=False, emoji=False, **forced)  # type: ignore[arg-type]  # keywords by name
        self._wraps = stream.isatty() or appearance.width is not None
        self._audit = False
        self._explains_columns = False
        self._spec: str | None = None

    def start(self, plan: Plan) -> None:
        """Say what is about to run."""
        self._audit = plan.command == "audit"
        if self._appearance.verbosity >= 0:
            self._line(f"gradverify {plan.version}: {count(len(plan.cases), 'case')}, seed {plan.seed}")
        if self._audit and self._appearance.verbosity >= 0:
            self._line(_IDENTITY)
            self._explains_columns = True

    def case(self, result: CaseResult) -> None:
        """Write the line of one case, and below it what the verbosity asks for."""
        hidden = self._audit and result.verdict is Verdict.SKIP and not result.geometry
        in_table = result.network is not None and self._appearance.verbosity == 0  # which ends the report
        if self._appearance.verbosity < 0 or hidden or in_table:
            return
        if self._explains_columns and result.geometry:  # which tables of networks do not have
            self._line(_COTANGENT)
            self._explains_columns = False
        if result.spec != self._spec:
            self._spec = result.spec
            self._line("")
            self._line(result.spec, "bold")
        self._print(headline(result))
        if self._audit or (self._appearance.verbosity > 0 and result.geometry):
            self._lines(geometry_table(result.geometry))
        if self._appearance.verbosity > 0:
            self._lines(() if result.verdict in _EXPLAINED else geometry_notes(result.geometry))
            self._lines(explain(result, full=True))
        else:
            self._lines(assurances(result))

    def finish(self, report: Report) -> None:
        """Write the map, the tables of networks, the explanations and the summary."""
        self._lines(map(str, report.problems))
        for title, lines in sweep_maps(report.cases, self._appearance.map_keys, self._console.width):
            self._line("")
            self._line(title, "bold")
            self._lines(lines)
        self._networks(report)
        explained = [case for case in report.cases if case.verdict in _EXPLAINED]
        everything = self._appearance.verbosity > 0
        for first, *others in [(case,) for case in explained] if everything else alike(explained):
            self._explained(first)
            if others:
                hint = " (-v explains each)" if first.reproduce is not None else ""
                self._line(f"     the same in {count(len(others), 'more case')}{hint}:")
                self._likewise(others)
        self._conditions(report)
        self._line("")
        self._hidden(report)
        self._baseline(report)
        self._line(summary(report), STYLES[report.verdict])

    def _networks(self, report: Report) -> None:
        """Write a table for each network and model, under the file that it comes from."""
        if self._appearance.verbosity < 0:  # what was asked for is said all the same
            self._lines(f"{network.id}: {line}" for network in report.networks for line in solved(network))
            return
        if report.tried:
            tried = ", ".join(f"{name} = {'x'.join(map(str, lengths))}" for name, lengths in report.tried.items())
            self._line("")
            self._line(f"before: sizes as given; after: {tried}", "bold")
        for spec, title, lines in network_tables(report, self._console.width):
            self._line("")
            if spec != self._spec:
                self._spec = spec
                self._line(spec, "bold")
            self._line(title, "bold")
            self._lines(lines)

    def _explained(self, case: CaseResult) -> None:
        """Write what was found about a case, and the command that runs it alone."""
        self._line("")
        self._line(f"-- {title_of(case)}", STYLES[case.verdict])
        self._lines(explain(case, full=False))
        if case.reproduce is not None:  # to be copied: never wrapped
            self._print(Text(f"     reproduce: {printable(case.reproduce)}"))

    def _likewise(self, cases: list[CaseResult]) -> None:
        """Write the command of each case, or its id where there is none; never wrapped, as above."""
        for case in cases:
            self._print(Text(f"       {printable(case.reproduce or case.id)}"))

    def _conditions(self, report: Report) -> None:
        """Say what separates the failing cases of each name from the passing ones, where something does."""
        if report.conditions:
            self._line("")
        many = len({case.spec for case in report.cases}) > 1
        for condition in report.conditions:
            self._line(condition_text(condition, of_many_specs=many), "bold")

    def _hidden(self, report: Report) -> None:
        """Say how many violated identities did not decide a verdict, and how many cases have no window."""
        unread = {GeometrySeverity.PADDING_UNREAD, GeometrySeverity.DATA_LOST}
        passed = [case for case in report.cases if case.verdict is Verdict.PASS and case.battery is None]
        violated = [case for case in passed if any(part.severity in unread for part in case.geometry)]
        if violated and self._appearance.verbosity >= 0:
            verb = "violates" if len(violated) == 1 else "violate"
            hint = "" if self._audit else " (--fail-on identity fails them)"
            self._line(f"{count(len(violated), 'passing case')} {verb} the size identity{hint}")
        unseen = [case for case in report.cases if case.verdict is Verdict.SKIP and not case.geometry]
        skipped = [case for case in unseen if case.reason != NOT_RUN]
        if self._audit and skipped:
            batteries = sum(case.battery is not None for case in skipped)
            unknown = [case for case in skipped if case.network is not None]
            plain = len(skipped) - batteries - len(unknown)
            if batteries:
                self._line(f"{count(batteries, 'case')} of batteries, whose geometry is that of no network")
            if plain:
                self._line(f"{count(plain, 'case')} without a window to audit")
            for reason in dict.fromkeys(case.reason for case in unknown):
                many = sum(case.reason == reason for case in unknown)
                self._line(f"{count(many, 'layer')} not judged: {reason}")

    def _baseline(self, report: Report) -> None:
        """Say how the violations compare with those that were accepted before."""
        used = report.baseline
        if used is None or self._appearance.verbosity < 0:
            return
        if used.updated is not None:
            many = count(used.accepted + used.new, "violation")
            self._line(f"{used.file} holds the {many} found here: {used.new} new or worse, {used.gone} gone")
            return
        gone = f", {used.gone} of it gone (--update-baseline drops them)" if used.gone else ""
        self._line(f"baseline {used.file}: {used.accepted} accepted, {used.new} new or worse{gone}")

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._line(line)

    def _line(self, line: str, style: str = "") -> None:
        """Write one line; in a terminal, wrapped with its own indentation."""
        shown = printable(line)
        if self._wraps and len(shown) > self._console.width:
            indent = " " * (len(shown) - len(shown.lstrip()) + 2)
            shown = textwrap.fill(shown, self._console.width, subsequent_indent=indent, break_on_hyphens=False)
        self._print(Text(shown, style=style))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


_EXPLAINED = {Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR}
