"""``gradverify run``."""

from __future__ import annotations

from typing import Any

import click

from gradverify.cli.options import Common, common_options, engine_options

__all__ = ["run"]


@click.command()
@common_options()
@engine_options
def run(**options: Any) -> None:
    """Verify every case of SPEC: geometry, contracts and gradients.

    SPEC is a file or a folder (*.yaml, *.yml, searched recursively). This executes the code that a spec names, with
    your rights.
    """
    from gradverify.cli.session import conduct, select_cases, settings_of  # noqa: PLC0415  --help needs none of it

    common = Common(**options)
    conduct(common, settings_of(common, "run", common.policy("never")), lambda: select_cases(common))
