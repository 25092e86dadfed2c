"""Load, expand, run, settle, report: the story of a command."""

from typing import TYPE_CHECKING, Any

from gradverify.pipeline.modelling import Models
from gradverify.pipeline.running import Listener, Settings, refused
from gradverify.pipeline.selecting import Selection, select
from gradverify.pipeline.settling import Policy, policy_for, settle

if TYPE_CHECKING:
    from gradverify.pipeline.auditing import audit
    from gradverify.pipeline.verifying import verify

__all__ = [
    "Listener",
    "Models",
    "Policy",
    "Selection",
    "Settings",
    "audit",
    "policy_for",
    "refused",
    "select",
    "settle",
    "verify",
]

# Loaded on use: who audits starts no workers, and who runs audits nothing.
_HOMES = {"audit": "gradverify.pipeline.auditing", "verify": "gradverify.pipeline.verifying"}


def __getattr__(name: str) -> Any:
    """Load one of the two stories on its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gradverify.pipeline' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  only a first use needs it

    return getattr(import_module(_HOMES[name]), name)
