"""The search for exact sizes of a model: what of its inputs grows, and what stays as it was given."""

from __future__ import annotations

import pytest
from onnx_models import make, pool

from gradverify.models.requests import OnnxRequest
from gradverify.models.searching import SearchRequest, search


def searched(folder, inputs, *in_order, **named):
    file = folder / "model.onnx"
    nodes = [pool(name, f"p{name}", kernel_shape=[2], strides=[2]) for name in inputs]
    file.write_bytes(make(nodes, inputs).SerializeToString())
    return search(SearchRequest(OnnxRequest(str(file), named, in_order), 60))


@pytest.mark.parametrize("given", [((1, 3, 9),), {"x": (1, 3, 9)}], ids=["in order", "by name"])
def test_a_symbolic_size_of_two_inputs_grows_in_both(tmp_path, given):
    in_order, named = ((), given) if isinstance(given, dict) else (given, {})
    found = searched(tmp_path, {"x": [1, 3, "s"], "v": [1, 3, "s"]}, *in_order, **named)
    assert (found.given, found.found) == ((("L", 9),), (("L", 10),))


def test_other_inputs_keep_the_shapes_that_were_given_in_order(tmp_path):
    found = searched(tmp_path, {"x": [1, 3, "s"], "v": [1, 3, "t"]}, (1, 3, 9), (1, 3, 8))
    assert found.found == (("L", 10),)


def test_what_is_not_found_is_not_claimed(tmp_path):
    found = searched(tmp_path, {"x": [1, 3, "s"], "v": [1, 3, 9]}, (1, 3, 9))
    assert (found.found, found.proved) == (None, False)
    assert found.reason == "none of L = 9 to 40 is; the search ends there"
