"""Masks of failing elements as mistakes leave them: products of slices, put on and taken off one another."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st


@st.composite
def masks(draw, most_axes=4, longest=7):
    """Draw a mask with at least one failing element."""
    shape = tuple(draw(st.lists(st.integers(1, longest), min_size=0, max_size=most_axes)))
    mask = np.full(shape, draw(st.booleans()))
    for value in draw(st.lists(st.booleans(), max_size=4)):
        mask[tuple(slice(*draw(_slices(length))) for length in shape)] = value
    for _ in range(draw(st.integers(0, 3))):
        mask[tuple(draw(st.integers(0, length - 1)) for length in shape)] ^= True
    if not mask.any():
        mask[(0,) * mask.ndim] = True
    return mask


def _slices(length):
    one = st.integers(0, length - 1).map(lambda index: (index, index + 1, 1))
    some = st.tuples(st.integers(0, length), st.integers(0, length), st.integers(1, 3))
    return st.one_of(st.just((0, length, 1)), one, st.sampled_from([(0, 1, 1), (1, None, 2), (1, -1, 1)]), some)
