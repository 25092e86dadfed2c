"""``gradverify schema``."""

from __future__ import annotations

import json

import click

__all__ = ["schema"]


@click.command()
def schema() -> None:
    """Print the JSON Schema of the spec, for editors."""
    from gradverify.spec.schema import json_schema  # noqa: PLC0415  --help needs none of it

    click.echo(json.dumps(json_schema(), indent=2))
