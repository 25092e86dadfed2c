"""``gradverify explain``."""

from __future__ import annotations

import pytest
from workplace import run_command

from gradverify.rules import RULES, rule_called
from gradverify.rules.pages import readable_page
from gradverify.spec.contract_table import CONTRACTS


@pytest.mark.parametrize("word", ["GV203", "gv203", "padding-unread", "Padding-Unread"])
def test_a_rule_goes_by_its_id_and_name(word):
    ran = run_command("explain", word)
    assert (ran.code, ran.stdout, ran.stderr) == (0, readable_page("GV203"), "")
    assert ran.stdout.startswith("# GV203 padding-unread\n")


@pytest.mark.parametrize("code", CONTRACTS)
def test_a_contract_goes_by_its_code(code):
    assert rule_called(code) is rule_called(code.upper()) is RULES[CONTRACTS[code].rule]


def test_several_rules_come_once_each_in_their_order():
    ran = run_command("explain", "stale-cache", "GV101", "GV413")
    assert ran.stdout == f"{readable_page('GV413')}\n{readable_page('GV101')}"


def test_without_a_rule_all_are_listed():
    lines = run_command("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(RULES)
    assert lines[6] == "GV202  data-lost                        rows of real data are read by no window"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("stalecache", "did you mean 'stale-cache'?"),
        ("GV23", "did you mean 'GV203'?"),
        ("nothing alike", "expected an id like GV203; gradverify explain lists them all"),
    ],
)
def test_an_unknown_rule_is_wrong_usage(word, hint):
    ran = run_command("explain", "GV101", word)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == f"Error: '{word}' is no rule, {hint}\n"
