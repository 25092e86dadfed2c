"""The page as the command writes it: with pictures of what was measured, and of what is wrong with a spec."""

from __future__ import annotations

import pytest
from pictures import boxes_of, points_of, read_page, texts_of
from workplace import ROOT, Workplace

LAYERS = """
    import numpy as np

    def forward(x, w):
        return np.tanh(x) @ w, (x, w)

    def backward(dout, cache):
        x, w = cache
        dx = dout @ w.T * (1 - np.tanh(x) ** 2)
        dx[:, 1] *= 2
        return dx, np.tanh(x).T @ dout
"""
SPEC = """
    cases:
      - name: mine
        functions: {forward: mine:forward, backward: mine:backward}
        inputs: {x: [N, 4], w: [4, 3]}
        dims: {N: 5}
        sweep: {N: [5, 6]}
      - name: conv
        layer: conv2d
        inputs: {x: [1, 1, 8, 8], w: [1, 1, 3, 3], b: [1]}
        params: {stride: 2}
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    workplace = Workplace(tmp_path_factory.mktemp("page"))
    workplace.write("mine.py", LAYERS)
    workplace.write("mine.yaml", SPEC)
    ran = workplace.run("run", "mine.yaml", "--format", "html=report.html")
    assert (ran.code, ran.stdout) == (1, "")
    return read_page((workplace.path / "report.html").read_text(encoding="utf-8"))


def cases(page, verdict):
    folds = [part for part in page.iter("details") if part.get("class") == f"case v-{verdict}"]
    return dict(zip((texts_of(fold, "h3")[0].split()[-1] for fold in folds), folds, strict=True))


def test_every_checked_input_has_its_curve(page):
    for case, inputs in (
        (cases(page, "fail")["mine/N=5"], ["dw", "dx"]),
        (cases(page, "pass")["conv"], ["db", "dw", "dx"]),
    ):
        curves = [part for part in case.iter("figure") if part.get("class") == "curve"]
        assert sorted(texts_of(curve, "b")[0].split("[")[0] for curve in curves) == inputs
        assert all(len(points_of(curve, "measured")) > 10 for curve in curves)


def test_a_wrong_gradient_has_its_map(page):
    case = cases(page, "fail")["mine/N=5"]
    (grid,) = [part for part in case.iter("figure") if part.get("class") == "grid"]
    assert len(points_of(grid, "cross")) == 5  # a column of x
    assert len({x for x, _ in points_of(grid, "cross")}) == 1
    assert sum(len(boxes_of(grid, f"e{shade}")) for shade in range(6)) == 20
    assert "Errors: everything in index 1 of axis 1 (5 of 20 elements)." in texts_of(case, "p")
    assert "gradverify run mine.yaml --case mine/N=5" in texts_of(case, "pre")


def test_a_passing_case_has_its_windows(page):
    case = cases(page, "pass")["conv"]
    (drawing,) = [part for part in case.iter("figure") if part.get("class") == "windows"]
    assert texts_of(drawing, "title") == ["Windows along H and W"]
    assert len(boxes_of(drawing, "window")) == 3
    assert len(boxes_of(drawing, "unread")) == 2  # the row itself, and what the identity lacks


def test_what_is_wrong_with_a_spec_is_in_the_file(workplace):
    workplace.write("bad.yaml", "cases: [{name: a, layer: conv3d}]\n")
    ran = workplace.run("run", "bad.yaml", "--format", "html=report.html")
    assert (ran.code, ran.stdout) == (2, "")
    root = read_page((workplace.path / "report.html").read_text(encoding="utf-8"))
    assert any("conv3d" in line for line in texts_of(root, "li"))


def test_an_audit_has_its_networks(workplace):
    ran = workplace.run("audit", str(ROOT / "configs" / "networks.yaml"), "--format", "html")
    assert ran.code == 0
    root = read_page(ran.stdout)
    assert "Networks" in texts_of(root, "h2")
    tables = [part for part in root.iter("table") if part.get("class") == "plain network"]
    assert texts_of(tables[0], "th")[:4] == ["layer", "op", "axis", "size"]
    assert {"227 -> 55", "11", "relu", "9216 -> 4096"} <= set(texts_of(tables[0], "td"))
