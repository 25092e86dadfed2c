"""From networks and models to cases: what each layer's case is, what models are asked, and what stops all of it."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper

from gradverify.errors import ModelError, UsageError
from gradverify.models.requests import NamedShape
from gradverify.pipeline import Models, reading, select
from gradverify.results import FailOn
from gradverify.spec.model import Check
from gradverify.spec.overriding import Overrides

NETWORKS = """\
strict: true
cases:
  - name: net
    dims: {SIZE: 10}
    inputs: {x: [1, 1, SIZE, 9]}
    network:
      - {layer: conv2d, name: stem, kernel_size: 3, stride: 2, out_channels: 4}
      - {layer: relu}
      - {layer: maxpool2d, kernel_size: [2, 3], stride: 1, padding: [[0, 1], 0], allow: {residual: 1, because: known}}
      - {layer: flatten}
      - {layer: linear, in_features: 7}
  - name: single
    layer: maxpool2d
    inputs: {x: [1, 1, 4, 4]}
    params: {kernel_size: 2}
"""
# Readers that stand in for those of models, and misbehave as these may.
READERS = """\
import os, time
from gradverify.spec.site import Model

def crash(request):
    os._exit(3)

def hang(request):
    time.sleep(60)

def tell(request):
    return f"{getattr(request, 'file', 'a factory')}: it is none"

def show(request):
    shapes = request.input_shapes
    given = tuple(shapes.items()) if isinstance(shapes, dict) else tuple((name, lengths) for name, lengths, _ in shapes)
    return Model(inputs=given, sites=())

def image(request):
    given = getattr(request, "input_shapes", {})
    inputs = (("ids", (1, 8)), ("image", (None, 3, 8, 9)), ("other", (1, 3, 8, 9)), ("unknown", (1, 3, None, 9)))
    return Model(inputs=tuple((name, given.get(name, shape)) for name, shape in inputs), sites=())

def sequence(request):
    return Model(inputs=(("x", request.input_shapes.get("x", (1, 2, 5))),), sites=())

def unknown(request):
    return Model(inputs=(("x", request.input_shapes.get("x", (1, 2, None, 5))),), sites=())
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "standins.py").write_text(READERS)
    (tmp_path / "nets.yaml").write_text(NETWORKS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reads(folder, monkeypatch):
    """Let a function stand in for the readers, and return who selects models of a folder."""

    def reading_with(function, timeout=None, **models):
        monkeypatch.setattr(reading, "_READ", f"standins:{function}")
        overrides = Overrides(timeout=timeout, sizes=models.get("tried", {}))
        return select((), overrides, models=Models(folder=str(folder), **models))

    return reading_with


def pooling(file, *, stride=2):
    """Write a model of one pool."""
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", [1, 1, 9, 9]),)]
    node = helper.make_node("MaxPool", ["x"], ["y"], name="pool", kernel_shape=[2, 2], strides=[stride, stride])
    outputs = [helper.make_empty_tensor_value_info("y")]
    graph = helper.make_graph([node], "graph", infos, outputs)
    file.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString())
    return str(file)


def test_each_layer_of_a_network_with_windows_or_a_problem_is_a_case_in_its_place():
    found = select(("nets.yaml",), Overrides())
    assert [case.id for case in found.cases] == ["net/stem", "net/maxpool2d-1", "net/linear-1", "single"]
    stem, pool, linear, single = found.cases
    assert (stem.name, str(stem.target), stem.network, stem.checks) == ("stem", "conv2d", "net", (Check.GEOMETRY,))
    assert (stem.line, pool.line, linear.line) == (7, 9, 11)
    assert stem.params == {"kernel": [3, 3], "stride": [2, 2], "padding": [[0, 0], [0, 0]], "dilation": [1, 1]}
    assert pool.params["padding"] == [[0, 1], [0, 0]]
    assert linear.params == {}
    assert (stem.allow, pool.allow.because) == (None, "known")
    assert stem.strict
    assert linear.site.problem == "32 features come in, expected 7 as in_features says"
    assert (single.network, single.site) == (None, None)


