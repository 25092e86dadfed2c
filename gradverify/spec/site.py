"""A layer of a network or model as an audit sees it: what it is called, what it does, how its windows slide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.results.networks import Inputs, Shape

if TYPE_CHECKING:
    from gradverify.numerics.geometry import Window
    from gradverify.spec.network_model import Allowance

__all__ = ["Inputs", "Model", "Shape", "Site", "SiteTarget", "image_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One layer of a network or model. Plain values, picklable.

    Attributes
    ----------
    name
        Its name, unique in the network; part of its case's id.
    op
        What it does, in the words of where it comes from: ``conv2d``, ``MaxPool``, ``ConvTranspose2d``.
    input_shape, output_shape
        Of its first input and output; ``None`` where even the number of axes is not known.
    windows
        Axis name and window for every spatial axis; empty for a layer without windows.
    problem
        Why nothing can be said of it, or what is wrong beside its windows: what, where, and what to do.
    unjudged
        Why it is not judged, where that is no error: it is not known, and nothing says that it has windows.
    receptive_field
        For every spatial axis that comes out: the longest stretch of the network's input that an output reads, as if
        nothing ended; ``None`` where it is not known.
    total_stride
        For every spatial axis that comes out: how far that stretch moves from one output to the next, on average; a
        fraction as ``"1/2"``.
    offset
        For every spatial axis that comes out: the index in the network's input of the first element that the first
        output reads, negative in the padding.
    notes
        Axis name and sentence: what else is worth knowing.
    allow
        A violation that is known.
    place
        Line and column at which it stands in its file.
    """

    name: str
    op: str
    input_shape: Shape | None = None
    output_shape: Shape | None = None
    windows: tuple[tuple[str, Window], ...] = ()
    problem: str | None = None
    unjudged: str | None = None
    receptive_field: tuple[int | None, ...] = ()
    total_stride: tuple[int | str | None, ...] = ()
    offset: tuple[int | None, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    allow: Allowance | None = None
    place: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SiteTarget:
    """A layer of a network or model, of which only the geometry is checked."""

    op: str

    @property
    def home(self) -> str:
        """Nothing is imported."""
        return ""

    def __str__(self) -> str:
        return self.op


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A network or model, layer by layer, in the order in which data pass through it.

    Attributes
    ----------
    inputs
        Names and shapes of what goes in.
    sites
        Its layers: those with windows and those with a problem at least.
    """

    inputs: Inputs
    sites: tuple[Site, ...]


def image_of(inputs: Inputs) -> tuple[str, Shape]:
    """Return name and shape of the first input with axes behind batch and channels; both empty where there is none."""
    return next(((name, shape) for name, shape in inputs if len(shape) > 2), ("", ()))
