"""The pytest plugin: collects specs as test files and their cases as tests.

pytest loads this module in every project that has gradverify installed, so it imports nothing; the rest of the package
is loaded by the first spec that is collected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gradverify.pytest_plugin.collecting import SpecFile

__all__: list[str] = []

_SUFFIXES = (".gradverify.yaml", ".gradverify.yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what may stand in the configuration file; ``-o`` sets both on the command line."""
    specs = f"globs of files that are collected as gradverify's specs, besides *{_SUFFIXES[0]} and *{_SUFFIXES[1]}"
    parser.addini("gradverify_specs", specs, type="args", default=[])
    options = "options of 'gradverify run' for the cases of specs, as --strict or --workers 1"
    parser.addini("gradverify_options", options, type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and listen for results."""
    config.addinivalue_line("markers", "gradverify: every case of a spec has it; select them with -m gradverify")
    config.pluginmanager.register(_Results(), "gradverify-results")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFile | None:
    """Collect specs, and no other file."""
    if not (file_path.name.endswith(_SUFFIXES) or _is_named(file_path, parent.config)):
        return None
    from gradverify.pytest_plugin.collecting import SpecFile  # noqa: PLC0415  most runs have none

    return SpecFile.from_parent(parent, path=file_path)


def _is_named(file: Path, config: pytest.Config) -> bool:
    """Return whether the configuration names a file as a spec."""
    globs = config.getini("gradverify_specs")
    if not globs:
        return False
    from gradverify.pytest_plugin.globs import is_named  # noqa: PLC0415  as above

    return is_named(file, config.rootpath, globs)


class _Results:
    """Hears the results of cases where pytest reports, which is not where they run under xdist."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, object]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the last result of a case: some plugins run one again."""
        found = getattr(report, "gradverify", None)
        if found is not None:
            self._found[report.nodeid] = found

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what the cases say together, where they do."""
        if not self._found:
            return
        from gradverify.pytest_plugin.summary import summary_lines  # noqa: PLC0415  as above

        lines = summary_lines(list(self._found.values()), quiet=terminalreporter.verbosity < 0)
        if lines:
            terminalreporter.section("gradverify")
        for line in lines:
            terminalreporter.write_line(line)
