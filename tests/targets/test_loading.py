"""What a spec names is found, or the error says what was meant."""

from __future__ import annotations

import sys

import pytest

from gradverify.errors import TargetError
from gradverify.importing import load_function
from gradverify.spec.calls import read_call

SOURCE = """
import os
from math import sqrt as conv_forwardly
number = 3
def conv_forward(x):
    return x
class Layer:
    @staticmethod
    def forward(x):
        return x
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return the name of an importable module."""
    (tmp_path / "loading_sample.py").write_text(SOURCE)
    (tmp_path / "loading_broken.py").write_text("import module_that_is_not_there\n")
    (tmp_path / "loading_raises.py").write_text("raise RuntimeError('on import')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "loading_sample"
    for name in ("loading_sample", "loading_broken", "loading_raises"):
        sys.modules.pop(name, None)


def test_functions_and_methods_are_found(module):
    assert load_function(read_call(f"{module}:conv_forward"))(3) == 3
    assert load_function(read_call(f"{module}:Layer.forward"))(3) == 3
    assert load_function(read_call("os.path:join"))("a") == "a"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("conv_foward", "there is no 'conv_foward' in loading_sample, did you mean 'conv_forward'?"),
        ("Layer.forwrd", "there is no 'forwrd' in Layer, did you mean 'forward'?"),
        ("zzz", "there is no 'zzz' in loading_sample, expected one of Layer, conv_forward"),
        ("number", "'loading_sample:number' is a int, expected a function"),
    ],
)
def test_wrong_names_come_with_the_nearest(module, name, message):
    with pytest.raises(TargetError) as caught:
        load_function(read_call(f"{module}:{name}"))
    assert str(caught.value) == message


@pytest.mark.parametrize("reference", ["no_such_module:f", "no_such_module.inner:f", "os.no_such:f"])
def test_missing_module_is_named(reference):
    with pytest.raises(TargetError) as caught:
        load_function(read_call(reference))
    assert "there is no module" in str(caught.value)
    assert repr(reference) in str(caught.value)


def test_module_that_a_module_misses_is_passed_on(module):
    assert module
    with pytest.raises(ModuleNotFoundError, match="module_that_is_not_there"):
        load_function(read_call("loading_broken:f"))
    with pytest.raises(RuntimeError, match="on import"):
        load_function(read_call("loading_raises:f"))
