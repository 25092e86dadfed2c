"""Arrays inside objects: every kind of holder, and what is no business of ours."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from gradverify.errors import TargetError
from gradverify.targets.attributes import MISSING, arrays_in, described, find, put, replaced, steps, value_at


class Pair(NamedTuple):
    value: Any
    grad: Any


class Slotted:
    __slots__ = ("w",)


def layer():
    made = SimpleNamespace()
    made.weights = np.ones((2, 3))
    made.params = {"W": made.weights, "deep": [np.zeros(4)], 3: np.arange(3.0)}
    made.pair = Pair(np.full(2, 5.0), np.zeros(2))
    made.slotted = Slotted()
    made.slotted.w = np.ones(1)
    made.me = made
    made.name, made.module, made.kind = "text", np, dict
    made.scalar = 1.5
    return made


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("w", ("w",)),
        ("params.W", ("params", "W")),
        ("params[0]", ("params", "0")),
        ("params['W b']", ("params", "W b")),
        ("layers[1].W.grad", ("layers", "1", "W", "grad")),
        ("[0].gamma", ("0", "gamma")),
    ],
)
def test_paths_are_read_step_by_step(path, parts):
    assert steps(path) == parts


def test_every_array_is_found_once_a_path():
    paths = [path for path, _ in arrays_in(layer())]
    assert paths == ["weights", "params.W", "params.deep[0]", "params[3]", "pair[0]", "pair[1]", "slotted.w"]
    assert len(set(paths)) == len(paths)


def test_what_is_at_a_path():
    made = layer()
    for path, array in arrays_in(made):
        assert find(made, path) is array
    assert find(made, "scalar") == 1.5
    assert find(made, "pair.value") is made.pair[0]
    for path in ("nothing", "params.nothing", "params.deep[9]", "scalar.x.y", "pair[7]"):
        assert find(made, path) is MISSING


def test_a_missing_path_lists_what_there_is():
    with pytest.raises(TargetError) as caught:
        value_at(layer(), "weihgts")
    assert "there is no 'weihgts' in the SimpleNamespace, did you mean 'weights'?" in str(caught.value)
    assert "weights (2, 3), params.W (2, 3), params.deep[0] (4,)" in str(caught.value)


def test_a_property_that_raises_is_missing():
    class Raises:
        @property
        def w(self):
            raise RuntimeError

    assert find(Raises(), "w") is MISSING


def test_an_array_is_replaced_wherever_it_is_held():
    made = layer()
    old, new = made.weights, np.zeros((2, 3))
    value = made.pair.value
    assert replaced(made, {id(old): new, id(value): new}) is made
    assert made.weights is new
    assert made.params["W"] is new
    assert made.pair == Pair(new, made.pair.grad)  # another tuple of the same kind
    assert isinstance(made.pair, Pair)


def test_replacing_leaves_modules_and_classes_alone():
    made = layer()
    before = np.pi
    replaced(made, {id(made.weights): np.zeros(1)})
    assert made.module is np
    assert np.pi == before


@pytest.mark.parametrize("path", ["scalar", "params.new", "params[3]", "params.deep[0]"])
def test_values_are_put_where_a_path_leads(path):
    made = layer()
    put(made, path, 7.0)
    assert find(made, path) == 7.0


@pytest.mark.parametrize("path", ["params.deep[5]", "pair[0]", "nothing.there"])
def test_what_cannot_be_put_says_so(path):
    with pytest.raises(TargetError, match="cannot be set"):
        put(layer(), path, 7.0)


def test_long_descriptions_are_cut():
    made = SimpleNamespace(**{f"w{number}": np.zeros(1) for number in range(30)})
    assert described(made).endswith("w19 (1,) and 10 more arrays")
    assert described(SimpleNamespace()) == "no arrays"
