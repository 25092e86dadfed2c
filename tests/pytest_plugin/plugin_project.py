"""A project of a user that has gradverify and pytest, and pytest as its user starts it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

from workplace import Ran, Workplace, plain_environment

LAYERS = """\
import ctypes
import numpy as np

def forward(x, pad=0):
    return np.tanh(x), (x, pad)

def backward(dout, cache):
    return dout * (1 - np.tanh(cache[0]) ** 2)

def wrong(dout, cache):
    return 2 * backward(dout, cache)

def wrong_at_zero(dout, cache):
    return backward(dout, cache) * (2 if cache[1] == 0 else 1)

def raises(x):
    print("just before")
    raise ValueError("no luck")

def crashes(x):
    ctypes.string_at(0)

def hangs(x):
    while True:
        pass

def patches(x):
    np.add = None
    return forward(x)
"""


@dataclass(frozen=True)
class Project(Workplace):
    """A folder with a configuration of its own, so that nobody else's options apply."""

    def pytest(self, *arguments: str, columns: str = "200") -> Ran:
        """Start pytest here."""
        done = subprocess.run(
            command(*arguments),
            cwd=self.path,
            env=environment() | {"COLUMNS": columns},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def spec(self, *cases: str, name: str = "layers.gradverify.yaml") -> None:
        """Write a spec, a case a line."""
        self.write(name, "cases:\n" + "".join(f"  - {{{case}}}\n" for case in cases))


def command(*arguments: str) -> list[str]:
    """Return how pytest is started; the plugin of Hypothesis takes half a second, and is no concern here."""
    return [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:hypothesispytest", *arguments]


def environment() -> dict[str, str]:
    """Return an environment in which lines are cut at 200 columns: in CI pytest cuts none."""
    return plain_environment() | {"COLUMNS": "200"}


def own(forward: str, backward: str = "backward", more: str = "inputs: {x: [3]}") -> str:
    """Return the keys of a case of the user's own functions."""
    return f"functions: {{forward: 'layers:{forward}', backward: 'layers:{backward}'}}, {more}"


def summary(ran: Ran) -> str:
    """Return the counts that end a run, without its time."""
    return re.sub(r" in [\d.]+s.*", "", ran.stdout.rstrip().splitlines()[-1]).strip("= ")


RIGHT, WRONG = own("forward"), own("forward", "wrong")
RELU = "layer: relu, inputs: {x: [3]}"
SWEPT = own("forward", "wrong_at_zero", "inputs: {x: [N]}, dims: {N: 3}, sweep: {pad: [0, 1, 2, 3], N: [2, 3, 4]}")
SWEPT += ", params: {pad: 0}"


def made(folder) -> Project:
    """Return a project with layers and an empty configuration."""
    project = Project(folder)
    project.write("pytest.ini", "[pytest]\n")
    project.write("layers.py", LAYERS)
    return project
