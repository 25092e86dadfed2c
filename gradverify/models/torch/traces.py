"""Which rows of a tensor are padding that an operation before added, and what else its shape does not show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch.utils.weak import WeakTensorKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Edges", "Trace", "Traces"]

# Rows of padding at either end, last axis first.
Edges: TypeAlias = tuple[tuple[int, int], ...]

_PADS = frozenset(
    {"constant_pad_nd", *(f"{kind}_pad{axes}d" for kind in ("reflection", "replication") for axes in (1, 2, 3))}
)
# What changes values and no positions, beside all that torch marks as going element by element.
_KEEPS = frozenset({
    "native_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    "cudnn_batch_norm",
    "native_dropout",
    "clone",
    "_to_copy",
    "detach",
    "alias",
    "contiguous",
    "cat",
    "_prelu_kernel",
    "hardsigmoid",
    "hardswish",
    "hardswish_",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a tensor.

    Attributes
    ----------
    before, own
        Rows of padding; ``own`` are those that were added in ``call``.
    call
        The call of a module in which a padding was added last.
    appended
        How many axes unfolding has put behind the spatial ones.
    doubled
        Whether the last axis but one was put in, for one axis to be pooled as two.
    """

    before: Edges = ()
    own: Edges = ()
    call: object = None
    appended: int = 0
    doubled: bool = False

    @property
    def edges(self) -> Edges:
        """All rows of padding."""
        return _added(self.before, self.own)

    def padded(self, pads: Edges, call: object) -> Trace:
        """Return the trace of the padded tensor; what is cropped, with negative numbers, has no padding of its own."""
        if any(number < 0 for edge in pads for number in edge):
            return replace(self, before=_added(self.edges, pads), own=(), call=None)
        if call is not None and call is self.call:
            return replace(self, own=_added(self.own, pads))
        return replace(self, before=self.edges, own=_added(pads), call=call)


class Traces:
    """The traces of all tensors that have one."""

    def __init__(self) -> None:
        self._known: Any = WeakTensorKeyDictionary()

    def of(self, tensor: Any) -> Trace:
        """Return the trace of a tensor."""
        found: Trace = self._known.get(tensor, _NOTHING)
        return found

    def keep(self, tensor: Any, trace: Trace) -> None:
        """Let a tensor have a trace."""
        if trace != _NOTHING or tensor in self._known:
            self._known[tensor] = trace

    def pad(self, padded: Any, tensor: Any, numbers: Sequence[int], call: object) -> None:
        """Let a tensor be the padded other one; ``numbers`` as torch has them, two for each axis, last axis first."""
        pads = tuple(zip(numbers[::2], numbers[1::2], strict=False))
        self.keep(padded, self.of(tensor).padded(pads, call))

    def slices(self, made: Any, tensor: Any, axis: int) -> None:
        """Let a tensor be what ``Tensor.unfold`` made of another along an axis, counted from the end as ``-1``."""
        trace = self.of(tensor)
        edges = tuple((0, 0) if -1 - place == axis else edge for place, edge in enumerate(trace.edges))
        self.keep(made, Trace(((0, 0), *edges), appended=trace.appended + 1))

    def follow(self, function: Any, args: Sequence[Any], result: Any, call: object) -> None:
        """Carry traces through an operation of aten."""
        name = function._schema.name.partition("::")[2]  # noqa: SLF001  torch names its operations nowhere else
        made = result[0] if isinstance(result, (tuple, list)) and result else result
        if not isinstance(made, torch.Tensor):
            return
        if name in _PADS:
            self.pad(made, args[0], args[1], call)
        elif name == "unsqueeze" and args[1] in {-2, args[0].dim() - 1}:
            self.keep(made, Trace(self.of(args[0]).edges[:1], doubled=True))
        elif name in {"squeeze", "unsqueeze"}:
            self.keep(made, Trace(self.of(args[0]).edges[:1]))
        elif name in _KEEPS or torch.Tag.pointwise in function.tags:
            self._carry(made, args)

    def _carry(self, made: Any, args: Sequence[Any]) -> None:
        """Carry a trace on, where all tensors of that size have the same rows of padding."""
        found = [(tensor, self.of(tensor)) for tensor in _tensors(args) if tensor.dim() == made.dim()]
        count = max((len(trace.edges) for _, trace in found), default=0)
        if not count:
            return
        alike = {
            trace.edges: trace
            for tensor, trace in found
            if tensor.shape[tensor.dim() - count :] == made.shape[made.dim() - count :]
        }
        if len(alike) == 1:
            self.keep(made, next(iter(alike.values())))


_NOTHING = Trace()


def _added(*many: Edges) -> Edges:
    columns = zip_longest(*many, fillvalue=(0, 0))
    edges = tuple(
        (max(0, sum(low for low, _ in column)), max(0, sum(high for _, high in column))) for column in columns
    )
    return edges if any(map(any, edges)) else ()


def _tensors(args: Iterable[Any]) -> Iterable[Any]:
    for value in args:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)
