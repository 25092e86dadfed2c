"""What may stand at a place of the command line: for shells, which ask by click's own protocol.

Nothing here may raise, print or import what the answer does not need: somebody is typing.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import click
    from click.shell_completion import CompletionItem

    from gradverify.spec.model import CaseSpec

__all__ = [
    "PART",
    "case_ids",
    "files",
    "folders",
    "format_names",
    "items",
    "layer_names",
    "rule_names",
    "setting_keys",
    "spec_files",
]

# What a completion is that more follows: the shell puts no space behind it.
PART = "part"
# Beyond, ids are completed up to their next part, as paths are up to the next folder.
_MOST_IDS = 200
_BOUNDS = "/,"


def items(values: Iterable[str | tuple[str, str]], incomplete: str) -> list[CompletionItem[str]]:
    """Return those of some values, or pairs of a value and what it means, that begin as something does.

    What ends with ``/``, ``=`` or ``,`` goes on.
    """
    from click.shell_completion import CompletionItem  # noqa: PLC0415  nobody who runs a command needs it

    pairs = ((value, None) if isinstance(value, str) else value for value in values)
    return [
        CompletionItem(value, type=PART if value.endswith(("/", "=", ",")) else "plain", help=said)
        for value, said in pairs
        if value.startswith(incomplete)
    ]


def layer_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return built-in layers."""
    from gradverify.layers.registry import LAYERS  # noqa: PLC0415  as above

    return items(((layer.name, layer.summary) for layer in LAYERS.values()), incomplete)


def rule_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return ids of rules; where something else was begun, names of rules and codes of contracts."""
    from gradverify.rules import RULES  # noqa: PLC0415  as above
    from gradverify.spec.contract_table import CONTRACTS  # noqa: PLC0415  as above

    if "GV".startswith(incomplete[:2].upper()):
        by_id = items(((rule.id, rule.name) for rule in RULES.values()), incomplete.upper())
        if by_id:
            return by_id
    named = ((rule.name, rule.id) for rule in RULES.values())
    return items((*named, *((code, promise.rule) for code, promise in CONTRACTS.items())), incomplete.lower())


def format_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return formats, and files behind ``NAME=``."""
    from gradverify.reporters import REPORTERS  # noqa: PLC0415  as above

    name, separator, file = incomplete.partition("=")
    if separator:
        return items((f"{name}={path}" for path in _paths(file)), incomplete)
    return items(REPORTERS, incomplete)


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return files and folders."""
    return items(_paths(incomplete), incomplete)


def folders(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return folders."""
    return items(_paths(incomplete, suffixes=()), incomplete)


def spec_files(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return specs and folders, and models for the command that takes them."""
    from gradverify.spec.model import MODEL_SUFFIXES, SPEC_SUFFIXES  # noqa: PLC0415  as above

    suffixes = SPEC_SUFFIXES + MODEL_SUFFIXES if ctx.command.name == "audit" else SPEC_SUFFIXES
    return items(_paths(incomplete, suffixes), incomplete)


def case_ids(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return ids of the cases in the specs that are on the line; nothing where one of them is invalid."""
    return items(_few(_quietly(lambda: _ids(ctx)), incomplete), incomplete)


def setting_keys(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return ``KEY=`` for what the cases in the specs on the line can sweep; values are the user's."""
    found = dict.fromkeys(_quietly(lambda: _keys(ctx))) if "=" not in incomplete else {}
    return items((f"{key}=" for key in found), incomplete)


def _quietly(find: Callable[[], Iterator[str]]) -> list[str]:
    found: list[str] = []
    with suppress(Exception):  # an invalid spec completes nothing, and says so when it is run
        found.extend(find())
    return found


def _specs(ctx: click.Context) -> tuple[str, ...]:
    """Return the specs on the line; while an option waits for its value, click leaves them unread."""
    from gradverify.spec.model import MODEL_SUFFIXES  # noqa: PLC0415  as above

    named = ctx.params.get("specs") or ctx.args
    return tuple(name for name in named if not name.startswith("-") and not name.endswith(MODEL_SUFFIXES))


def _ids(ctx: click.Context) -> Iterator[str]:
    from gradverify.pipeline import select  # noqa: PLC0415  as above
    from gradverify.spec.nodes import escaped  # noqa: PLC0415  as above
    from gradverify.spec.overriding import Overrides  # noqa: PLC0415  as above

    selection = select(_specs(ctx), Overrides(sweeps=dict(ctx.params.get("settings") or ())))
    yield from (escaped(case.id) for case in selection.cases)


def _few(ids: list[str], incomplete: str) -> Iterable[str]:
    """Return ids as they are, or, where many begin so, up to where they next part."""
    begun = list(dict.fromkeys(name for name in ids if name.startswith(incomplete)))  # two specs may have one id
    if len(begun) <= _MOST_IDS:
        return begun
    cut = [name[: _next_bound(name, len(incomplete))] for name in begun]
    alike = Counter(cut)
    return dict.fromkeys(part if alike[part] > 1 else name for part, name in zip(cut, begun, strict=True))


def _next_bound(name: str, start: int) -> int | None:
    found = [place + 1 for bound in _BOUNDS if (place := name.find(bound, start)) >= 0]
    return min(found, default=None)


def _keys(ctx: click.Context) -> Iterator[str]:
    from gradverify.spec.files import find_specs, read_specs  # noqa: PLC0415  as above

    for spec in read_specs(find_specs(_specs(ctx))):
        for case in spec.cases:
            yield from _sweepable(case)


def _sweepable(case: CaseSpec) -> Iterable[str]:
    from gradverify.spec.sweeping import sweepable  # noqa: PLC0415  as above
    from gradverify.spec.target_model import LayerTarget  # noqa: PLC0415  as above

    target = case.targets[0]
    return sweepable(target.layer if isinstance(target, LayerTarget) else None, case.params, case.dims)


def _paths(incomplete: str, suffixes: tuple[str, ...] | None = None) -> Iterator[str]:
    """Yield files with one of some suffixes (all without, none where it is empty), and folders with a ``/``."""
    folder, name = os.path.split(incomplete)
    with suppress(OSError, RuntimeError):  # no such folder, or no such user
        for entry in sorted(Path(folder).expanduser().iterdir()):
            shown = os.path.join(folder, entry.name)  # noqa: PTH118  a Path would lose "./"
            if not entry.name.startswith(name or entry.name.lstrip(".")):
                continue
            if entry.is_dir():
                yield f"{shown}/"
            elif suffixes is None or entry.suffix in suffixes:
                yield shown