def test_a_network_is_told_as_a_whole_with_the_layers_that_have_no_case():
    (network,) = select(("nets.yaml",), Overrides()).networks
    assert (network.id, network.spec, network.inputs) == ("net", "nets.yaml", (("x", (1, 1, 10, 9)),))
    assert [(layer.name, layer.case) for layer in network.layers] == [
        ("stem", "net/stem"),
        ("relu-1", None),
        ("maxpool2d-1", "net/maxpool2d-1"),
        ("flatten-1", None),
        ("linear-1", "net/linear-1"),
    ]
    stem, relu, pool, flatten, _ = network.layers
    assert (stem.op, stem.input_shape, stem.output_shape) == ("conv2d", (1, 1, 10, 9), (1, 4, 4, 4))
    assert (stem.receptive_field, stem.total_stride, stem.offset) == ((3, 3), (2, 2), (0, 0))
    assert (pool.receptive_field, pool.total_stride, pool.offset) == ((5, 7), (2, 2), (0, 0))
    assert (relu.op, flatten.output_shape) == ("relu", (1, 32))
    assert network.solution is None


def test_a_network_is_solved_where_that_is_asked_for_and_not_for_what_it_was_before():
    solved = Models(solve=True)
    (network,) = select(("nets.yaml",), Overrides(), models=solved).networks
    assert network.solution.given == (("SIZE", 10), ("W", 9))
    tried = Models(solve=True, tried={"SIZE": (11,)})
    found = select(("nets.yaml",), Overrides(sizes={"SIZE": (11,)}), models=tried)
    assert found.networks[0].solution.given == (("SIZE", 11), ("W", 9))
    assert (found.tried, found.before.tried) == ({"SIZE": (11,)}, {})
    assert found.before.networks[0].solution is None
    assert found.before.networks[0].inputs == (("x", (1, 1, 10, 9)),)


def test_only_some_cases_of_a_network_are_not_the_whole():
    assert select(("nets.yaml",), Overrides()).whole
    some = select(("nets.yaml",), Overrides(), keyword="stem")
    assert ([case.id for case in some.cases], some.whole) == (["net/stem"], False)
    one = select(("nets.yaml",), Overrides(), ids=("net/linear-1",))
    assert ([case.id for case in one.cases], one.whole) == (["net/linear-1"], False)
    with pytest.raises(UsageError, match=r"--case 'net/fc': no case has this id"):
        select(("nets.yaml",), Overrides(), ids=("net/fc",))


def test_models_stand_behind_specs_each_under_its_own_name(folder):
    first, second = pooling(folder / "first.onnx"), pooling(folder / "second net.onnx", stride=3)
    overrides = Overrides(seed=5, dtype="float32", fail_on=FailOn.DATA_LOSS, strict=True)
    found = select(("nets.yaml",), overrides, models=Models(files=(first, second), folder=str(folder)))
    assert [case.id for case in found.cases[-2:]] == ["first/pool", "second net/pool"]
    assert [network.id for network in found.networks] == ["net", "first", "second net"]
    case = found.cases[-1]
    assert (case.spec, case.line, case.network, str(case.target)) == (second, 0, "second net", "MaxPool")
    assert case.checks == (Check.GEOMETRY,)
    assert (case.seed, case.dtype, case.fail_on, case.strict) == (5, "float32", FailOn.DATA_LOSS, True)
    assert [window.stride for _, window in case.site.windows] == [3, 3]


def test_every_model_that_cannot_be_read_is_told_of_and_nothing_else_is_judged(folder):
    (folder / "text.onnx").write_text("none")
    files = ("text.onnx", pooling(folder / "fine.onnx"), "missing.onnx")
    with pytest.raises(ModelError) as caught:
        select(("nets.yaml",), Overrides(), models=Models(files=files, folder=str(folder)))
    first, second = map(str, caught.value.problems)
    assert first.startswith("text.onnx: is text, expected an ONNX model")
    assert second.startswith("missing.onnx: cannot be read (No such file or directory)")


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        ("crash", r"^a\.onnx: the process ended with exit status 3$"),
        ("hang", r"^a\.onnx: timed out after 1 s .*in hang"),
        ("tell", r"^a\.onnx: it is none$"),
    ],
)
def test_a_worker_that_dies_over_a_model_costs_a_message(reads, reader, said):
    with pytest.raises(ModelError, match=said):
        reads(reader, timeout=1.0, files=("a.onnx",))


