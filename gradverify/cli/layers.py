"""``gradverify layers``."""

from __future__ import annotations

import inspect
import textwrap
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import click

from gradverify.cli.completion import layer_names
from gradverify.errors import UsageError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.layers.batteries.model import Battery, Row
    from gradverify.layers.registry import LayerInfo, Parameter

__all__ = ["layers"]


@click.command()
@click.argument("name", required=False, shell_complete=layer_names)
@click.option("--battery", is_flag=True, help="The cases of the battery of NAME, and why each is there.")
def layers(name: str | None, battery: bool) -> None:
    """List the built-in layers; with NAME its inputs, shapes, parameters, implementations and formulas."""
    from gradverify.layers.registry import LAYERS  # noqa: PLC0415  --help needs none of it

    if name is None and battery:
        raise click.UsageError("--battery of what, expected the name of a layer: gradverify layers conv2d --battery")
    if name is None:
        width = max(len(known) for known in LAYERS)
        for layer in LAYERS.values():
            click.echo(f"{layer.name:<{width}}  {layer.summary}")
        return
    if name not in LAYERS:
        raise UsageError(f"'{name}' is not a built-in layer, {nearest_name(name, tuple(LAYERS))}")
    for line in _battery(name) if battery else _described(LAYERS[name]):
        click.echo(line)


def _battery(name: str) -> Iterator[str]:
    """Yield the rows of a battery: name, what differs from the usual, and the reason."""
    from gradverify.layers.batteries import BATTERIES, battery_of  # noqa: PLC0415  as above

    if name not in BATTERIES:
        raise UsageError(f"{name} has no battery, expected one of {', '.join(BATTERIES)}")
    battery = battery_of(name)
    yield f"battery {name}: {len(battery.rows)} rows; in a case, battery: {name}"
    for row in battery.rows:
        yield ""
        asked = " (runs where it is asked for: also)" if row.asked else ""
        optional = "" if row.promised else " (a layer may refuse it)"
        yield f"{row.name}{asked}{optional}"
        yield from (f"    {line}" for line in textwrap.wrap(row.reason, 76))
        yield f"    {'  '.join(_setting(battery, row))}"
    yield from ("", "names that stand for values of a row, in params and calls of your own code")
    yield from (f"  {line}" for line in textwrap.wrap(" ".join(f"${known}" for known in battery.names), 78))


def _setting(battery: Battery, row: Row) -> Iterator[str]:
    """Yield shapes, parameters and data of a row."""
    for name in battery.axes:
        data = battery.data_of(row, name) if name in row.data else {}
        said = ", ".join(f"{key} {value}" for key, value in data.items() if key != "values")
        said = "written out" if "values" in data else said
        yield f"{name} {'x'.join(map(str, battery.shape_of(row, name)))}{f' ({said})' if said else ''}"
    full = battery.with_usual(row, battery.names, ())
    for name, value in battery.values_of(full, {}).items():
        if name in {**battery.values, **full.values}:
            yield f"{name} {'x'.join(map(str, value)) if isinstance(value, list) else value}"


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
