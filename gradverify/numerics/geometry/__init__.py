"""The size identity of windowed layers, in whole numbers only; nothing here needs numpy.

One axis has input length ``H``, kernel length ``HH``, stride ``S``, padding ``P_lo`` and ``P_hi``, dilation ``D``
and effective kernel ``K = D (HH - 1) + 1``. The backward pass of a convolution dilates the cotangent by ``S``, pads
its edges by ``K - 1`` and correlates it with the rotated kernel, which gives ``(H' - 1) S + K`` entries. That is the
padded input ``H + P_lo + P_hi`` exactly when ``S`` divides ``H + P_lo + P_hi - K``; otherwise the residual
``r = (H + P_lo + P_hi - K) mod S`` says how many rows at the far end no window reads.

A transposed window does forward what that backward pass does: it makes ``Y = (H - 1) S + K - P_lo - P_hi`` rows from
``H``, and ``output_padding`` more at the far end. Its identity is the same one, read backwards:
``(H - 1) S + K = Y + P_lo + P_hi``, with ``output_padding`` as the residual.
"""

from gradverify.numerics.geometry.identity import measure
from gradverify.numerics.geometry.suggestions import holds
from gradverify.numerics.geometry.window import (
    PadMode,
    Rounding,
    Window,
    axis_names,
    describe_impossible,
    describe_output_padding,
    edges,
    effective_kernel,
    folded,
    halves,
    output_size,
    overhang,
    pair,
)
from gradverify.numerics.geometry.words import (
    Gradient,
    alike_axes,
    both_sides,
    describe_backward,
    describe_loss,
    describe_violation,
    is_covered,
    is_read,
    window_count,
)

__all__ = [
    "Gradient",
    "PadMode",
    "Rounding",
    "Window",
    "alike_axes",
    "axis_names",
    "both_sides",
    "describe_backward",
    "describe_impossible",
    "describe_loss",
    "describe_output_padding",
    "describe_violation",
    "edges",
    "effective_kernel",
    "folded",
    "halves",
    "holds",
    "is_covered",
    "is_read",
    "measure",
    "output_size",
    "overhang",
    "pair",
    "window_count",
]
