"""``gradverify init``."""

from __future__ import annotations

from pathlib import Path

import click

from gradverify.cli.completion import files, layer_names
from gradverify.errors import UsageError, nearest_name

__all__ = ["init"]

_DEFAULT_LAYER, _DEFAULT_FILE = "conv2d", "gradverify.yaml"


@click.command()
@click.argument("name", required=False, shell_complete=layer_names)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=files,
    help="Where to write it; - for stdout.  [default: NAME.yaml]",
)
def init(name: str | None, output: str | None) -> None:
    """Write a commented starting spec for the built-in layer NAME, with a pattern for your own functions.

    Without NAME it is gradverify.yaml, for a convolution. A file that exists is left alone.
    """
    from gradverify.layers.registry import LAYERS  # noqa: PLC0415  --help needs none of it
    from gradverify.spec.starter import starting_spec  # noqa: PLC0415  as above

    if name is not None and name not in LAYERS:
        raise UsageError(f"'{name}' is not a built-in layer, {nearest_name(name, tuple(LAYERS))}")
    file = output or (f"{name}.yaml" if name else _DEFAULT_FILE)
    text = starting_spec(name or _DEFAULT_LAYER, _DEFAULT_FILE if file == "-" else file)
    if file == "-":
        click.echo(text, nl=False)
        return
    try:
        with Path(file).open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"'{file}' exists already, expected a new file; name one with --output") from None
    except OSError as error:
        raise UsageError(f"'{file}' cannot be written: {error.strerror}") from None
    click.echo(f"wrote {file}; verify it: gradverify run {file}", err=True)
