"""``gradverify sweep``."""

from __future__ import annotations

from typing import Any

import click

from gradverify.cli.completion import setting_keys
from gradverify.cli.options import Common, common_options, engine_options

__all__ = ["sweep"]


class _Setting(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """``KEY=VALUES``."""

    name = "KEY=VALUES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, separator, values = value.partition("=")
        if not separator or not key.strip() or not values.strip():
            self.fail(f"'{value}' is no setting, expected KEY=VALUES like stride=1:4 or K=2,3", param, ctx)
        return key.strip(), values.strip()


@click.command()
@common_options()
@engine_options
@click.option(
    "--set",
    "settings",
    type=_Setting(),
    multiple=True,
    shell_complete=setting_keys,
    help="Sweep KEY over VALUES: 1:4 (closed), 1:9:2 (step), 1,3,7, or pairs 1x2,2x1; repeatable.",
)
def sweep(settings: tuple[tuple[str, str], ...], **options: Any) -> None:
    """Verify SPEC over a grid given on the command line; ends with a stride x padding map.

    --set replaces that key of a case's own sweep; cases without that name run unchanged.
    """
    from gradverify.cli.session import conduct, select_cases, settings_of  # noqa: PLC0415  --help needs none of it

    common = Common(**options)
    sweeps = dict(settings)
    if len(sweeps) < len(settings):
        raise click.UsageError("a key is set twice, expected --set once for each key")
    settled = settings_of(common, "sweep", common.policy("never"), tuple(sweeps))
    conduct(common, settled, lambda: select_cases(common, sweeps), tuple(sweeps))
