"""The page about models: its table is what the audit finds, and what it says of operators is what the code reads."""

from __future__ import annotations

import re

import onnx
import pytest
from light_table import FILES, resized, row, severity_of
from onnx_models import LATEST, make, pool, sites
from workplace import ROOT

from gradverify.models.onnx import read
from gradverify.models.onnx.operators import WINDOWED
from gradverify.models.requests import OnnxRequest
from gradverify.numerics.geometry import output_size

PAGE = (ROOT / "docs/models.md").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_row_of_the_table_is_what_the_audit_finds(file):
    assert row(file) in PAGE


def test_the_table_has_all_nine_models():
    assert len(FILES) == 9
    assert [file.stem for file in FILES if f"| {file.stem.removeprefix('light_')} |" not in PAGE] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_windowed_node_of_the_light_models_is_judged_and_has_the_size_that_onnx_infers(file):
    model = onnx.load(file)
    ops = [node.op_type for node in model.graph.node if ("", node.op_type) in WINDOWED]
    found = read(OnnxRequest(str(file))).sites
    assert [site.op for site in found] == ops
    for site in found:
        assert site.problem is None
        assert site.output_shape[2:] == tuple(output_size(window) for _, window in site.windows)


def test_every_operator_that_is_read_stands_on_the_page_and_no_other():
    listed = set(re.findall(r"`(\w+)`", PAGE.split("| operators |")[1].split("In any number")[0]))
    attributes = {"kernel_shape", "auto_pad", "output_padding", "output_shape", "ceil_mode", "count_include_pad"}
    assert listed - attributes == {name for _, name in WINDOWED}


def test_the_example_of_ceil_mode_is_true(tmp_path):
    node = pool("x", kernel_shape=[2], strides=[3], pads=[1, 1], ceil_mode=1)
    made = {
        opset: sites(tmp_path, make(node, {"x": [1, 1, 4]}, opset=opset))["y"].output_shape[-1]
        for opset in (21, 22, LATEST)
    }
    assert made == {21: 3, 22: 2, LATEST: 2}
    assert "opset 21 makes 3\n  rows, opset 22 and torch make 2" in PAGE


def test_a_gap_is_all_that_remains_of_resnet_on_225():
    (file,) = (file for file in FILES if file.stem == "light_resnet50")
    severities = {str(severity_of(window).severity) for site in resized(file, 225).sites for _, window in site.windows}
    assert severities == {"exact", "gap"}
