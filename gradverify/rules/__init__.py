"""Rules with stable ids: what reports for machines call a finding, and a page for each. Nothing imports numpy."""

from gradverify.rules.naming import rule_of_case, rule_of_contract, rule_of_geometry, rule_of_gradient, rule_of_problem
from gradverify.rules.table import RULES, Rule, rule_called

__all__ = [
    "RULES",
    "Rule",
    "rule_called",
    "rule_of_case",
    "rule_of_contract",
    "rule_of_geometry",
    "rule_of_gradient",
    "rule_of_problem",
]
