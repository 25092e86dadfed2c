"""The options that audit alone takes: sizes to try, baselines, models that cannot be read."""

from __future__ import annotations

import json

import pytest

STEMS = """\
cases:
  - name: stem
    layer: conv2d
    inputs: {x: [1, 3, 224, 224], w: [8, 3, 11, 11], b: [8]}
    params: {stride: 4}
  - name: pool
    layer: maxpool2d
    dims: {SIZE: 7}
    inputs: {x: [1, 3, SIZE, 8]}
    params: {kernel_size: 2}
"""


@pytest.fixture
def stems(workplace):
    workplace.write("stems.yaml", STEMS)
    return workplace


def residuals(ran):
    return {case["id"]: [part["residual"] for part in case["geometry"]] for case in ran.json["cases"]}


def test_sizes_are_tried_by_axis_by_dim_and_by_input(stems):
    def tried(sizes):
        return residuals(stems.run("audit", "stems.yaml", "--try", sizes, "--format", "json"))

    assert tried("H=227") == {"stem": [0, 1], "pool": [1, 0]}  # 227 rows in both
    assert tried("H=227,W=227") == {"stem": [0, 0], "pool": [1, 1]}
    assert tried("SIZE=8") == {"stem": [1, 1], "pool": [0, 0]}
    assert tried("x=1,3,227,9") == {"stem": [0, 0], "pool": [1, 1]}


def test_the_verdict_is_that_of_the_sizes_tried_and_what_was_before_stands_beside_it(stems):
    ran = stems.run("audit", "stems.yaml", "-k", "stem", "--try", "H=227,W=227", "--format", "json")
    assert (ran.code, ran.json["tried"]) == (0, {"H": [227], "W": [227]})
    assert [case["verdict"] for case in ran.json["before"]] == ["fail"]
    shown = stems.run("audit", "stems.yaml", "-k", "stem", "--try", "H=227,W=227").stdout
    assert "before: sizes as given; after: H = 227, W = 227" in shown
    assert "stem   conv2d[im2col]  H W   224 -> 54  data-lost  227 -> 55  exact" in shown


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ("K=3", "--try K: no case has a dim, an axis or an input of this name"),
        ("H=3,4", "--try H: got 2 lengths, expected one"),
        ("H", "'H' is no size to try, expected H=227,W=227"),
        ("H=", "'H=' has no lengths"),
        ("H=0", "'H=0' has a length that is none"),
        ("H=9999999999", "'H=9999999999' has a length that is none"),
        ("=3", "'=3' is no size to try"),
        ("H=227,W=9,H=228", "--try has H=227 and H=228, expected 'H' once"),
        ("x=1,3,227", "--try x: got 3 lengths, expected 4, as this input has"),
    ],
)
def test_sizes_that_cannot_be_tried_are_wrong_usage(stems, sizes, said):
    ran = stems.run("audit", "stems.yaml", "--try", sizes)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr


def test_sizes_of_several_options_are_tried_together(stems):
    ran = stems.run("audit", "stems.yaml", "--try", "H=227", "--try", "W=227", "--format", "json")
    assert ran.json["tried"] == {"H": [227], "W": [227]}
    assert residuals(ran) == {"stem": [0, 0], "pool": [1, 1]}


def test_a_swept_dim_cannot_be_tried(workplace):
    workplace.write("a.yaml", STEMS + "    sweep: {SIZE: [7, 8]}\n")
    ran = workplace.run("audit", "a.yaml", "--try", "SIZE=9")
    assert (ran.code, ran.stdout) == (2, "")
    assert "--try SIZE: 'pool' sweeps it" in ran.stderr


def test_a_baseline_lets_only_new_violations_fail(stems):
    written = stems.run("audit", "stems.yaml", "--baseline", "b.json", "--update-baseline")
    assert written.code == 0
    assert "b.json holds the 3 violations found here: 3 new or worse, 0 gone" in written.stdout
    again = stems.run("audit", "stems.yaml", "--baseline", "b.json", "--format", "json")
    assert again.code == 0
    assert again.json["baseline"] == {"file": "b.json", "accepted": 3, "new": 0, "gone": 0}
    assert all(case["reason"].startswith("in the baseline: ") for case in again.json["cases"])
    stems.write("stems.yaml", STEMS.replace("[1, 3, SIZE, 8]", "[1, 3, SIZE, 9]").replace("224, 224", "227, 224"))
    worse = stems.run("audit", "stems.yaml", "--baseline", "b.json")
    assert worse.code == 1
    assert "FAIL pool" in worse.stdout
    assert "FAIL stem" not in worse.stdout
    assert "baseline b.json: 2 accepted, 1 new or worse, 1 of it gone (--update-baseline drops them)" in worse.stdout


def test_an_update_of_some_cases_keeps_the_others(stems):
    stems.run("audit", "stems.yaml", "--baseline", "b.json", "--update-baseline", "-k", "pool")
    stems.run("audit", "stems.yaml", "--baseline", "b.json", "--update-baseline", "-k", "stem")
    held = json.loads((stems.path / "b.json").read_text())["accepted"]
    assert [entry["case"] for entry in held] == ["pool", "stem", "stem"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to audit, expected SPEC, a model (*.onnx) or --torch MODULE:FACTORY"),
        (("stems.yaml", "--update-baseline"), "--update-baseline writes a file, expected --baseline FILE beside it"),
        (("stems.yaml", "--baseline", "b.json"), "--update-baseline writes one"),
        (("stems.yaml", "--baseline", "no/b.json"), "'no/b.json' is in no folder"),
        (("stems.yaml", "--input-shape", "1,3,8,8"), "--input-shape belongs to models"),
        (("stems.yaml", "--input-shape", "x=1,a"), "'x=1,a' has no lengths, expected data=1,3,224,224"),
        (("stems.yaml", "--input-shape", "=1,3"), "'=1,3' has no name before '=', expected data=1,3,224,224"),
        (
            ("m.onnx", "--input-shape", "x=1,3", "--input-shape", "x=1,4"),
            "--input-shape has x=1,3 and x=1,4, expected 'x' once",
        ),
    ],
)
def test_what_cannot_be_audited_is_wrong_usage(stems, arguments, said):
    ran = stems.run("audit", *arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr


NETWORKS = """\
cases:
  - {name: one, inputs: {x: [1, 3, 9]}, network: [{layer: relu}, {name: a, layer: conv1d, kernel_size: 2, stride: 2}]}
  - {name: two, inputs: {x: [1, 3, 9]}, network: [{name: a, layer: conv1d, kernel_size: 3}]}
"""


def test_only_networks_with_a_selected_layer_are_shown(workplace):
    workplace.write("nets.yaml", NETWORKS)

    def shown(*options):
        return [net["id"] for net in workplace.run("audit", "nets.yaml", "--format", "json", *options).json["networks"]]

    assert shown() == ["one", "two"]
    assert shown("--case", "two/a") == ["two"]
    assert shown("-k", "none of them") == []


def test_cases_that_were_not_looked_at_are_not_said_to_have_no_window(stems):
    stems.write("stems.yaml", STEMS + "  - {name: act, layer: relu, inputs: {x: [2]}}\n")
    assert "1 case without a window to audit" in stems.run("audit", "stems.yaml").stdout
    ended = stems.run("audit", "stems.yaml", "--fail-fast").stdout
    assert "without a window" not in ended
    assert "FAIL: 1 fail, 2 skip" in ended
