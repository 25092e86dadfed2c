"""Every exception that gradverify raises itself.

::

    GradverifyError
    ├── UsageError          the command line asks for something that cannot be
    ├── SpecError           the spec files are invalid; carries every problem
    ├── RoleError           a role of a window names nothing, or no length
    ├── ModelError          a model cannot be read, or not as it is asked for
    ├── TargetError         user code could not be loaded, or returned what cannot be read
    ├── GradientsError      gradients were asserted that do not pass (also an AssertionError)
    └── GeometryError       a window that does not fit its input (also a ValueError)

All of them survive pickling, since they cross process borders.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType, TracebackType

    from gradverify.problems import Problem, ProblemKind

__all__ = [
    "GeometryError",
    "GradientsError",
    "GradverifyError",
    "ModelError",
    "RoleError",
    "SpecError",
    "TargetError",
    "UsageError",
    "describe_error",
    "explain_error",
    "nearest_name",
]


_MOST_NAMES = 20
_LONGEST_MESSAGE = 1000
# Folders of packages that somebody else wrote, also where they lie within a project, in its virtual environment.
_INSTALLED = {"site-packages", "dist-packages"}


class GradverifyError(Exception):
    """Base of all errors that gradverify raises on purpose."""


class UsageError(GradverifyError):
    """The command line asks for something that cannot be."""


class SpecError(GradverifyError):
    """One or more spec files are invalid.

    Parameters
    ----------
    problems
        Every problem found; each reads ``file:line:column: what, what was expected, the nearest valid name``.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class RoleError(GradverifyError):
    """A role of a window cannot be read.

    Parameters
    ----------
    role
        ``input``, ``kernel``, ``stride``, ``padding`` or ``dilation``.
    message
        What is wrong and what was expected.
    kind
        What sort of mistake it is; ``None`` for a value that is wrong.
    """

    def __init__(self, role: str, message: str, kind: ProblemKind | None = None) -> None:
        super().__init__(role, message, kind)
        self.role = role
        self.message = message
        self.kind = kind

    def __str__(self) -> str:
        return self.message


class ModelError(GradverifyError):
    """A model cannot be read, or not as it is asked for: says which file or factory, what is wrong and what to do.

    Parameters
    ----------
    problems
        What is wrong, or a problem for each of several models.
    """

    def __init__(self, problems: str | tuple[Problem, ...]) -> None:
        super().__init__(problems)
        if isinstance(problems, str):
            from gradverify.problems import Problem, ProblemKind  # noqa: PLC0415  workers start without dataclasses

            problems = (Problem("", 0, 0, problems, ProblemKind.MODEL),)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class TargetError(GradverifyError):
    """User code could not be loaded, or returned something that cannot be read."""


class GradientsError(GradverifyError, AssertionError):
    """Gradients were asserted that do not pass; its text is the readable report.

    Parameters
    ----------
    text
        The readable report.
    report
        The report itself.
    """

    def __init__(self, text: str, report: Any) -> None:
        super().__init__(text, report)
        self.text = text
        self.report = report

    def __str__(self) -> str:
        return self.text


class GeometryError(GradverifyError, ValueError):
    """A window does not fit its input: the output size would be less than one."""


def nearest_name(name: str, valid: tuple[str, ...]) -> str:
    """Say which valid name is nearest to a wrong one, or list them all.

    Parameters
    ----------
    name
        The name as written.
    valid
        The names that would have been right.

    Returns
    -------
    str
        ``did you mean 'stride'?``, or ``expected one of ...`` when nothing is near.
    """
    import difflib  # noqa: PLC0415  only a wrong name pays for it

    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    if not valid:
        return "there are none here"
    listed = sorted(valid)
    more = f" and {len(listed) - _MOST_NAMES} more" if len(listed) > _MOST_NAMES else ""
    return f"expected one of {', '.join(listed[:_MOST_NAMES])}{more}"


def explain_error(error: BaseException, search_path: tuple[str, ...]) -> str:
    """Say what was raised and where: ``ZeroDivisionError: division by zero (layers.py, line 3, in forward)``.

    Parameters
    ----------
    error
        What was raised.
    search_path
        The folders of the user's code: the innermost line in one of them is the place named.

    Where memory ran out, the limit is named as well, and what the calls held is let go first.
    """
    if not isinstance(error, MemoryError):
        return describe_error(error) + _place(error.__traceback__, search_path)
    _let_go(error.__traceback__)
    return describe_error(error) + _place(error.__traceback__, search_path) + _limit()


def describe_error(error: BaseException) -> str:
    """Say what was raised: ``ZeroDivisionError: division by zero``."""
    try:
        message = str(error)
    except BaseException as second:  # noqa: BLE001  the text of an error is user code, too
        message = f"(its message raised {type(second).__name__})"
    if len(message) > _LONGEST_MESSAGE:
        message = message[:_LONGEST_MESSAGE] + "..."
    # NumPy's own is private.
    name = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
    return f"{name}: {message}" if message else name


def _let_go(trace: TracebackType | None) -> None:
    """Drop what the calls of a traceback still hold: there is no memory left to say anything otherwise."""
    while trace is not None:
        with suppress(RuntimeError):  # it has not ended yet
            trace.tb_frame.clear()
        trace = trace.tb_next


def _limit() -> str:
    """Name the limit on the memory of this process, where there is one."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return ""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return "" if soft == resource.RLIM_INFINITY else f"; the case may use {soft // 2**20} MiB of memory"


def _lies_in(folder: str, file: str) -> bool:
    """Return whether a file is the user's own: in a folder, and not among the packages installed below it."""
    inside = file.removeprefix(os.path.join(folder, ""))  # noqa: PTH118  keeps the separator at the end
    return inside != file and _INSTALLED.isdisjoint(inside.replace(os.sep, "/").split("/"))


def _place(trace: TracebackType | None, search_path: tuple[str, ...]) -> str:
    """Name the innermost line in the user's folders, or else the innermost of all."""
    lines: list[tuple[CodeType, int]] = []
    while trace is not None:
        lines.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    if not lines:
        return ""
    own = [line for line in lines if any(_lies_in(folder, line[0].co_filename) for folder in search_path)]
    code, number = (own or lines)[-1]
    return f" ({code.co_filename}, line {number}, in {code.co_name})"
