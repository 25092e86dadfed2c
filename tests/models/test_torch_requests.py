"""Factories that make nothing: the error says what, where, and what was expected."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from gradverify.errors import ModelError
from gradverify.models.requests import TorchRequest
from gradverify.models.torch import read

FOLDER = Path(__file__).parent
IMAGE = ("", (1, 3, 32, 32), "")


def error(factory, *inputs):
    request = TorchRequest(factory=factory, input_shapes=inputs, folder=str(FOLDER))
    with pytest.raises(ModelError) as raised:
        read(request)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)  # noqa: S301  made here
    return str(raised.value)


def test_without_torch_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("gradverify.models.torch.reading.find_spec", lambda _: None)
    assert error("torch_nets:ResNet", IMAGE) == (
        "'torch_nets:ResNet' needs torch, which is not installed: pip install 'gradverify[torch]'"
    )


def test_a_request_and_its_reader_load_no_torch():
    script = "import sys, gradverify.models.torch, gradverify.models.requests; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize(
    ("factory", "inputs", "said"),
    [
        ("nowhere:Net", [IMAGE], "there is no module 'nowhere'"),
        ("torch_nets:Resnet", [IMAGE], "there is no 'Resnet' in torch_nets, did you mean 'ResNet'?"),
        ("torch_nets", [IMAGE], "'torch_nets' names no module, expected module:name or file.py:name"),
        ("torch_nets:ResNet(", [IMAGE], "its parentheses are not closed"),
        ("torch_nets:ResNet(width)", [IMAGE], "'width' is a name, expected plain values as arguments"),
        ("torch_nets:ResNet(deep=3)", [IMAGE], "unexpected keyword argument 'deep'"),
        ("torch_nets:number", [IMAGE], "'torch_nets:number' is an int, expected a torch Module"),
        ("torch_nets:returns_a_number", [IMAGE], "'torch_nets:returns_a_number' returned an int, expected"),
        ("torch_nets:Block", [IMAGE], "'torch_nets:Block' takes (channels, out, stride): give what it needs in a call"),
        ("torch_nets:convolved", [IMAGE], "takes (x, y, *, stride=2): give what it needs in a call"),
        ("torch_nets:instance(3)", [IMAGE], "'torch_nets:instance' is a Sequential already"),
        ("torch_nets:raises", [IMAGE], "'torch_nets:raises' raised ZeroDivisionError: this is where ("),
        ("torch_nets:leaves", [IMAGE], "'torch_nets:leaves' raised SystemExit: 3 ("),
        ("torch_nets:recurses", [IMAGE], "'torch_nets:recurses' raised RecursionError: maximum recursion depth"),
        ("torch_nets:ResNet", [], "the forward pass takes (x), and 0 input shapes are given"),
        ("torch_nets:ResNet", [IMAGE, IMAGE], "the forward pass takes (x), and 2 input shapes are given"),
        ("torch_nets:Lazy", [IMAGE, ("masks", (1,), "")], "the forward pass takes (x, mask=None), and 2 input shapes"),
        ("torch_nets:ResNet", [("", (1, 3, 32, 32), "float23")], "torch has no dtype 'float23', did you mean"),
        ("torch_nets:ResNet", [("", (1, 3, 0, 32), "")], "the input shape [1, 3, 0, 32] has a length below 1"),
        ("torch_nets:linear", [IMAGE], "the forward pass raised RuntimeError"),
    ],
)
def test_a_factory_that_makes_nothing(factory, inputs, said):
    assert said in error(factory, *inputs)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_an_error_names_the_line_of_the_user():
    assert f"({FOLDER / 'torch_nets.py'}, line " in error("torch_nets:raises", IMAGE)
    assert "in raises)" in error("torch_nets.py:raises", IMAGE)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_a_module_that_cannot_be_imported(tmp_path):
    (tmp_path / "broken_net.py").write_text("import torch\nraise SystemExit(4)\n")
    request = TorchRequest(factory="broken_net.py:Net", input_shapes=(IMAGE,), folder=str(tmp_path))
    with pytest.raises(ModelError, match=r"'broken_net.py:Net' cannot be imported: SystemExit: 4 \(.*line 2"):
        read(request)
