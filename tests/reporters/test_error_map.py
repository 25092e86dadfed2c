"""The map of errors as people see it: in full, and every sentence read back and held against the elements."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_reports import case_result, rendered, report_of
from masks import masks

from gradverify.numerics.error_map import error_map
from gradverify.reporters.error_map import map_lines
from gradverify.reporters.error_pattern import pattern
from gradverify.reporters.json import document
from gradverify.results import GradientCheck, Verdict, WorstEntry

IMAGES = ("N", "C", "H", "W")


def named(mask, names=IMAGES):
    """Return the map of a mask with axes of these names."""
    found = error_map(mask)
    return replace(found, axes=tuple(replace(axis, name=names[axis.axis]) for axis in found.axes))


def failing(mask, names=IMAGES, **changes) -> GradientCheck:
    found = named(mask, names)
    fields = {"input": "x", "shape": mask.shape, "verdict": Verdict.FAIL, "error_map": found}
    return GradientCheck(**fields | {"elements": mask.size, "compared": mask.size, "failed": found.failed} | changes)


def of(*parts, shape=(2, 3, 5, 7)):
    """Return a mask that fails in some parts."""
    mask = np.zeros(shape, dtype=bool)
    for part in parts:
        mask[part] = True
    return mask


def but(*parts, shape=(2, 3, 5, 7)):
    return ~of(*parts, shape=shape)


SENTENCES = [
    (of(np.s_[0, 2, 3, 3]), "one element: [0, 2, 3, 3] (of 210)"),
    (of((0, 2, 3, 3), (1, 0, 0, 0)), "2 elements: [0, 2, 3, 3], [1, 0, 0, 0] (of 210)"),
    (of(np.s_[:]), "every element (210)"),
    (but((0, 2, 3, 3)), "everything but [0, 2, 3, 3] (209 of 210 elements)"),
    (of(np.s_[:, :, -1]), "everything in the last row of H (42 of 210 elements)"),
    (of(np.s_[:, :, :2]), "everything in the first 2 rows of H (84 of 210 elements)"),
    (of(np.s_[:, :, 2]), "everything in row 2 of H (42 of 210 elements)"),
    (of(np.s_[..., 0], np.s_[..., -1]), "everything in the first and last column of W (60 of 210 elements)"),
    (
        of(np.s_[..., 0], np.s_[..., -2:]),
        "everything in the first column and the last 2 columns of W (90 of 210 elements)",
    ),
    (of(np.s_[:, 2]), "everything in channel 2 of C (70 of 210 elements)"),
    (of(np.s_[1]), "everything in sample 1 of N (105 of 210 elements)"),
    (of(np.s_[1, 2]), "everything in channel 2 of C in sample 1 of N (35 of 210 elements)"),
    (of(np.s_[:, :, 1::2]), "everything in every second row of H from 1 (84 of 210 elements)"),
    (of(np.s_[..., ::3]), "everything in every 3rd column of W from 0 (90 of 210 elements)"),
    (of(np.s_[..., 0:5:2]), "everything in every second column of W from 0 to 4 (90 of 210 elements)"),
    (of(np.s_[..., [1, 3, 4]]), "everything in columns 1 and 3 to 4 of W (90 of 210 elements)"),
    (but(np.s_[:, :, 1:-1, 1:-1]), "everything at the border of H and W, 1 wide (120 of 210 elements)"),
    (
        of(np.s_[:, :, -1], np.s_[..., 0]),
        "everything in the last row of H or in the first column of W (66 of 210 elements)",
    ),
    (
        of(np.s_[:, 1, -1], np.s_[:, 1, :, 0]),
        "everything in the last row of H or in the first column of W, all in channel 1 of C (22 of 210 elements)",
    ),
    (
        of(np.s_[:, :, 1::2], np.s_[..., 1::2]),
        "everything in every second row of H from 1 or in every second column of W from 1 (138 of 210 elements)",
    ),
    (but(np.s_[1, 2]), "everything but channel 2 of C in sample 1 of N (175 of 210 elements)"),
    (
        but(np.s_[:, :, 1:-1, 1:-1], (0, 0, 0, 3), (1, 1, 2, 0)),
        "only at the border of H and W, 1 wide (118 of 120 elements there, of 210 in all)",
    ),
    (
        of(np.s_[:, 2]) & (np.arange(7) % 3 < 2) & (np.arange(5)[:, None] != np.arange(7)),
        "only in channel 2 of C (42 of 70 elements there, of 210 in all)",
    ),
    (of(*[(n, c, n + c, 6 - c) for n in range(2) for c in range(3)]), "scattered: 6 of 210 elements"),
    (but((0, 0, 0, 3), (1, 1, 2, 0), (1, 0, 0, 0)), "everywhere: 207 of 210 elements"),
    (of(np.s_[...], shape=()), "the only element"),
    (of(np.s_[:], shape=(1, 1)), "the only element"),
]


@pytest.mark.parametrize(("mask", "sentence"), SENTENCES, ids=[sentence for _, sentence in SENTENCES])
def test_the_sentence(mask, sentence):
    assert pattern(named(mask)) == sentence


def test_axes_without_a_name_have_their_number():
    mask = of(np.s_[3], shape=(5, 4))
    assert pattern(error_map(mask)) == "everything in index 3 of axis 0 (4 of 20 elements)"
    assert (
        pattern(error_map(of(np.s_[:, 1:3], shape=(5, 4))))
        == "everything in indices 1 to 2 of axis 1 (10 of 20 elements)"
    )


# -- every sentence is read back by a reader that knows nothing of the map ---------------------------------------------


class Reader:
    """Reads a sentence about a mask of a shape, whose axes have names or numbers."""

    def __init__(self, shape, names):
        self.shape = shape
        self.labels = [name or f"axis {axis}" for axis, name in enumerate(names[: len(shape)])]

    def check(self, sentence, mask):
        """Assert that a sentence is true of a mask."""
        failed, elements = int(mask.sum()), mask.size
        if sentence == "the only element":
            assert (failed, elements) == (1, 1)
        elif found := re.fullmatch(r"every element \((\d+)\)", sentence):
            assert failed == elements == int(found[1])
        elif found := re.fullmatch(r"(?:one element|(\d+) elements): (.*) \(of (\d+)\)", sentence):
            listed = [
                [int(number) for number in re.findall(r"\d+", index)] for index in re.findall(r"\[.*?\]", found[2])
            ]
            assert listed == np.argwhere(mask).tolist()
            assert (int(found[1] or 1), int(found[3])) == (failed, elements)
        elif found := re.fullmatch(r"(scattered|everywhere): (\d+) of (\d+) elements", sentence):
            assert (int(found[2]), int(found[3])) == (failed, elements)
            slices = [np.moveaxis(mask, axis, 0).reshape(length, -1) for axis, length in enumerate(mask.shape)]
            everywhere = 2 * failed >= elements and all(part.any(axis=1).all() for part in slices)
            assert everywhere == (found[1] == "everywhere")
        elif found := re.fullmatch(r"everything (.*) \((\d+) of (\d+) elements\)", sentence):
            assert np.array_equal(self.region(found[1]), mask)
            assert (int(found[2]), int(found[3])) == (failed, elements)
        else:
            found = re.fullmatch(r"only (.*) \((\d+) of (\d+) elements? there, of (\d+) in all\)", sentence)
            region = self.region(found[1])
            assert not np.any(mask & ~region)
            assert (int(found[2]), int(found[3]), int(found[4])) == (failed, region.sum(), elements)
            assert failed < region.sum() < elements

    def region(self, text):
        inside = np.ones(self.shape, dtype=bool)
        if found := re.fullmatch(r"(.*), all in (.*)", text):
            text, inside = found[1], self.product(found[2])
        if found := re.fullmatch(r"but \[(.*)\]", text):
            inside[tuple(int(number) for number in found[1].split(", "))] = False
            return inside
        if found := re.fullmatch(r"(?:in (.*), )?but (.*)", text):
            return (self.product(found[1]) if found[1] else inside) & ~self.product(found[2])
        if found := re.fullmatch(r"at the border of (.*), (\d+) wide", text):
            width, labels = int(found[2]), re.split(" and |, ", found[1])
            at = [(self.index(label), self.length(label)) for label in labels]
            return inside & np.any([(i < width) | (i >= length - width) for i, length in at], axis=0)
        slices = text.removeprefix("in ").split(" or in ")
        return inside & np.any([self.product(part) for part in slices], axis=0)

    def product(self, text):
        return np.all([self.part(part) for part in text.split(" in ")], axis=0)

    def length(self, label):
        return self.shape[self.labels.index(label)]

    def index(self, label):
        return np.indices(self.shape)[self.labels.index(label)]

    def part(self, text):
        noun = r"(?:sample|channel|filter|row|column|index|indice)s?(?:es)?"
        what, label, rest = re.fullmatch(r"(.*) of ([A-Z]+|axis \d+)( from .*)?", text).groups()
        i, length = self.index(label), self.length(label)
        if rest:
            step = re.fullmatch(rf"every (second|\d+)(?:st|nd|rd|th)? {noun}", what)[1]
            first, last = re.fullmatch(r" from (\d+)(?: to (\d+))?", rest).groups()
            step, first, last = 2 if step == "second" else int(step), int(first), int(last or length - 1)
            return (i >= first) & (i <= last) & ((i - first) % step == 0)
        if found := re.fullmatch(rf"the first and last (?:(\d+) )?{noun}", what):
            return (i < int(found[1] or 1)) | (i >= length - int(found[1] or 1))
        if found := re.fullmatch(rf"the first (?:(\d+) )?{noun} and the last (?:(\d+) )?{noun}", what):
            return (i < int(found[1] or 1)) | (i >= length - int(found[2] or 1))
        if found := re.fullmatch(rf"the (first|last) (?:(\d+) )?{noun}", what):
            many = int(found[2] or 1)
            return i < many if found[1] == "first" else i >= length - many
        chosen = set()
        for item in re.split(" and |, ", re.fullmatch(rf"{noun} (.*)", what)[1]):
            first, _, last = item.partition(" to ")
            chosen |= set(range(int(first), int(last or first) + 1))
        return np.isin(i, list(chosen))


@settings(max_examples=500, deadline=None)
@given(masks(), st.sampled_from([IMAGES, (None,) * 4, ("F", "C", "HH", "WW"), ("N", None, None, "D")]))
def test_every_sentence_is_true(mask, names):
    Reader(mask.shape, names).check(pattern(named(mask, names)), mask)


@pytest.mark.parametrize(("mask", "sentence"), SENTENCES, ids=[sentence for _, sentence in SENTENCES])
def test_the_reader_understands_every_kind_of_sentence_and_sees_what_is_false(mask, sentence):
    reader = Reader(mask.shape, IMAGES)
    reader.check(sentence, mask)
    changed = [~mask, np.roll(mask, 1)] if sentence.startswith("everything") else [~mask]
    for other in changed:
        with pytest.raises(AssertionError):
            reader.check(sentence, other)


# -- the whole map -----------------------------------------------------------------------------------------------------


def test_the_map_has_a_line_for_every_axis_longer_than_1():
    assert list(map_lines(failing(of(np.s_[:, :, -1], shape=(2, 1, 7, 5))))) == [
        "errors: everything in the last row of H (10 of 70 elements)",
        "  N  ++       2 of 2",
        "  H  ......#  1 of 7",
        "  W  +++++    5 of 5",
    ]


def test_a_long_axis_says_how_many_share_a_sign():
    mask = of(np.s_[:, 96:200], shape=(2, 3072))
    assert list(map_lines(failing(mask, (None, None)))) == [
        "errors: everything in indices 96 to 199 of axis 1 (208 of 6144 elements)",
        "  axis 0  ++                                2 of 2",
        "  axis 1  .#+.............................  104 of 3072, 96 a sign",
    ]


@pytest.mark.parametrize("mask", [of(np.s_[:]), of((0, 1, 2, 3)), of((0, 1, 2, 3), (1, 2, 3, 4))])
def test_there_are_no_axes_where_the_sentence_says_it_all(mask):
    assert len(list(map_lines(failing(mask)))) == 1


def test_elements_in_doubt_are_told_apart():
    assert list(map_lines(failing(of((0, 1, 2, 3)), inconclusive=4))) == [
        "errors: one element: [0, 1, 2, 3] (of 210); 4 elements more in doubt"
    ]


@settings(max_examples=200, deadline=None)
@given(masks(longest=100, most_axes=3))
def test_lines_of_axes_are_ascii_and_fit_80_columns(mask):
    lines = list(map_lines(failing(mask, (None,) * 3)))
    assert all(line.isascii() and len(line) <= 80 - 7 for line in lines[1:])
    for line, axis in zip(lines[1:], [length for length in mask.shape if length > 1], strict=False):
        bar = re.search(r"  ([.+#]+) ", line)[1]
        assert len(bar) == min(axis, -(-axis // -(-axis // 32)))


def test_the_line_of_a_huge_axis_leaves_out_what_does_not_fit():
    mask = of(np.s_[:], shape=(1_000_000,))
    mask[5] = mask[7] = mask[700_000] = mask[123] = mask[900_001] = False
    (_, line) = map_lines(failing(mask, (None,)))
    assert line.endswith("  999995 of 1000000")
    assert len(line) <= 80 - 7


def explained(check, **appearance):
    case = case_result(verdict=Verdict.FAIL, reason=None, contracts=(), gradients=(check,), geometry=())
    return rendered("terminal", report_of(case, command="run"), **appearance).splitlines()


def test_it_stands_below_the_worst_entry_also_in_a_quiet_report():
    worst = WorstEntry(index=(0, 0, 4, 0), analytic=0.0, numerical=0.5)
    check = failing(of(np.s_[:, :, -1]), reason="42 of 210 elements differ", worst=worst)
    assert explained(check, verbosity=-1, width=80)[1:-2] == [
        "-- FAIL conv/stride=2 (conv.yaml:7, conv)",
        "     dx (2x3x5x7) fail: 42 of 210 elements differ",
        "       worst entry [0, 0, 4, 0]",
        "         analytic  0",
        "         numerical 0.5",
        "       errors: everything in the last row of H (42 of 210 elements)",
        "         N  ++       2 of 2",
        "         C  +++      3 of 3",
        "         H  ....#    1 of 5",
        "         W  +++++++  7 of 7",
        "       largest relative error -, absolute - (210 compared)",
    ]


def test_machines_do_not_see_it():
    check = failing(of(np.s_[:, :, -1]))
    shown, hidden = (
        document(report_of(case_result(gradients=(part,)))) for part in (check, replace(check, error_map=None))
    )
    assert shown == hidden
