"""Load, expand, run, settle, report: the story of a command."""

from gradverify.pipeline.modelling import Models, NamedShape
from gradverify.pipeline.running import Listener, Settings, audit, verify
from gradverify.pipeline.selecting import Selection, select
from gradverify.pipeline.settling import Policy, policy_for, settle

__all__ = [
    "Listener",
    "Models",
    "NamedShape",
    "Policy",
    "Selection",
    "Settings",
    "audit",
    "policy_for",
    "select",
    "settle",
    "verify",
]
