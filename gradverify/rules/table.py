"""The rules as data. An id is never given to another rule, and a rule that goes leaves a gap."""

from __future__ import annotations

from dataclasses import dataclass

from gradverify.errors import UsageError, nearest_name
from gradverify.spec.contract_table import CONTRACTS

__all__ = ["RULES", "Rule", "rule_called"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes
    ----------
    id
        ``GV`` and three digits: 1 gradients, 2 geometry, 3 specs, 4 contracts, 9 what could not run.
    name
        The same in words, for reports that have room for both.
    title
        What a finding of it says, in one sentence without a full stop.
    """

    id: str
    name: str
    title: str


_PLAIN = (
    Rule("GV101", "gradient-mismatch", "an analytic gradient differs from the numerical one by more than is allowed"),
    Rule("GV102", "gradient-unusable", "a gradient is missing, has another shape than its input, or is no real number"),
    Rule("GV103", "gradient-not-finite", "an analytic gradient holds NaN or infinity"),
    Rule("GV104", "gradient-inconclusive", "the numerical gradient is not accurate enough to judge the analytic one"),
    Rule("GV105", "unexpected-pass", "a case that says `expect: fail` passes"),
    Rule("GV201", "geometry-impossible", "a window does not fit its padded input, or parameters contradict each other"),
    Rule("GV202", "data-lost", "rows of real data are read by no window"),
    Rule("GV203", "padding-unread", "rows of padding are read by no window"),
    Rule("GV204", "gap-between-windows", "the stride is larger than the window: rows between windows are not read"),
    Rule("GV301", "spec-unreadable", "a spec cannot be read as YAML"),
    Rule("GV302", "spec-unknown-name", "a spec names a key, layer, parameter or dim that there is not"),
    Rule("GV303", "spec-invalid-value", "a value in a spec is not one that is expected there"),
    Rule("GV304", "spec-repeated-name", "a key, name, id or value stands twice in a spec"),
    Rule("GV305", "spec-missing-key", "a key that must be there is missing from a spec"),
    Rule("GV901", "code-raised", "the code under test raised an exception"),
    Rule("GV902", "code-unusable", "the code under test could not be loaded, or returned what cannot be read"),
    Rule("GV903", "timed-out", "a case took longer than its timeout"),
    Rule("GV904", "process-died", "the process of a case ended before it answered"),
    Rule("GV905", "out-of-memory", "a case took more memory than it may"),
    Rule("GV906", "environment-spoiled", "the code under test replaced what verifies it"),
    Rule("GV907", "layer-not-judged", "a layer of a network or model could not be judged"),
    Rule("GV908", "model-unreadable", "a model could not be read"),
)
_OF_CONTRACTS = (
    Rule(promise.rule, f"contract-{code}", f"broken: {promise.text}") for code, promise in CONTRACTS.items()
)

# By id, in the order of ids.
RULES: dict[str, Rule] = {rule.id: rule for rule in sorted((*_PLAIN, *_OF_CONTRACTS), key=lambda rule: rule.id)}


def rule_called(word: str) -> Rule:
    """Return the rule that has an id or a name, in letters of any case, or that a contract is broken by.

    Raises
    ------
    UsageError
        There is none; says the nearest.
    """
    wanted = word.lower()
    for rule in RULES.values():
        if wanted in {rule.id.lower(), rule.name}:
            return rule
    if wanted in CONTRACTS:
        return RULES[CONTRACTS[wanted].rule]
    known = (*(rule.name for rule in RULES.values()), *CONTRACTS, *RULES)
    near = nearest_name(wanted.upper() if wanted.startswith("gv") else wanted, known)
    hint = near if near.startswith("did you mean") else "expected an id like GV203; gradverify explain lists them all"
    raise UsageError(f"'{word}' is no rule, {hint}")
