"""Every spelling that the language allows: the ids and the effective parameters, in full, beside each file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gradverify.results import Verdict
from gradverify.spec.calls import Call
from gradverify.spec.model import Check, Fill, InputSpec, Tolerance
from gradverify.spec.network_model import Allowance
from gradverify.spec.target_model import FunctionsTarget, LayerTarget

if TYPE_CHECKING:
    pass

FILES = sorted((Path(__file__).parent / "valid").glob("*.yaml"))
CasesOf = "Callable[[bytes], tuple[Case, ...]]"


def _named(name: str) -> bytes:
    return (Path(__file__).parent / "valid" / f"{name}.yaml").read_bytes()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_ids_and_parameters(file: Path, cases_of: CasesOf) -> None:
    expected = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    found = [[case.id, json.loads(json.dumps(dict(case.params)))] for case in cases_of(file.read_bytes())]
    assert found == expected
    # Equal numbers of another type, and keys in another order, are another result.
    assert json.dumps(found) == json.dumps(expected)


def test_every_expectation_has_a_spec() -> None:
    names = {file.stem for file in FILES}
    assert names == {file.stem for file in (Path(__file__).parent / "valid").glob("*.json")}
    assert len(names) >= 15


def test_shapes_of_numbers(cases_of: CasesOf) -> None:
    (case,) = cases_of(_named("numbers"))
    assert case.inputs[0].shape == (16, 15, 17, 2)


def test_the_contract_example(cases_of: CasesOf) -> None:
    cases = cases_of(_named("contract-example"))
    first, batchnorm, conv = cases[0], cases[-2], cases[-1]
    assert first.target == LayerTarget("conv2d", "naive", "naive", single=False)
    assert str(first.target) == "conv2d[naive]"
    assert [item.shape for item in first.inputs] == [(2, 3, 7, 7), (4, 3, 2, 2), (4,)]
    assert first.sweep == {"stride": 1, "padding": 0, "K": 2}
    assert first.tolerance == Tolerance(1e-6, 1e-9)
    assert batchnorm.target == FunctionsTarget(
        Call("mylayers", "batchnorm_forward"), Call("mylayers", "batchnorm_backward")
    )
    assert batchnorm.inputs == (
        InputSpec(name="x", shape=(8, 5), fill=Fill.NORMAL, options={"mean": 2.0, "std": 3.0}),
        InputSpec(name="gamma", shape=(5,), fill=Fill.UNIFORM, options={"low": 0.5, "high": 1.5}),
        InputSpec(name="beta", shape=(5,)),
    )
    assert conv.window is not None
    assert (conv.window.input, conv.window.kernel, conv.window.stride) == ("x", "w", "conv_param.stride")
    assert (conv.window.padding, conv.window.dilation) == ("conv_param.pad", 1)
    assert [case.line for case in (first, batchnorm, conv)] == [7, 15, 24]


def test_implementations(cases_of: CasesOf) -> None:
    targets = [case.target for case in cases_of(_named("implementation"))]
    assert [getattr(target, "reference", None) for target in targets] == [
        None, None, "im2col", "im2col", "im2col", "im2col", "im2col", "naive", "naive", "naive",
        "vectorized", "vectorized",
    ]  # fmt: skip
    assert [str(target) for target in targets[:2]] == ["conv2d[im2col]", "conv2d[naive]"]
    assert str(targets[-1]) == "tanh"


def test_inputs(cases_of: CasesOf, data_folder: Path) -> None:
    functions, *layers = cases_of(_named("inputs"))
    assert {item.name: item for item in functions.inputs} == {
        "shape": InputSpec(name="shape", shape=(2, 3)),
        "scalar": InputSpec(name="scalar", shape=()),
        "mapping": InputSpec(name="mapping", shape=(4,)),
        "normal": InputSpec(name="normal", shape=(4,), options={"mean": 2, "std": 0.5}),
        "uniform": InputSpec(name="uniform", shape=(4,), fill=Fill.UNIFORM, options={"low": -1, "high": 1.5}),
        "ones": InputSpec(name="ones", shape=(4,), fill=Fill.ONES, dtype="int64"),
        "zeros": InputSpec(name="zeros", shape=(4,), fill=Fill.ZEROS, grad=False),
        "arange": InputSpec(name="arange", shape=(2, 2), fill=Fill.ARANGE, dtype="float32"),
        "integers": InputSpec(
            name="integers", shape=(4,), fill=Fill.INTEGERS, options={"low": -2, "high": 3}, dtype="int64"
        ),
        "floats": InputSpec(name="floats", shape=(4,), fill=Fill.INTEGERS, options={"high": 3}, dtype="float64"),
        "reals": InputSpec(name="reals", shape=(2, 2), fill=Fill.VALUES, values=[[1.0, 2], [3, 4]]),
        "counts": InputSpec(name="counts", shape=(1, 2), fill=Fill.VALUES, values=[[1, 2]], dtype="int64"),
        "number": InputSpec(name="number", shape=(), fill=Fill.VALUES, values=2.5),
        "typed": InputSpec(name="typed", shape=(2,), fill=Fill.VALUES, values=[1, 2], dtype="float16"),
        "file": InputSpec(name="file", shape=None, fill=Fill.FILE, file=str(data_folder / "data.npz"), key="x"),
        "array": InputSpec(
            name="array", shape=None, fill=Fill.FILE, file=str(data_folder / "data.npy"), dtype="float32", grad=False
        ),
    }
    without = [item.name for item in functions.inputs if not item.differentiable]
    assert without == ["ones", "zeros", "integers", "counts", "array"]
    labels, values, drawn, whole, affine = layers
    assert [item.name for item in labels.inputs] == ["x", "y"]  # the table's order
    assert labels.inputs[1] == InputSpec(name="y", shape=(6,), fill=Fill.INTEGERS, options={"high": 4}, dtype="int64")
    assert (values.inputs[1].values, values.inputs[1].dtype) == ([0, 3, 1], "int64")
    assert drawn.inputs[1].options == {"low": 1, "high": 3}
    assert (whole.inputs[0].values, whole.inputs[0].dtype) == ([1, 2], None)  # a layer's input is floating
    assert [item.shape for item in affine.inputs] == [(3, 2, 4), (8, 5), (5,)]


def test_defaults_of_the_file_and_of_the_case(cases_of: CasesOf) -> None:
    inherits, overrides = cases_of(_named("defaults"))
    assert (inherits.seed, inherits.dtype, inherits.timeout, inherits.method) == (3, "float32", 5.0, "dense")
    assert (inherits.max_passes, overrides.max_passes) == (500, 1)
    assert (inherits.memory, overrides.memory) == (2048, 300)
    assert (inherits.tolerance, inherits.checks, inherits.expect) == (Tolerance(1e-3, 1e-4), tuple(Check), Verdict.PASS)
    assert (overrides.seed, overrides.dtype, overrides.timeout, overrides.method) == (4, "longdouble", 0.5, "auto")
    assert overrides.tolerance == Tolerance(1e-3, 0)
    assert (overrides.checks, overrides.expect) == ((Check.GEOMETRY, Check.GRADIENTS), Verdict.FAIL)


def test_what_stands_when_nothing_is_said(cases_of: CasesOf) -> None:
    (case,) = cases_of("cases: [{name: a, layer: relu, inputs: {x: [2]}}]")
    assert (case.seed, case.dtype, case.timeout, case.method) == (0, "float64", 60.0, "auto")
    assert (case.tolerance, case.line, case.window) == (Tolerance(None, None), 1, None)
    assert (case.max_passes, case.memory) == (None, None)


def test_where_user_code_is_searched(cases_of: CasesOf, data_folder: Path) -> None:
    text = _named("contract-example").replace(b"pythonpath: [.]", b"pythonpath: [., ../lib, /opt]")
    cases = cases_of(text)
    assert cases[0].search_path == ()
    assert cases[-1].search_path == (str(data_folder), str((data_folder.parent / "lib").resolve()), "/opt")


def test_returns(cases_of: CasesOf) -> None:
    assert [case.target for case in cases_of(_named("returns"))] == [
        FunctionsTarget(Call("m", "f"), Call("m", "b"), ("out", "out2", "cache")),
        FunctionsTarget(Call("a.b", "c.d"), Call("a.b", "c.e"), ("out", "_", "cache", "_")),
        FunctionsTarget(Call("m", "loss"), None, ("out", "grad")),
    ]


def test_cases_share_nothing(cases_of: CasesOf) -> None:
    """What one case does to its parameters, another must not see; aliases and sweeps copy."""
    cases = cases_of(_named("nested-sweep")) + cases_of(_named("aliases"))
    inner = [id(value) for case in cases for value in case.params.values() if isinstance(value, dict)]
    assert len(set(inner)) == len(inner)


def test_the_pure_reader_reads_the_same(monkeypatch: pytest.MonkeyPatch, cases_of: CasesOf, tmp_path: Path) -> None:
    """PyYAML may come without its C half."""
    with_c = [cases_of(file.read_bytes()) for file in FILES]
    monkeypatch.delattr("yaml.CSafeLoader")
    assert [cases_of(file.read_bytes()) for file in FILES] == with_c
    shutil.rmtree(tmp_path)


def test_networks(cases_of: CasesOf) -> None:
    three, five, *_, layer = cases_of(_named("network"))
    assert (str(three.target), three.target.home, three.target.axes) == ("network", "", ("N", "N"))
    assert (three.checks, three.search_path, three.window) == ((Check.GEOMETRY,), (), None)
    assert layer.allow == Allowance(2, "known")
    first, second = three.target.layers[0], five.target.layers[0]
    assert (first.kind, first.name, first.allow, first.place[0]) == ("conv2d", "first", Allowance(1, "known"), 7)
    assert first.options == {
        "in_channels": 3, "out_channels": 8, "kernel_size": 3, "stride": (2, 1), "padding": ((1, 2), 2), "dilation": 1,
        "groups": 1, "bias": False,
    }  # fmt: skip
    assert second.options["kernel_size"] == 5
    assert [item.name for item in three.target.layers] == [
        "first", "maxpool2d-1", "avgpool2d-1", "lppool2d-1", "pad-1", "inner.1", "relu-1", "inner.2", "relu-2",
        "upsample-1", "upsample-2", "adaptive_maxpool2d-1", "unfold-1", "global_avgpool-1", "flatten-1", "linear-1",
    ]  # fmt: skip
