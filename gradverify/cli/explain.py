"""``gradverify explain``."""

from __future__ import annotations

import click

from gradverify.cli.completion import rule_names

__all__ = ["explain"]


@click.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...", shell_complete=rule_names)
def explain(rules: tuple[str, ...]) -> None:
    """Say what a RULE means, its usual causes, what to do, with an example; without RULE, list them all.

    RULE is an id (GV203), a name (padding-unread) or the code of a contract (stale-cache).
    """
    from gradverify.rules import RULES, rule_called  # noqa: PLC0415  --help needs none of it
    from gradverify.rules.pages import readable_page  # noqa: PLC0415  as above

    if rules:
        ids = dict.fromkeys(rule_called(word).id for word in rules)
        click.echo("\n".join(readable_page(rule) for rule in ids), nl=False)
        return
    width = max(len(rule.name) for rule in RULES.values())
    for rule in RULES.values():
        click.echo(f"{rule.id}  {rule.name:<{width}}  {rule.title}")
