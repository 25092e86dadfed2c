"""``gradverify layers``."""

from __future__ import annotations

import inspect
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import click

from gradverify.errors import UsageError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.layers.registry import LayerInfo, Parameter

__all__ = ["layers"]


@click.command()
@click.argument("name", required=False)
def layers(name: str | None) -> None:
    """List the built-in layers; with NAME its inputs, shapes, parameters, implementations and formulas."""
    from gradverify.layers.registry import LAYERS  # noqa: PLC0415  --help needs none of it

    if name is None:
        width = max(len(known) for known in LAYERS)
        for layer in LAYERS.values():
            click.echo(f"{layer.name:<{width}}  {layer.summary}")
        return
    if name not in LAYERS:
        raise UsageError(f"'{name}' is not a built-in layer, {nearest_name(name, tuple(LAYERS))}")
    for line in _described(LAYERS[name]):
        click.echo(line)


def _described(layer: LayerInfo) -> Iterator[str]:
    yield f"{layer.name}: {layer.summary}"
    yield from ("", "inputs")
    for role in layer.inputs:
        constant = "" if role.classes is None else " (no gradient)"
        yield f"  {role.name} {role.shape_text}: {role.role}{constant}"
    if layer.parameters:
        yield from ("", "parameters")
        for item in layer.parameters:
            yield f"  {item.name} ({_default(item)}): {item.role}"
            yield f"      {item.kind.value}"
    yield from ("", "implementations")
    for implementation in layer.implementations:
        mark = ", used when none is named" if implementation.name == layer.fast else ""
        yield f"  {implementation.name}: {implementation.note}{mark}"
    yield from _formulas(layer)


def _default(item: Parameter) -> str:
    if item.required:
        return "required"
    return f"as {item.default_from}" if item.default_from else f"{item.default}"


def _formulas(layer: LayerInfo) -> Iterator[str]:
    """Yield the docstrings of forward and backward, each once."""
    names = [name for item in layer.implementations for name in (item.forward, item.backward)]
    for name in dict.fromkeys(names):
        documented = inspect.getdoc(resolve_name(name))
        yield from ("", name.partition(":")[2])
        yield from (f"  {line}".rstrip() for line in (documented or "").splitlines())
