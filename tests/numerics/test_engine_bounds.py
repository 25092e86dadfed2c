"""Forward passes meet the lower bound: the most elements that one output depends on, as a formula of the shapes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import pytest
from built_ins import CODE, BuiltIn, Counter, found

from gradverify.layers.registry import LAYERS

# Forward passes a group, and beside the groups.
POINTS = {"complex step": (1, 0), "impulses": (1, 1), "differences of order 4": (4, 0)}


@dataclass(frozen=True)
class Row:
    """A layer; by input, the lower bound on groups and the extents of the footprint."""

    subject: BuiltIn
    bounds: dict[str, tuple[int, tuple[int, ...]]]

    def __str__(self) -> str:
        return str(self.subject)


def conv(x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """``C HH WW`` elements of x, and of w, and one of b; the kernel lies ``D`` apart in x."""
    _, c, *_ = x
    f, _, hh, ww = w
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, (hh, ww), strict=True)]
    subject = BuiltIn(
        "conv2d", {"x": x, "w": w, "b": (f,)}, {"stride": stride, "padding": padding, "dilation": dilation}
    )
    bounds = {"x": (c * hh * ww, (1, c, *spans)), "w": (c * hh * ww, (1, c, hh, ww)), "b": (1, (1,))}
    return Row(subject, bounds)


def pool(layer, x, kernel, **params):
    """The window, as far as the input goes."""
    window = tuple(min(k, length) for k, length in zip(kernel, x[2:], strict=True))
    return Row(BuiltIn(layer, {"x": x}, {"kernel_size": kernel, **params}), {"x": (prod(window), (1, 1, *window))})


def norm(layer, x, scale, share, **params):
    """The elements that share a mean, and one of gamma and beta each."""
    one = (1, (1,) * len(scale))
    subject = BuiltIn(layer, {"x": x, "gamma": scale, "beta": scale}, params)
    return Row(subject, {"x": (prod(share), share), "gamma": one, "beta": one})


def affine(x, m):
    """A row of x, a column of w, one element of b."""
    d = prod(x[1:])
    bounds = {"x": (d, (1, *x[1:])), "w": (d, (d, 1)), "b": (1, (1,))}
    return Row(BuiltIn("affine", {"x": x, "w": (d, m), "b": (m,)}), bounds)


def elementwise(layer, x, **params):
    return Row(BuiltIn(layer, {"x": x}, params), {"x": (1, (1,) * len(x))})


def group_norm(x, groups):
    _, c, *space = x
    return norm("groupnorm", x, (c,), (1, c // groups, *space), groups=groups)


def statistics(features):
    return {"mode": "test", "running_mean": [0.5] * features, "running_var": [2.0] * features}


def loss(n, k):
    return Row(BuiltIn("softmax_loss", {"x": (n, k), "y": (n,)}), {"x": (n * k, (n, k))})


ROWS = [
    conv((2, 3, 5, 5), (2, 3, 3, 3)),
    conv((2, 2, 9, 7), (3, 2, 3, 2), padding=(1, 1)),
    conv((1, 2, 11, 9), (3, 2, 2, 3), stride=(2, 3), padding=(1, 2)),
    conv((2, 1, 12, 11), (2, 1, 3, 2), padding=(2, 1), dilation=(2, 3)),
    conv((1, 2, 14, 13), (2, 2, 3, 3), stride=(2, 1), padding=(3, 2), dilation=(3, 2)),
    conv((2, 2, 4, 4), (3, 2, 1, 1)),
    conv((2, 1, 5, 8), (2, 1, 3, 2), dilation=(2, 5)),
    conv((2, 1, 30, 4), (1, 1, 17, 2)),
    conv((2, 1, 30, 4), (1, 1, 3, 2), dilation=(8, 1)),
    *(
        row
        for layer in ("maxpool2d", "avgpool2d")
        for row in (
            pool(layer, (2, 2, 6, 6), (2, 2)),
            pool(layer, (2, 1, 9, 8), (3, 3), stride=2, padding=1),
            pool(layer, (1, 2, 7, 9), (2, 3), stride=(3, 2)),
            pool(layer, (2, 1, 8, 9), (3, 2), stride=1),
            pool(layer, (2, 2, 3, 4), (5, 4), stride=1, padding=(1, 0)),
        )
    ),
    norm("batchnorm", (8, 5), (5,), (8, 1)),
    norm("batchnorm", (7, 30), (30,), (7, 1), eps=0.1),
    norm("batchnorm", (8, 5), (5,), (1, 1), **statistics(5)),
    norm("spatial_batchnorm", (2, 3, 4, 5), (3,), (2, 1, 4, 5)),
    norm("spatial_batchnorm", (2, 3, 4, 4), (3,), (1, 1, 1, 1), **statistics(3)),
    norm("layernorm", (6, 8), (8,), (1, 8)),
    norm("layernorm", (3, 2, 4), (2, 4), (1, 2, 4)),
    group_norm((2, 6, 3, 3), 2),
    group_norm((3, 8), 4),
    group_norm((2, 6, 2, 3), 6),
    *(elementwise(layer, shape) for layer in ("relu", "leaky_relu", "sigmoid", "tanh") for shape in ((4, 5), (7,))),
    elementwise("dropout", (4, 5), p=0.8, seed=3),
    elementwise("dropout", (2, 3, 4), mode="test"),
    affine((3, 2, 4), 5),
    affine((5, 7), 3),
    loss(6, 4),
    loss(5, 9),
]


def test_every_layer_has_a_row():
    assert {row.subject.layer for row in ROWS} == set(LAYERS)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_formulas_count_what_an_output_depends_on(row):
    """Changes an element at a time: no scheme needs fewer groups than the most elements that one output follows."""
    subject = row.subject.functional()
    for name, (bound, extent) in row.bounds.items():
        value = subject.inputs[name]
        pattern = np.zeros((value.size, subject.middle.size), dtype=bool)
        for position in range(value.size):
            for far in (50.0, -50.0):
                moved = value.copy()
                moved.flat[position] += far
                pattern[position] |= subject.at(name, moved) != subject.middle
        assert np.max(pattern.sum(axis=0)) == bound
        places = np.argwhere(np.ones(value.shape))
        boxes = [np.ptp(places[followed], axis=0) + 1 for followed in pattern.T if np.any(followed)]
        assert tuple(np.max(boxes, axis=0)) == extent


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_passes_meet_the_bound(row, code):
    counter = Counter()
    subject = counter.watching(CODE[code](row.subject.functional()))
    findings = found(subject, row.subject.gradients(subject), "compressed")
    total = 0
    for name, (bound, extent) in row.bounds.items():
        check = findings[name].check
        assert (check.verdict, check.method, check.footprint) == ("pass", "compressed", extent), name
        points, beside = POINTS[check.work.derivative]
        assert (check.work.derivative == "complex step") <= (code == "complex-safe")
        assert check.work.groups == bound, name
        assert check.work.passes["gradient"] == bound * points + beside, name
        total += sum(check.work.passes.values())
    assert counter.passes == total
