"""A windowed operation before it has run: what it is called, and how its windows slide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gradverify.models.torch.operations import Kind, on_one_axis, specific
from gradverify.models.torch.windows import lengths_made, windows_of
from gradverify.numerics.geometry import Rounding, Window, axis_names, describe_impossible
from gradverify.spec.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.models.torch.operations import Operation
    from gradverify.models.torch.scopes import Call, Scopes
    from gradverify.models.torch.traces import Edges, Trace
    from gradverify.models.torch.windows import Windows

__all__ = ["Draft", "drafted"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A windowed operation that is about to run.

    Attributes
    ----------
    operation, arguments
        What is called, and with what.
    name, kind
        Of the layer that it is.
    shape
        Of its input, without the padding that the layer added itself.
    windows
        Along every axis; empty where there are none, and where there is a doubt.
    doubt
        Why the windows cannot be told; torch will refuse them.
    doubled
        Whether torch has put an axis in.
    """

    operation: Operation
    arguments: Mapping[str, Any]
    name: str
    kind: str
    shape: tuple[int, ...]
    windows: Windows = ()
    doubt: str | None = None
    doubled: bool = False

    @property
    def impossible(self) -> str | None:
        """Why there can be no output, or ``None``."""
        said = ((axis, describe_impossible(window)) for axis, window in self.windows)
        return next((f"{axis}: {reason}" for axis, reason in said if reason is not None), None)

    def site(self, result: Any) -> Site:
        """Return the layer after it has run; ``result`` is what it returned."""
        made = tuple((result[0] if isinstance(result, (tuple, list)) else result).shape)
        output = made[:-2] + made[-1:] if self.doubled else made
        site = Site(name=self.name, op=self.kind, input_shape=self.shape, output_shape=output, windows=self.windows)
        if not self.windows:
            return site
        by_torch, by_rule = lengths_made(self.operation.kind, self.windows, self._spatial(output))
        if by_torch == by_rule:
            return site
        sizes = f"torch makes {list(by_torch)} here, and the size rule gives {list(by_rule)}"
        return replace(site, windows=(), problem=f"{sizes}: this is a mistake of gradverify, please report it")

    def refused(self, reason: str) -> Site:
        """Return the layer where torch refuses it: its windows say why, where they can."""
        site = Site(name=self.name, op=self.kind, input_shape=self.shape)
        if self.impossible is not None:
            return replace(site, windows=self.windows)
        return replace(site, problem=reason)

    def _spatial(self, output: tuple[int, ...]) -> tuple[int, ...]:
        """Return the part of an output's shape that the windows make."""
        if self.operation.kind is not Kind.SLICES:
            return output
        return (output[int(self.arguments["dimension"]) % (len(output) - 1)],)


def drafted(operation: Operation, arguments: Mapping[str, Any], trace: Trace, scopes: Scopes) -> Draft:
    """Return what is about to run.

    Parameters
    ----------
    operation, arguments
        What is called, and with what, by name.
    trace
        What is known of its input.
    scopes
        Says what is running.
    """
    shape = tuple(arguments["input"].shape)
    doubled = trace.doubled and operation.axes == 2 and shape[-2] == 1
    if doubled:
        operation, arguments = on_one_axis(operation, arguments)
        shape = shape[:-2] + shape[-1:]
    operation = specific(operation, arguments)
    name, kind = scopes.named(operation, arguments.get("weight"))
    draft = Draft(operation, arguments, name, kind, shape, doubled=doubled)
    try:
        windows = _slices(draft, trace) if operation.kind is Kind.SLICES else windows_of(operation, arguments, shape)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        return replace(draft, doubt=str(error) or type(error).__name__)
    return _padded(replace(draft, windows=windows), trace, scopes.current)


def _slices(draft: Draft, trace: Trace) -> Windows:
    """Return the window of ``Tensor.unfold`` along the axis that it is given."""
    axes = len(draft.shape) - trace.appended
    place = int(draft.arguments["dimension"]) % len(draft.shape)
    spatial = axis_names(axes - 2) if axes > 2 else ()
    last = "L" if axes <= 2 and place == axes - 1 else str(place)  # of a sequence without batch or channels
    name = spatial[place - 2] if 2 <= place < axes else last
    ((_, window),) = windows_of(draft.operation, draft.arguments, draft.shape[place : place + 1])
    return ((name, replace(window, padded_before=_edge(trace.edges, len(draft.shape) - 1 - place))),)


def _padded(draft: Draft, trace: Trace, call: Call | None) -> Draft:
    """Return the draft with the padding that was there before: that of the same layer as its own, else of another."""
    sliding = all(not window.transposed for _, window in draft.windows)
    if draft.operation.kind is Kind.SLICES or not trace.edges or not sliding:
        return draft
    plain = all(window.rounding is Rounding.FLOOR and window.mode is None for _, window in draft.windows)
    same = call is not None and call is trace.call and call.is_windowed and plain
    before, own = (trace.before, trace.own) if same else (trace.edges, ())
    count = len(draft.windows)
    windows = tuple(
        (axis, _behind(window, _edge(before, count - 1 - place), _edge(own, count - 1 - place)))
        for place, (axis, window) in enumerate(draft.windows)
    )
    taken = [sum(_edge(own, len(draft.shape) - 1 - place)) for place in range(len(draft.shape))]
    shape = tuple(length - rows for length, rows in zip(draft.shape, taken, strict=True))
    return replace(draft, windows=windows, shape=shape)


def _behind(window: Window, before: tuple[int, int], own: tuple[int, int]) -> Window:
    low, high = window.padding
    edges = (low + own[0], high + own[1])
    return replace(window, input=window.input - sum(own), padding=edges, padded_before=before)


def _edge(edges: Edges, place: int) -> tuple[int, int]:
    return edges[place] if place < len(edges) else (0, 0)
