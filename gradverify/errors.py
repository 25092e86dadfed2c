"""Every exception that gradverify raises itself.

::

    GradverifyError
    ├── UsageError          the command line asks for something that cannot be
    ├── SpecError           the spec files are invalid; carries every problem
    ├── TargetError         user code could not be loaded, or returned what cannot be read
    └── GeometryError       a window that does not fit its input (also a ValueError)

All of them survive pickling, since they cross process borders.
"""

from __future__ import annotations

__all__ = ["GeometryError", "GradverifyError", "SpecError", "TargetError", "UsageError", "nearest_name"]

_MOST_NAMES = 20


class GradverifyError(Exception):
    """Base of all errors that gradverify raises on purpose."""


class UsageError(GradverifyError):
    """The command line asks for something that cannot be."""


class SpecError(GradverifyError):
    """One or more spec files are invalid.

    Parameters
    ----------
    problems
        Every problem found, each as ``file:line:column: what, what was expected, the nearest valid name``.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class TargetError(GradverifyError):
    """User code could not be loaded, or returned something that cannot be read."""


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
