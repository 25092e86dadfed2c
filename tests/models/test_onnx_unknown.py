"""Operators that are not known: errors where they may have windows, told where they need not, and the rest judged."""

from __future__ import annotations

import pytest
from onnx import helper
from onnx_models import make, pool, sites


@pytest.mark.parametrize(
    ("node", "problem", "unjudged"),
    [
        (helper.make_node("Convv", ["x"], ["y"], name="n"), "ONNX has no operator 'Convv' in opset 17", None),
        (
            helper.make_node("Conv", ["x"], ["y"], name="n", domain="my.ops", strides=[2, 2]),
            "(strides) are not judged",
            None,
        ),
        (
            helper.make_node("Conv", ["x"], ["y"], name="n", domain="com.microsoft.nchwc", kernel_shape=[3, 3]),
            "its windows (kernel_shape) are not judged",
            None,
        ),
        (
            helper.make_node("Sort", ["x"], ["y"], name="n", domain="my.ops"),
            None,
            "the operator 'Sort' of domain 'my.ops' is not known: whether it slides windows is not judged",
        ),
    ],
)
def test_an_unknown_operator_is_told_of_and_the_rest_is_judged(tmp_path, node, problem, unjudged):
    found = sites(tmp_path, make([pool(made="p"), node], {"x": [1, 1, 8, 8]}, opset=17))
    assert found["p"].problem is None
    assert len(found["p"].windows) == 2
    assert found["n"].unjudged == unjudged
    assert (found["n"].problem is None) is (problem is None)
    assert problem is None or problem in found["n"].problem


@pytest.mark.parametrize(("domain", "name"), [("", "Relu"), ("com.microsoft", "Attention"), ("ai.onnx.ml", "Scaler")])
def test_operators_without_windows_are_passed_over(tmp_path, domain, name):
    node = helper.make_node(name, ["x"], ["y"], name="n", domain=domain)
    assert "n" not in sites(tmp_path, make([pool(made="p"), node], {"x": [1, 1, 8, 8]}, opset=17))


def test_pools_whose_windows_read_padding_alone_say_so(tmp_path):
    nodes = [pool(made="p", pads=[3, 0, 0, 2]), pool("p", "q")]
    found = sites(tmp_path, make(nodes, {"x": [1, 1, 8, 8]}, opset=17))
    assert [axis for axis, _ in found["p"].notes] == ["H", "W"]
    said = dict(found["p"].notes)["H"]
    assert (
        said == "padding 3 leaves the first window (kernel 2) wholly in padding: what it makes there comes from no data"
    )
    assert found["q"].notes == ()
