"""Judge the geometry of every case of a selection, in this process and without its code, and report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.checks.geometry import audit as judged
from gradverify.pipeline.running import reported, settled
from gradverify.pipeline.settling import policy_for, violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.pipeline.running import Listener, Results, Settings
    from gradverify.pipeline.selecting import Selection
    from gradverify.results import BaselineUse, CaseResult, Report

__all__ = ["audit"]


def audit(selection: Selection, settings: Settings, listen: Callable[[], Listener]) -> Report:
    """Judge the geometry of every case of a selection, in this process and without its code, and report."""
    before = () if selection.before is None else _before(selection.before, settings)
    settings, used = _accounted(selection, settings)
    return reported(_audited(selection), selection, settings, listen(), before=before, baseline=used)


def _before(selection: Selection, settings: Settings) -> tuple[CaseResult, ...]:
    """Return all results of what the selection was before sizes were tried; no command repeats these beside others."""
    whole = replace(settings, fail_fast=False, reproduce=None)
    return tuple(settled(_audited(selection), selection, whole))


def _audited(selection: Selection) -> Results:
    return ((case, judged(case)) for case in selection.cases)


def _accounted(selection: Selection, settings: Settings) -> tuple[Settings, BaselineUse | None]:
    """Return settings whose baseline is up to date, where that is asked for, and how the cases compare with it."""
    policy = settings.policy
    if policy.baseline is None:
        return settings, None
    from gradverify.pipeline.baseline import account  # noqa: PLC0415  most audits have none

    found = [(result, tuple(violations(result, policy_for(case, policy)))) for case, result in _audited(selection)]
    baseline, used = account(found, policy.baseline, whole=selection.whole, update=settings.update_baseline)
    return replace(settings, policy=replace(policy, baseline=baseline)), used
