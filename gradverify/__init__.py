"""gradverify: verifies hand-written backward passes and the geometry of windowed layers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradverify.api import assert_gradients, check
    from gradverify.errors import GradientsError, GradverifyError
    from gradverify.results import Report, Verdict

__all__ = ["GradientsError", "GradverifyError", "Report", "Verdict", "__version__", "assert_gradients", "check"]

__version__ = "0.1.0"

# Loaded on use: the command line needs none of it, and numpy takes its time.
_HOMES = {
    "GradientsError": "gradverify.errors",
    "GradverifyError": "gradverify.errors",
    "Report": "gradverify.results",
    "Verdict": "gradverify.results",
    "assert_gradients": "gradverify.api",
    "check": "gradverify.api",
}


def __getattr__(name: str) -> Any:
    """Load a public name on its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gradverify' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  only a first use needs it

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