def test_a_factory_is_named_before_what_is_wrong_with_it(reads):
    with pytest.raises(ModelError, match=r"^nets\.py:Net\(3\): a factory: it is none$"):
        reads("tell", factories=("nets.py:Net(3)",))


def test_shapes_go_to_all_models_and_names_of_factories_are_no_paths(reads):
    shapes = (NamedShape("x", (1, 2)), NamedShape("y", (3,), "int64"))
    found = reads("show", files=("some/a.b.onnx",), factories=("some/nets.py:Net(3)",), shapes=shapes)
    assert [network.id for network in found.networks] == ["a.b", "some-nets.py:Net(3)"]
    assert [network.inputs for network in found.networks] == [(("x", (1, 2)), ("y", (3,)))] * 2


def test_lengths_are_tried_along_the_axes_of_the_first_image(reads):
    found = reads("image", files=("a.onnx",), tried={"H": (20,), "W": (21,)})
    (after,), (before,) = found.networks, found.before.networks
    assert [shape for _, shape in after.inputs] == [(1, 8), (1, 3, 20, 21), (1, 3, 8, 9), (1, 3, None, 9)]
    assert [shape for _, shape in before.inputs] == [(1, 8), (None, 3, 8, 9), (1, 3, 8, 9), (1, 3, None, 9)]


@pytest.mark.parametrize(
    ("tried", "shape"),
    [
        ({"image": (2, 3, 30, 31)}, (2, 3, 30, 31)),
        ({"image": (2, 3, 30, 31), "W": (40,)}, (2, 3, 30, 31)),
        ({"W": (40,)}, (1, 3, 8, 40)),
        ({"H": (8,)}, (1, 3, 8, 9)),
        ({"other": (1, 3, 5, 5)}, (None, 3, 8, 9)),
    ],
)
def test_an_input_is_tried_as_a_whole_or_along_some_axes(reads, tried, shape):
    assert dict(reads("image", files=("a.onnx",), tried=tried).networks[0].inputs)["image"] == shape


def test_an_image_keeps_its_shape_where_a_length_would_still_not_be_known(reads):
    assert reads("unknown", files=("a.onnx",), tried={"W": (7,)}).networks[0].inputs == (("x", (1, 2, None, 5)),)
    assert reads("unknown", files=("a.onnx",), tried={"H": (7,)}).networks[0].inputs == (("x", (1, 2, 7, 5)),)


def test_a_name_is_tried_that_one_of_several_knows(reads):
    found = reads("sequence", files=("a.onnx", "b.onnx"), tried={"L": (7,)})
    assert [network.inputs for network in found.networks] == [(("x", (1, 2, 7)),)] * 2
    with pytest.raises(UsageError, match=r"^--try H: no case has a dim, an axis or an input of this name, .* L, x$"):
        reads("sequence", files=("a.onnx",), tried={"L": (7,), "H": (7,)})
    with pytest.raises(UsageError, match=r"^--try L: got 2 lengths, expected one$"):
        reads("sequence", files=("a.onnx",), tried={"L": (7, 8)})


def test_specs_and_models_are_tried_together(folder):
    model, tried = pooling(folder / "pool.onnx"), {"W": (11,), "SIZE": (12,)}
    models = Models(files=(model,), folder=str(folder), tried=tried)
    found = select(("nets.yaml",), Overrides(sizes=tried), models=models)
    assert [network.inputs for network in found.networks] == [(("x", (1, 1, 12, 11)),), (("x", (1, 1, 9, 11)),)]
