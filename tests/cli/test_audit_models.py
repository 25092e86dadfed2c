"""Networks and models through the command: exit codes, policies, interrupts, and commands that repeat."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys

import onnx
import pytest
from onnx import TensorProto, helper
from workplace import plain_environment

NETWORK = """\
cases:
  - name: net
    inputs: {x: [1, 1, 12, 13]}
    network:
      - {layer: conv2d, name: stem, kernel_size: 3, stride: 2, padding: 1, out_channels: 4}
      - {layer: maxpool2d, name: pool, kernel_size: 2, stride: 2}
      - {layer: conv2d, name: last, kernel_size: 1}
"""
ALLOWED = NETWORK.replace("out_channels: 4}", "out_channels: 4, allow: {residual: 1, because: as in the paper}}")
PROBLEM = NETWORK.replace("name: last,", "name: last, in_channels: 5,")
IMPOSSIBLE = NETWORK.replace("name: last, kernel_size: 1", "name: last, kernel_size: 4")


@pytest.fixture
def nets(workplace):
    for name, text in {"net": NETWORK, "allowed": ALLOWED, "problem": PROBLEM, "impossible": IMPOSSIBLE}.items():
        workplace.write(f"{name}.yaml", text)
    infos = [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", 1, "height", "width"])]
    nodes = [
        helper.make_node("MaxPool", ["data"], ["a"], name="pool", kernel_shape=[3, 3], strides=[2, 2]),
        helper.make_node("MaxPool", ["a"], ["b"], name="next", kernel_shape=[2, 2], strides=[1, 1]),
    ]
    graph = helper.make_graph(nodes, "graph", infos, [helper.make_empty_tensor_value_info("b")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    (workplace.path / "model.onnx").write_bytes(model.SerializeToString())
    return workplace


def verdicts(ran):
    return " ".join(case["verdict"] for case in ran.json["cases"])


@pytest.mark.parametrize(
    ("spec", "fail_on", "found", "code"),
    [
        ("net", "identity", "fail fail pass", 1),
        ("net", "data-loss", "pass fail pass", 1),
        ("net", "impossible", "pass pass pass", 0),
        ("net", "never", "pass pass pass", 0),
        ("allowed", "identity", "pass fail pass", 1),
        ("impossible", "impossible", "pass pass fail", 1),
        ("impossible", "never", "pass pass pass", 0),
        ("problem", "never", "pass pass error", 3),
        ("problem", "identity", "fail fail error", 1),
    ],
)
def test_each_layer_fails_by_the_policy(nets, spec, fail_on, found, code):
    ran = nets.run("audit", f"{spec}.yaml", "--fail-on", fail_on, "--format", "json")
    assert (verdicts(ran), ran.code, ran.json["exit_code"]) == (found, code, code)


def test_run_judges_layers_only_by_a_policy_that_is_given_and_strict_finds_no_warnings(nets):
    assert nets.run("run", "net.yaml", "--strict").code == 0
    ran = nets.run("run", "net.yaml", "--fail-on", "data-loss", "--format", "json")
    assert (verdicts(ran), ran.code) == ("pass fail pass", 1)
    assert nets.run("audit", "net.yaml", "--strict", "--fail-on", "never").code == 0


def test_the_first_layer_that_fails_ends_an_audit_in_a_hurry_but_not_what_was_before(nets):
    ran = nets.run("audit", "net.yaml", "--fail-fast", "--try", "W=12", "--format", "json")
    assert (verdicts(ran), ran.code) == ("fail skip skip", 1)
    assert ran.json["cases"][1]["reason"] == "not run"
    assert [case["verdict"] for case in ran.json["before"]] == ["fail", "fail", "pass"]


def test_ids_are_collected_chosen_and_repeated(nets):
    listed = nets.run("audit", "net.yaml", "model.onnx", "--input-shape", "1,1,8,8", "--collect-only")
    assert listed.stdout.split() == ["net/stem", "net/pool", "net/last", "model/pool", "model/next"]
    ran = nets.run("audit", "net.yaml", "model.onnx", "--input-shape", "1,1,8,8", "-k", "pool", "--format", "json")
    assert [case["id"] for case in ran.json["cases"]] == ["net/pool", "model/pool"]
    for case in ran.json["cases"]:
        command = shlex.split(case["reproduce"])
        alone = nets.run(*command[1:], "--format", "json")
        assert (alone.code, [found["id"] for found in alone.json["cases"]]) == (1, [case["id"]])
    assert ["--input-shape 1,1,8,8" in case["reproduce"] for case in ran.json["cases"]] == [False, True]


def test_symbolic_sizes_are_asked_for_and_lengths_that_are_given_are_audited(nets):
    asked = nets.run("audit", "model.onnx", "--format", "json")
    assert (verdicts(asked), asked.code) == ("error error", 3)
    assert "give --input-shape data=1,1,224,224" in asked.json["cases"][0]["reason"]
    given = nets.run("audit", "model.onnx", "--input-shape", "data=2,1,9,8", "--format", "json")
    assert (verdicts(given), given.code) == ("fail pass", 1)
    assert [part["residual"] for part in given.json["cases"][0]["geometry"]] == [0, 1]
    (network,) = given.json["networks"]
    assert (network["id"], network["inputs"]) == ("model", [["data", [2, 1, 9, 8]]])
    tried = nets.run("audit", "model.onnx", "--input-shape", "data=2,1,9,8", "--try", "W=9", "--format", "json")
    assert (verdicts(tried), tried.json["networks"][0]["inputs"]) == ("pass pass", [["data", [2, 1, 9, 9]]])


def test_what_a_search_finds_is_in_the_report(nets):
    ran = nets.run("audit", "net.yaml", "model.onnx", "--input-shape", "1,1,8,9", "--solve", "--format", "json")
    found = [network["solution"] for network in ran.json["networks"]]
    assert [solution["found"] for solution in found] == [[["H", 15], ["W", 15]], [["H", 9], ["W", 9]]]
    shown = nets.run("audit", "net.yaml", "--solve").stdout
    assert "the smallest sizes from H = 12, W = 13 on at which every layer is exact: H = 15, W = 15" in shown


def test_a_baseline_holds_layers_of_models_by_their_file(nets):
    arguments = ("audit", "net.yaml", "model.onnx", "--input-shape", "1,1,8,9", "--baseline", "b.json")
    assert nets.run(*arguments, "--update-baseline").code == 0
    held = (nets.path / "b.json").read_text()
    assert '"spec": "model.onnx", "case": "model/pool", "axis": "H"' in held
    assert nets.run(*arguments).code == 0
    assert nets.run("audit", "model.onnx", "--input-shape", "1,1,8,8", "--baseline", "b.json").code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.onnx",), "none.onnx: cannot be read (No such file or directory)"),
        (("model.onnx", "--input-shape", "image=1,1,8,8"), "has no input 'image', expected one of data"),
        (("model.onnx", "--input-shape", "1,8,8"), "1,8,8 was given, expected 4 lengths"),
        (("model.onnx", "--try", "D=3"), "--try D: no case has a dim, an axis or an input of this name"),
    ],
)
def test_a_model_that_cannot_be_audited_is_wrong_usage(nets, arguments, said):
    ran = nets.run("audit", *arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="needs POSIX signals")
def test_an_interrupted_audit_reports_what_was_judged_and_exits_130(nets):
    case = "layer: conv2d, inputs: {x: [1, 1, 8, 8], w: [1, 1, 3, 3], b: [1]}, params: {stride: 2}"
    nets.write("many.yaml", "cases:\n" + "\n".join(f"- {{name: c{number}, {case}}}" for number in range(2000)))
    # A pipe that nobody empties holds the report up in the middle.
    command = [sys.executable, "-m", "gradverify", "audit", "many.yaml", "--format", "json=out.json"]
    started = subprocess.Popen(
        [*command, "--format", "terminal"],
        cwd=nets.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**plain_environment(), "PYTHONUNBUFFERED": "1"},
    )
    while "c0" not in started.stdout.readline():
        pass
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=20)
    assert started.returncode == 130, err
    assert "INTERRUPTED" in out
    assert '"exit_code": 130' in (nets.path / "out.json").read_text()


def test_of_several_models_each_gets_the_shapes_of_its_inputs(nets):
    model = (nets.path / "model.onnx").read_bytes()
    (nets.path / "other.onnx").write_bytes(model.replace(b"data", b"film"))
    shapes = ("--input-shape", "data=1,1,9,9", "--input-shape", "film=1,1,10,9")
    ran = nets.run("audit", "model.onnx", "other.onnx", *shapes, "--format", "json")
    assert [network["inputs"] for network in ran.json["networks"]] == [
        [["data", [1, 1, 9, 9]]],
        [["film", [1, 1, 10, 9]]],
    ]
    wrong = nets.run("audit", "model.onnx", "other.onnx", *shapes, "--input-shape", "flim=1,1,9,9")
    assert (wrong.code, wrong.stdout) == (2, "")
    assert "--input-shape: no model has an input 'flim', did you mean 'film'?" in wrong.stderr
    alone = nets.run("audit", "model.onnx", "--input-shape", "film=1,1,9,9")
    assert (alone.code, alone.stdout) == (2, "")
    assert "model.onnx: has no input 'film'" in alone.stderr


def test_layers_that_are_not_judged_are_no_failure_and_are_told_of(nets):
    model = onnx.load(nets.path / "model.onnx")
    model.graph.node.append(helper.make_node("Sort", ["b"], ["c"], name="sort", domain="my.ops"))
    model.opset_import.append(helper.make_opsetid("my.ops", 1))
    onnx.save(model, nets.path / "sorted.onnx")
    shown = nets.run("audit", "sorted.onnx", "--input-shape", "1,1,9,9")
    assert shown.code == 0
    said = "the operator 'Sort' of domain 'my.ops' is not known: whether it slides windows is not judged"
    assert f"1 layer not judged: {said}" in shown.stdout
    assert "not judged" in next(line for line in shown.stdout.splitlines() if line.startswith("  sort"))
    (case,) = (
        case
        for case in nets.run("audit", "sorted.onnx", "--input-shape", "1,1,9,9", "--format", "json").json["cases"]
        if case["name"] == "sort"
    )
    assert (case["verdict"], case["reason"]) == ("skip", said)
