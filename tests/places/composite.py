"""Carries out the steps of a composite action as GitHub's runner does, as far as this repository's action goes.

What the runner does beside it is read back: outputs from their file, workflow commands from the log. Sources: GitHub's
pages "Metadata syntax", "Workflow commands" and "Variables", and the runner's own parser for what counts as a command.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from scratch import Repository, clean_environment

_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_COMMAND = re.compile(r"::([\w-]+)(?: (.*?))?::(.*)")


@dataclass(frozen=True)
class Annotation:
    """What a page of changes shows at a line."""

    level: str
    message: str
    properties: dict[str, str]


@dataclass
class Outcome:
    """What the steps left behind."""

    code: int = 0
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def annotations(self) -> list[Annotation]:
        """The annotations that the runner reads from the log."""
        return [
            Annotation(name, unescaped(message), properties_of(written))
            for name, written, message in commands_in(self.log)
            if name in {"error", "warning", "notice"}
        ]


@dataclass(frozen=True)
class CompositeAction:
    """An action, where it is checked out, and the folder for temporary files of the job."""

    path: Path
    temp: Path

    def run(self, where: Repository, known: dict[str, dict[str, str]] | None = None, **inputs: str) -> Outcome:
        """Carry out the steps; ``known`` are outputs of steps that are not to be repeated, by step."""
        action = yaml.safe_load((self.path / "action.yml").read_text(encoding="utf-8"))
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        unknown = set(given) - set(action["inputs"])
        assert not unknown, f"the action has no inputs {unknown}"
        context = {"github.action_path": str(self.path)}
        context |= {f"inputs.{name}": given.get(name, about["default"]) for name, about in action["inputs"].items()}
        outcome = Outcome()
        for step in action["runs"]["steps"]:
            outputs = (known or {}).get(step["id"])
            if outputs is None:
                outputs = self._step(step, context, where, outcome)
            context |= {f"steps.{step['id']}.outputs.{name}": value for name, value in outputs.items()}
            if outcome.code:
                break
        outcome.outputs = {name: filled(about["value"], context) for name, about in action["outputs"].items()}
        return outcome

    def _step(self, step: dict, context: dict[str, str], where: Repository, outcome: Outcome) -> dict[str, str]:
        assert set(step) <= {"name", "id", "shell", "working-directory", "env", "run"}, step
        assert step["shell"] == "bash"
        files = {name: self.temp / f"{step['id']}-{name}" for name in ("script", "output", "summary")}
        files["script"].write_text(filled(step["run"], context), encoding="utf-8")
        for name in ("output", "summary"):
            files[name].write_text("", encoding="utf-8")
        environment = clean_environment(
            CI="true",
            GITHUB_ACTIONS="true",
            GITHUB_WORKSPACE=str(where.path),
            GITHUB_OUTPUT=str(files["output"]),
            GITHUB_STEP_SUMMARY=str(files["summary"]),
            GITHUB_ACTION_PATH=str(self.path),
            RUNNER_TEMP=str(self.temp),
            **{name: filled(value, context) for name, value in step.get("env", {}).items()},
        )
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(files["script"])],  # noqa: S607  the runner's
            cwd=where.path / filled(step.get("working-directory", "."), context),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        outcome.code = done.returncode
        outcome.log += done.stdout
        outcome.summary += files["summary"].read_text(encoding="utf-8")
        return outputs_in(files["output"].read_text(encoding="utf-8"))


def filled(text: str, context: dict[str, str]) -> str:
    """Return a text with its expressions filled in; an unset output is empty, what else is unknown an error."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        return context.get(name, "") if name.startswith("steps.") else context[name]

    done = _EXPRESSION.sub(value, text)
    assert "${{" not in _EXPRESSION.sub("", text), f"an expression that is not known here: {text}"
    return done


def outputs_in(text: str) -> dict[str, str]:
    """Return what a step wrote into its file of outputs, in either of both forms."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, delimiter = re.fullmatch(r"([\w-]+)(?:=|<<)(.*)", line).groups()
        if f"{name}<<" not in line:
            found[name] = delimiter
            continue
        value = []
        for inner in lines:
            if inner == delimiter:
                break
            value.append(inner)
        found[name] = "\n".join(value)
    return found


def commands_in(log: str) -> list[tuple[str, str, str]]:
    """Return the workflow commands of a log: name, properties as written, message; none between stop and its token."""
    found, stopped = [], None
    for line in log.splitlines():
        # The older form may stand anywhere in a line, and the newer one behind blanks.
        command = _COMMAND.match(line.lstrip()) or re.search(r"##\[([\w-]+)(?: (.*?))?\](.*)", line)
        if stopped is not None:
            stopped = None if command and command.group(1) == stopped else stopped
        elif command and command.group(1) == "stop-commands":
            stopped = command.group(3)
        elif command:
            found.append((command.group(1), command.group(2) or "", command.group(3)))
    return found


def properties_of(written: str) -> dict[str, str]:
    """Return the properties of a command."""
    parts = (part.partition("=") for part in written.split(",") if part)
    return {name.strip(): unescaped(value).replace("%3A", ":").replace("%2C", ",") for name, _, value in parts}


def unescaped(text: str) -> str:
    """Return a message as the page shows it."""
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
