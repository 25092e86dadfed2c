"""What torch differentiates: right twins pass, wrong ones fail, and nothing that code keeps moves a result."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from spec_cases import cases, verified

from gradverify.checks.case import verify
from gradverify.checks.subject import subject_of
from gradverify.results import Verdict

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gradverify[torch]'")

AFFINE = {"x": [3, 4], "w": [4, 5]}
ROWS = {"shape": [6], "init": "integers", "high": 5, "dtype": "int64"}


def called(call, inputs=None, **entry):
    """Verify a case whose target is a call of torch_layers."""
    section = {"call": f"torch_layers:{call}", **entry.pop("torch", {})}
    return verified(torch=section, inputs=inputs or {"x": [5, 3]}, **entry)


def functions(forward, backward, **section):
    pair = {"forward": f"torch_layers:{forward}", "backward": f"torch_layers:{backward}"}
    return {**pair, "arrays": "torch", **section}


TWINS = [
    ("Affine", "AffineWithoutScale", {"inputs": AFFINE, "params": {"scale": 2.0}}),
    ("Affine(x, w, 2.5)", "AffineWithoutScale(x, w, 2.5)", {"inputs": AFFINE}),
    ("Affine", "AffineWithNone", {"inputs": AFFINE, "params": {"scale": 2.0}}),
    ("Exponential", "ExponentialSummed", {"inputs": {"x": [3, 4], "w": [4]}}),
    ("force", "force_wrong", {}),
    ("TripledInPlace", "DoubledInPlace", {}),
    ("SquareAndSigns", "SquareAndSignsHalved", {}),
    ("Picked", "PickedLast", {"inputs": {"rows": ROWS, "table": [5, 3]}}),
    ("powers", "wrong_power(x, w)", {"inputs": AFFINE, "params": {"power": 2}}),
    ("Scale(4, 5)", "ScaleWrong(4, 5)", {"inputs": {"x": [3, 4]}}),
    ("Scale", "ScaleWrong", {"inputs": {"x": [3, 4]}, "params": {"features": 4, "out": 5}}),
    ("Normed(3)", "NormedWrong(3)", {}),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("right", "wrong", "entry"), TWINS, ids=[right for right, _, _ in TWINS])
def test_right_twins_pass_and_wrong_ones_fail(right, wrong, entry, dtype):
    params = entry.get("params", {}) if right != "powers" else {}
    found = called(right, dtype=dtype, **entry)
    assert found.verdict is Verdict.PASS, found.reason
    found = called(wrong, dtype=dtype, **{**entry, "params": params})
    assert found.verdict is Verdict.FAIL
    broken = {contract.code for contract in found.contracts if contract.verdict is not Verdict.PASS}
    assert broken <= {"finite"}  # exp overflows in single precision on the edge


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("AffineTransposed", "Function AffineTransposedBackward returned an invalid gradient at index 1 - got [5, 4]"),
        ("AffineWithOneGradient", "returned an incorrect number of gradients (expected 3, got 1)"),
    ],
)
def test_gradients_of_a_wrong_shape_or_number_fail_in_the_words_of_torch(name, message):
    found = called(name, AFFINE, params={"scale": 2.0})
    assert found.verdict is Verdict.FAIL
    assert message in found.reason
    assert {check.compared for check in found.gradients} == {0}


MODULES = [
    ("convolutions", {"x": [2, 2, 6, 6]}),
    ("layernorms", {"x": [3, 4]}),
    ("Twice", {"x": [3, 4]}),
    ("Remembers", {"x": [5, 3]}),
    ("dropped", {"x": [3, 4]}),
    ("lazy", {"x": [3, 4]}),
    ("weight_normed", {"x": [2, 3]}),
    ("spectral_normed", {"x": [2, 3]}),
    ("recurrent", {"x": [4, 2, 3]}),
    ("instance", {"x": [5, 3]}),
    ("Attention", {"x": [2, 3, 4]}),
    ("Embedded", {"rows": ROWS}),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "inputs"), MODULES, ids=[name for name, _ in MODULES])
def test_modules_of_torch_pass(name, inputs, dtype):
    found = called(name, inputs, dtype=dtype)
    assert found.verdict is Verdict.PASS, found.reason


@pytest.mark.parametrize("layer", ["BatchNorm2d(3)", "Conv2d(3, 4, 3)", "LayerNorm(5)", "Conv2d(3, 4, 3, padding=pad)"])
def test_layers_of_torch_are_named_where_they_are(layer):
    params = {"pad": 1} if "pad" in layer else {}
    found = verified(torch=f"torch.nn:{layer}", inputs={"x": [2, 3, 5, 5]}, params=params, dtype="float32")
    assert found.verdict is Verdict.PASS, found.reason
    assert [check.input for check in found.gradients] == ["x", "weight", "bias"]


def test_function_of_torch_with_arguments():
    inputs = {"x": [2, 3, 7, 7], "w": [4, 3, 3, 3], "b": [4]}
    found = verified(torch="torch.nn.functional:conv2d(x, w, b, stride)", inputs=inputs, params={"stride": 2})
    assert found.verdict is Verdict.PASS, found.reason


def test_parameters_are_found_by_name_and_others_are_verified_too():
    found = called("Scale(4, 5)", {"x": [3, 4], "b": [5]})
    assert [check.input for check in found.gradients] == ["x", "b", "w"]
    found = called("Scale(4, 5)", {"x": [3, 4], "b": [5]}, torch={"discover": False})
    assert [check.input for check in found.gradients] == ["x", "b"]
    found = called("Scale(4, 5)", {"x": [3, 4], "b": {"shape": [5], "grad": False}})
    assert [check.input for check in found.gradients] == ["x", "w"]


def test_parameters_are_mapped_from_other_names():
    table = {"w": "0.weight", "b": "1.bias"}
    inputs = {"w": [4, 3], "x": [5, 3], "b": [4]}
    found = called("instance", inputs, torch={"parameters": table})
    assert found.verdict is Verdict.PASS, found.reason
    assert [check.input for check in found.gradients] == ["w", "x", "b", "0.bias", "1.weight"]


def test_a_shared_parameter_is_verified_once_and_frozen_ones_never():
    names = [check.input for check in called("Twice", {"x": [3, 4]}).gradients]
    assert names == ["x", "first.weight", "first.bias", "second.bias"]
    assert [check.input for check in called("Frozen").gradients] == ["x", "inner.weight"]


def subject(call, inputs=None, **entry):
    (case,) = cases({"torch": f"torch_layers:{call}", "inputs": inputs or {"x": [5, 3]}, **entry})
    return subject_of(case)


def test_own_parameters_are_those_of_the_seed_and_constant_ones_are_varied():
    one, again = subject("instance").inputs, subject("instance").inputs
    for name, value in one.items():
        np.testing.assert_array_equal(value, again[name])
    made = [subject("Scale(3, 2)", seed=seed).inputs["w"] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(made[0], made[1])
    assert np.all(made[0] != made[2])
    assert 0.1 < np.std(one["1.weight"] - 1) < 1
    assert len({*one["1.bias"]}) == 4
    assert subject("instance", dtype="float32").inputs["0.weight"].dtype == np.float32


@pytest.mark.parametrize("call", ["instance", "Remembers", "dropped(0.3)", "spectral_normed", "recurrent"])
def test_every_pass_is_the_first(call):
    shape = [3, 4] if call.startswith("dropped") else [4, 2, 3] if call == "recurrent" else [5, 3]
    made = subject(call, {"x": shape})
    first = made.target.forward(made.inputs).outputs
    moved = {name: value + 1 for name, value in made.inputs.items()}
    other = made.target.forward(moved)
    made.target.backward(other.outputs, other, moved)
    for output, before in zip(made.target.forward(made.inputs).outputs, first, strict=True):
        np.testing.assert_array_equal(output, before)


def test_a_module_that_is_there_once_is_left_as_it_was():
    import torch_layers  # noqa: PLC0415  where torch is not installed, this file is skipped before

    before = {name: value.clone() for name, value in torch_layers.instance.state_dict().items()}
    assert called("instance").verdict is Verdict.PASS
    after = torch_layers.instance.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_the_same_mask_of_a_dropout_in_both_precisions():
    wide, narrow = (subject("dropped", {"x": [3, 4]}, dtype=dtype) for dtype in ("float64", "float32"))
    outputs = [made.target.forward(made.inputs).outputs[0] for made in (wide, narrow)]
    np.testing.assert_array_equal(outputs[0] == 0, outputs[1] == 0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_mask_that_depends_on_the_precision_hides_nothing(dtype):
    assert called("RandomMask", dtype=dtype).verdict is Verdict.PASS
    assert called("RandomMaskScaled", dtype=dtype).verdict is Verdict.FAIL


def test_tensors_without_a_dtype_take_that_of_the_case():
    before = torch.get_default_dtype()
    assert called("filled").verdict is Verdict.PASS
    assert torch.get_default_dtype() is before


def test_half_precision_is_computed_in_half_precision():
    made = subject("Coder(2)", torch={"call": "torch_layers:Coder(2)", "forward": "encode"}, dtype="float16")
    assert made.target.forward(made.inputs).outputs[0].dtype == np.float16


def test_methods_and_their_arguments():
    for section, params in [
        ({"call": "torch_layers:Coder", "forward": "encode(x, scale=s)"}, {"s": 2.0}),
        ({"call": "torch_layers:Coder", "forward": "encode(x, scale=s)"}, {"s": 2.0, "width": 3}),
        ({"call": "torch_layers:Coder()", "forward": "encode"}, {"scale": 2.0}),
        ({"call": "torch_layers:Coder(width)", "forward": "encode"}, {"scale": 2.0, "width": 3}),
    ]:
        found = verified(torch=section, inputs={"x": [5, 3]}, params=params)
        assert found.verdict is Verdict.PASS, found.reason


def test_outputs_that_torch_does_not_differentiate_are_constants():
    found = called("partly_constant")
    assert found.verdict is Verdict.PASS, found.reason
    assert called("constant").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("call", "entry", "message"),
    [
        ("named", {}, "forward returned a dict, expected a tensor, or a tuple or list of them"),
        ("spectrum", {}, "forward returned complex numbers, expected real ones; torch.view_as_real makes them"),
        ("largest", {}, "forward returned torch.int64, expected a tensor of a floating dtype"),
        ("halved", {}, "forward returned bfloat16, which has too few digits to verify; expected float32 or float64"),
        ("filled", {"dtype": "longdouble"}, "torch has no longdouble, expected float64, float32 or float16"),
        ("Thing", {}, "'torch_layers:Thing' is a class of another kind, expected a function, an autograd.Function"),
        ("ROWS", {}, "there is no 'ROWS' in torch_layers"),
        (
            "returns_module",
            {},
            "a function returned a Module, expected tensors; write name() for one that makes a module",
        ),
        ("filled", {"torch": {"forward": "go"}}, "'torch_layers:filled' is a function, forward and parameters are for"),
        ("Thing()", {}, "'torch_layers:Thing' is a class of another kind"),
        ("Coder", {"torch": {"forward": "decode"}}, "there is no method 'decode' in the Coder"),
        (
            "Frozen",
            {"torch": {"parameters": {"w": "inner.wieght"}}, "inputs": {"x": [5, 3], "w": [2, 3]}},
            "there is no parameter 'inner.wieght' in the Frozen, did you mean 'inner.weight'?",
        ),
        (
            "Frozen",
            {"torch": {"parameters": {"w": "inner.weight"}}, "inputs": {"x": [5, 3], "w": [3, 2]}},
            "input 'w' has shape [3, 2], the parameter 'inner.weight' has [2, 3]",
        ),
        (
            "Scale(3, 2)",
            {"torch": {"parameters": {"v": "w"}}, "inputs": {"x": [5, 3], "w": [3, 2], "v": [3, 2]}},
            "input 'v': another input stands for the parameter 'w' already",
        ),
        (
            "Scale(3, 2)",
            {"torch": {"parameters": {"b": "w"}}, "inputs": {"x": [5, 3], "b": [3, 2]}},
            "input 'b' has the name of a parameter for which it does not stand; rename it",
        ),
        ("raising", {}, "ValueError: not this one"),
    ],
)
def test_what_cannot_be_read_says_why(call, entry, message):
    found = called(call, **entry)
    assert found.verdict is Verdict.ERROR
    assert message in found.reason


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there():
    found = called("filled", torch={"device": "cuda"})
    assert found.reason == "there is no device 'cuda': torch finds no CUDA here, expected cpu"
    assert called("filled", torch={"device": "nowhere"}).reason.startswith("there is no device 'nowhere': ")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_device_that_is_there():
    assert called("convolutions", {"x": [2, 2, 6, 6]}, torch={"device": "cuda"}).verdict is Verdict.PASS


FUNCTIONS = [
    (functions("Linear.forward", "Linear.backward"), {"x": [3, 2, 2], "w": [4, 5], "b": [5]}, {}),
    (functions("masked_forward", "masked_backward"), {"x": [4, 6]}, {"p": 0.5}),
    (functions("masked_forward(x, p)", "masked_backward(dout, cache)"), {"x": [4, 6]}, {"p": 0.5}),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("section", "inputs", "params"), FUNCTIONS)
def test_functions_on_tensors(section, inputs, params, dtype):
    found = verified(functions=section, inputs=inputs, params=params, dtype=dtype)
    assert found.verdict is Verdict.PASS, found.reason


def test_functions_on_tensors_that_are_wrong():
    section, inputs, _ = FUNCTIONS[0]
    found = verified(functions={**section, "backward": "torch_layers:Linear.backward_wrong"}, inputs=inputs)
    assert [check.verdict for check in found.gradients] == [Verdict.PASS, Verdict.PASS, Verdict.FAIL]


def test_functions_on_tensors_that_return_their_gradient_or_a_derivative():
    labels = {"shape": [4], "init": "integers", "high": 3, "dtype": "int64"}
    section = {"forward": "torch_layers:softmax_loss", "returns": ["out", "grad"], "arrays": "torch"}
    found = verified(functions=section, inputs={"x": [4, 3], "y": labels})
    assert found.verdict is Verdict.PASS, found.reason
    section = {"forward": "torch:tanh", "derivative": "torch_layers:slope", "arrays": "torch"}
    assert verified(functions=section, inputs={"x": [4, 3]}).verdict is Verdict.PASS


def test_a_cache_is_handed_on_as_it_is():
    inputs = {"x": [3, 4]}
    found = verified(functions=functions("mixed_forward", "mixed_backward", returns=["cache", "out"]), inputs=inputs)
    assert found.verdict is Verdict.PASS, found.reason


def test_without_torch_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    wanted = "torch is not installed; pip install 'gradverify[torch]' installs it"
    found = called("Affine", AFFINE, params={"scale": 2.0})
    assert (found.verdict, found.reason) == (Verdict.ERROR, wanted)
    section, inputs, params = FUNCTIONS[0]
    assert verified(functions=section, inputs=inputs, params=params).reason == wanted


def test_a_case_counts_every_pass_of_user_code():
    (case,) = cases({"torch": "torch_layers:filled", "inputs": {"x": [5, 3]}, "checks": ["gradients"]})
    found = verify(case)  # without contracts, which a machine under load may find too slow to look at
    assert found.backward_evaluations == 1
    assert found.forward_evaluations > 12


LAYERS = """
    import torch

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, dout):
            (x,) = ctx.saved_tensors
            return {factor} * x**2 * dout

    class Block(torch.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.inner = torch.nn.Linear(4, width)

        def forward(self, x):
            return Cube.apply(self.inner(x))
"""
SPEC = """
    cases:
      - {name: cube, torch: layers:Cube, inputs: {x: [3, 4]}}
      - {name: block, torch: "layers:Block(width)", inputs: {x: [3, 4]}, params: {width: 2}, sweep: {width: [2, 3]}}
"""


@pytest.mark.parametrize(("factor", "code"), [(3, 0), (2, 1)])
def test_a_spec_from_the_command_line(workplace, factor, code):
    workplace.write("layers.py", LAYERS.format(factor=factor))
    workplace.write("spec.yaml", SPEC)
    ran = workplace.run("run", "spec.yaml", "--format", "json")
    assert ran.code == code, ran.stdout
    assert [case["id"] for case in ran.json["cases"]] == ["cube", "block/width=2", "block/width=3"]
    names = [[part["input"] for part in case["gradients"]] for case in ran.json["cases"]]
    assert names == [["x"], ["x", "inner.weight", "inner.bias"], ["x", "inner.weight", "inner.bias"]]
    assert {case["verdict"] for case in ran.json["cases"]} == {"pass" if code == 0 else "fail"}


@pytest.mark.parametrize(("call", "failing"), [("Scale(4, 5)", False), ("ScaleWrong(4, 5)", True)])
def test_gradients_from_near_by(call, failing):
    (case,) = cases({"torch": {"call": f"torch_layers:{call}"}, "inputs": {"x": [3, 4]}})
    far, close = verify(case), verify(replace(case, near=True))
    # Not their last digits: torch adds up in another order where memory lies otherwise.
    one, other = ([(part.input, part.verdict, part.failed) for part in case.gradients] for case in (far, close))
    assert one == other
    assert all(len(part.step_curve.steps) == 24 for part in close.gradients)
    assert any(part.error_grid is not None for part in close.gradients) is failing
