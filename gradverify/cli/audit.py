"""``gradverify audit``."""

from __future__ import annotations

from typing import Any

import click

from gradverify.cli.options import Common, common_options

__all__ = ["audit"]


@click.command()
@common_options
def audit(**options: Any) -> None:
    """Check the size identity (H'-1)S + HH = H + 2P of every windowed layer in SPEC.

    Never imports or runs user code. Fails on a violated identity; --fail-on data-loss tolerates unread padding.
    """
    from gradverify.cli.session import conduct, settings_of  # noqa: PLC0415  --help needs none of it

    common = Common(**options)
    conduct(common, settings_of(common, "audit", common.policy("identity", expectations=False)))
