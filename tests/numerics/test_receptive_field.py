"""Receptive fields against marking: which elements of the input reach an output, found by passing sets along."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gradverify.numerics.geometry import Window, describe_impossible, edges, output_size
from gradverify.numerics.receptive_field import MOST_TURNS, Field, field_at, pooled, resampled, single, slid

EXAMPLES = settings(deadline=None, max_examples=200)


@dataclass(frozen=True)
class Scale:
    """A layer that makes an axis longer or shorter."""

    factor: Fraction
    mode: str


WINDOWS = st.builds(
    Window,
    input=st.just(1),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 3),
    transposed=st.booleans(),
)
SCALES = st.builds(
    Scale,
    factor=st.builds(Fraction, st.integers(1, 4), st.integers(1, 3)),
    mode=st.sampled_from(["nearest", "linear", "bicubic"]),
)
LAYERS = st.lists(st.one_of(WINDOWS, WINDOWS, SCALES), min_size=1, max_size=4)
# An output that reads beyond an end, where nothing is: it has no say in what inner outputs read.
BEYOND = None
Marks = list  # for each element: the set of inputs that reach it, or BEYOND


def passed(marks: Marks, layer: Window | Scale) -> Marks:
    """Return the marks behind a layer, by going through what each output reads."""
    length = len(marks)
    if isinstance(layer, Scale):
        return [reached(marks, taps(layer, place)) for place in range(int(length * layer.factor))]
    low, high = layer.padding
    if not layer.transposed:
        windows = range(0, length + low + high - layer.reach + 1, layer.stride)
        return [
            reached(marks, [start - low + tap * layer.dilation for tap in range(layer.kernel)]) for start in windows
        ]
    made = (length - 1) * layer.stride + layer.reach - low - high
    # Elements beyond the ends would reach the outputs near them, if there were any.
    sources = range(-layer.reach - 4, length + layer.reach + 4)
    found: list[list[int]] = [[] for _ in range(made)]
    for source in sources:
        for tap in range(layer.kernel):
            place = source * layer.stride + tap * layer.dilation - low
            if 0 <= place < made:
                found[place].append(source)
    return [reached(marks, places) for places in found]


def taps(layer: Scale, place: int) -> list[int]:
    if layer.mode == "nearest":
        return [int(place / layer.factor // 1)]
    middle = (place + Fraction(1, 2)) / layer.factor - Fraction(1, 2)
    left = int(middle // 1)
    if middle == left:
        return [left]
    return [left, left + 1] if layer.mode == "linear" else [left - 1, left, left + 1, left + 2]


def reached(marks: Marks, places: list[int]) -> set[int] | None:
    found: set[int] = set()
    for place in places:
        if not 0 <= place < len(marks) or marks[place] is BEYOND:
            return BEYOND
        found |= marks[place]
    return found


def walked(layers: list[Window | Scale], length: int) -> tuple[Field | None, Marks]:
    field, marks = single(), [{place} for place in range(length)]
    for layer in layers:
        field = resampled(field, layer.factor, layer.mode) if isinstance(layer, Scale) else slid(field, layer)
        marks = passed(marks, layer)
        assume(0 < len(marks) < 3000)
    return field, marks


@EXAMPLES
@given(LAYERS)
def test_every_inner_output_reads_the_stretch_that_marks_show(layers):
    field, marks = walked(layers, 90)
    inner = {place: found for place, found in enumerate(marks) if found is not BEYOND}
    assume(field is not None and len(inner) >= 2 * len(field.turn))
    for place, found in inner.items():
        assert field_at(field, place) == ((min(found), max(found)) if found else None)
    sizes = [max(found) - min(found) + 1 for found in inner.values() if found]
    assert field.size == max(sizes, default=None)


def test_the_three_numbers_of_a_chain_of_convolutions_are_the_sums_of_the_paper():
    """Size 1 + sum (K-1) prod S, stride prod S, offset -sum P prod S."""
    field = single()
    for kernel, stride, low in ((7, 2, 3), (3, 2, 1), (3, 1, 1), (3, 2, 0)):
        field = slid(field, Window(100, kernel, stride, (low, 9)))
    assert (field.size, field.stride, field.offset) == (1 + 6 + 2 * 2 + 2 * 4 + 2 * 4, 8, -(3 + 2 + 4))


def test_a_layer_that_makes_an_axis_longer_moves_by_less_than_one_element():
    field = slid(single(), Window(10, kernel=4, stride=2, padding=(1, 1), transposed=True))
    assert (field.size, field.stride, field.offset) == (2, "1/2", -1)
    assert [field_at(field, place) for place in (0, 1, 2)] == [(-1, 0), (0, 1), (0, 1)]


def test_outputs_that_no_kernel_reaches_read_nothing():
    field = slid(single(), Window(10, kernel=1, stride=3, transposed=True))
    assert field.turn == ((0, 0), None, None)
    assert (field.size, field.offset) == (1, 0)
    nothing = slid(slid(field, Window(30, 1, 3, (1, 0))), Window(10, 3))
    assert (nothing.size, nothing.offset) == (None, None)


def test_one_output_of_a_whole_axis():
    field = pooled(slid(single(), Window(20, kernel=3, stride=2, padding=(1, 1))), 10)
    assert (field.size, field.stride, field.offset) == (21, 0, -1)
    assert field_at(field, 7) == (-1, 19)


def test_fields_of_too_many_turns_are_not_followed():
    huge = slid(single(), Window(10, kernel=10**12, stride=10**9, dilation=10**9))
    assert huge.size == (10**12 - 1) * 10**9 + 1
    assert slid(single(), Window(10, kernel=3, stride=MOST_TURNS + 1, transposed=True)) is None
    assert resampled(single(), Fraction(MOST_TURNS + 1)) is None
    assert slid(None, Window(10, 3)) is pooled(None, 10) is resampled(None, Fraction(2)) is None


def test_turns_are_no_longer_than_they_must_be():
    field = single()
    for _ in range(9):
        field = resampled(resampled(field, Fraction(3)), Fraction(1, 3))
    assert (field.turn, field.shift) == (((0, 0),), 1)


def test_modes_pad_as_the_window_says():
    window = Window(10, kernel=3, stride=2, padding=(5, 5), mode=None)
    assert slid(single(), window).offset == -edges(window)[0] == -5
    assert describe_impossible(window) is None
    assert output_size(window) == 9
