"""Code under test sees what it did to the libraries, and the engine sees the libraries."""

from __future__ import annotations

import builtins
import math
import sys
import warnings

import numpy as np
import pytest

from gradverify.targets import guard
from gradverify.targets.guard import Guarded
from gradverify.targets.namespaces import in_words, originals
from gradverify.targets.protocol import Calls, Forward, Gradients

DOT = np.dot


def fake(*_, **__):
    """Stand in the place of a function."""
    return 0.0


class Code:
    """A target whose passes do something on the side."""

    own_inputs, unverified = {}, None

    def __init__(self, on_forward=lambda: None, on_backward=lambda: None):
        self.calls = Calls()
        self.on_forward, self.on_backward = on_forward, on_backward

    def forward(self, inputs):  # noqa: ARG002  the protocol's signature
        self.calls.forward += 1
        self.on_forward()
        return Forward((np.zeros(1),))

    def backward(self, cotangents, forward, inputs):  # noqa: ARG002  as above
        self.on_backward()
        return Gradients({})


class Listening:
    """A witness."""

    def __init__(self):
        self.heard = []

    def imported(self, *, left):
        self.heard.append(("imported", left))

    def loaded(self):
        self.heard.append("loaded")

    def replaced(self):
        self.heard.append("replaced")


@pytest.fixture(autouse=True)
def heard(monkeypatch):
    """Listen, and forget afterwards what the code of a test left behind."""
    originals()
    witness = Listening()
    monkeypatch.setattr(guard, "WITNESSES", [witness])
    monkeypatch.setattr(guard, "_IMPORTS", {})
    yield witness.heard
    originals().put_back(originals().differences())
    for name in [name for name in sys.modules if name.startswith("a module of ")]:
        del sys.modules[name]


def guarded(on_load=lambda: None, home="mine", **passes):
    def load():
        on_load()
        sys.modules[f"a module of {home}"] = guard
        return Code(**passes)

    return Guarded(load, home)


def replace():
    np.dot = math.floor = builtins.sum = fake


def test_nothing_replaced_is_nothing_told(heard):
    target = guarded()
    assert target.forward({}).outputs[0].shape == (1,)
    target.backward((), Forward(()), {})
    assert target.spoiled() is None
    assert target.calls.forward == 1
    assert heard == [("imported", False), "loaded"]


def test_what_imports_replace_holds_during_calls_only_and_for_the_next_case_of_that_home(heard):
    seen = []
    passes = {"on_forward": lambda: seen.append(np.dot is fake and sum is fake)}
    for target in (guarded(replace, **passes), guarded(**passes)):
        assert np.dot is DOT
        assert math.floor(1.5) == 1
        for _ in range(3):
            target.forward({})
            assert np.dot is DOT
            assert sum([1]) == 1
    guarded(home="other", on_forward=lambda: seen.append(np.dot is DOT)).forward({})
    assert seen == [True] * 7
    assert heard == [("imported", True), "loaded", "loaded", ("imported", False), "loaded"]


@pytest.mark.parametrize("when", ["on_forward", "on_backward"])
def test_what_the_first_calls_replace_is_noticed_before_the_engine_computes(heard, when):
    target = guarded(**{when: replace})
    target.forward({})
    target.backward((), Forward(()), {})
    assert np.dot is DOT
    assert target.spoiled() is None
    assert heard[:3] == [("imported", False), "loaded", "replaced"]


def test_what_is_replaced_later_spoils_the_case_and_is_put_back(heard):
    target = guarded(on_forward=lambda: replace() if target.calls.forward > 2 else None)
    for _ in range(3):
        target.forward({})
    assert target.spoiled() == (
        "the code replaced builtins.sum, math.floor, numpy.dot after its first calls: "
        "nothing computed since then is certain"
    )
    assert np.dot is DOT
    assert heard == [("imported", False), "loaded", "replaced"]


def test_an_import_that_fails_leaves_the_libraries_as_they_were(heard):
    def fail():
        replace()
        raise OSError("no weights")

    with pytest.raises(OSError, match="no weights"):
        guarded(fail)
    assert np.dot is DOT
    assert heard == [("imported", True), "loaded"]


@pytest.mark.parametrize("when", ["on_load", "on_forward"])
def test_error_handling_and_warning_filters_of_the_code_are_its_own(when):
    def strict():
        np.seterr(all="raise")
        warnings.simplefilter("error", UserWarning)

    seen = []

    def look():
        seen.append((np.geterr()["over"], warnings.filters[0][0]))

    before = np.geterr(), warnings.filters[:]
    target = guarded(**{when: strict}, on_backward=look)
    target.forward({})
    assert (np.geterr(), warnings.filters[:]) == before
    target.backward((), Forward(()), {})
    assert (np.geterr(), warnings.filters[:]) == before
    assert seen == [("raise", "error")]
    if when == "on_load":  # and still there for the next case
        guarded(on_backward=look).backward((), Forward(()), {})
        assert seen == [("raise", "error")] * 2


def test_outside_a_worker_what_others_replaced_is_left_alone(monkeypatch):
    monkeypatch.setattr(guard, "WITNESSES", [])
    monkeypatch.setattr(np, "dot", fake)
    seen = []
    target = guarded(lambda: setattr(np, "cumsum", fake), on_forward=lambda: seen.append((np.dot, np.cumsum)))
    assert np.dot is fake
    assert np.cumsum is not fake
    target.forward({})
    assert seen == [(fake, fake)]
    assert np.dot is fake


def test_names_that_are_added_and_taken_away_come_and_go():
    def change():
        np.anything = float
        del np.cumprod

    seen = []
    target = guarded(change, on_forward=lambda: seen.append((np.anything, hasattr(np, "cumprod"))))
    assert not hasattr(np, "anything")
    assert hasattr(np, "cumprod")
    target.forward({})
    assert seen == [(float, False)]
    assert not hasattr(np, "anything")


def test_a_module_that_is_loaded_replaces_nothing():
    np.submodule = math
    assert originals().differences() == {}
    del np.submodule


def test_what_does_not_like_to_be_compared_is_found_all_the_same():
    class Sullen:
        def __eq__(self, other):
            raise RuntimeError

        __hash__ = None

        def __call__(self):
            """Be callable."""

    np.dot = Sullen()
    assert list(originals().differences()) == [("numpy", "dot")]


def test_many_names_are_cut_short():
    names = {("numpy", name): None for name in "edcba"}
    assert in_words(names) == "numpy.a, numpy.b, numpy.c and 2 more"
