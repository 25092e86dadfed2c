"""What jax differentiates: right twins pass, wrong ones fail, in double precision where the spec asks for it."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from spec_cases import cases, verified

from gradverify.checks.case import verify
from gradverify.checks.subject import subject_of
from gradverify.results import Verdict

jax = pytest.importorskip("jax", reason="jax is not installed: pip install 'gradverify[jax]'")

AFFINE = {"x": [3, 4], "w": [4, 5]}
ROWS = {"shape": [6], "init": "integers", "high": 5, "dtype": "int64"}
FUNCTIONS = {"forward": "jax_layers:forward", "backward": "jax_layers:backward", "arrays": "jax"}


def called(call, inputs=None, **entry):
    """Verify a case whose target is a function of jax_layers."""
    return verified(jax=f"jax_layers:{call}", inputs=inputs or {"x": [5, 3]}, **entry)


TWINS = [
    ("layer", "wrong", {"inputs": AFFINE}),
    ("jitted", "without_one", {"inputs": AFFINE}),
    ("power", "power_wrong", {"params": {"exponent": 3}}),
    ("power(x, 2)", "power_wrong(x, 2)", {}),
    ("sine", "sine_wrong", {}),
    ("network", "network_wrong", {"inputs": {**AFFINE, "b": [5]}, "params": {"scale": 2.0}}),
    ("network(x, w, b, scale=s)", "network_wrong(x, w, b)", {"inputs": {**AFFINE, "b": [5]}, "params": {"s": 2.0}}),
    ("picked", "picked_wrong", {"inputs": {"rows": ROWS, "table": [5, 3]}}),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("right", "wrong", "entry"), TWINS, ids=[right for right, _, _ in TWINS])
def test_right_twins_pass_and_wrong_ones_fail(right, wrong, entry, dtype):
    found = called(right, dtype=dtype, **entry)
    assert found.verdict is Verdict.PASS, found.reason
    found = called(wrong, dtype=dtype, **entry)
    assert found.verdict is Verdict.FAIL
    assert all(contract.verdict is Verdict.PASS for contract in found.contracts)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("transposed", "[1] the bwd rule produced an output of"),
        ("one_gradient", "must produce an output with the same container (pytree) structure"),
    ],
)
def test_gradients_of_a_wrong_shape_or_number_fail_in_the_words_of_jax(name, message):
    found = called(name, AFFINE)
    assert found.verdict is Verdict.FAIL
    assert message in found.reason
    assert {check.compared for check in found.gradients} == {0}


def test_a_rule_that_computes_another_function_fails():
    found = called("other_forward", AFFINE)
    assert found.verdict is Verdict.FAIL
    assert found.reason == "output 1 of the forward rule is another than that of the function"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("convolution", {"x": [2, 3, 5, 5], "w": [4, 3, 3, 3]}),
        ("normalized", {"x": [5, 3]}),
        ("masked", {"x": [5, 3]}),
        ("branching", {"x": [5, 3]}),
        ("drawn", {"x": [5, 3]}),
    ],
)
def test_functions_of_every_kind_pass(name, inputs, dtype):
    found = called(name, inputs, dtype=dtype)
    assert found.verdict is Verdict.PASS, found.reason


def test_double_precision_is_on_in_calls_that_have_it_and_off_elsewhere():
    assert called("double_precision").verdict is Verdict.PASS
    assert jax.numpy.ones(1).dtype == np.float32
    (case,) = cases({"jax": "jax_layers:layer", "inputs": AFFINE, "dtype": "float32"})
    made = subject_of(case)
    forward = made.target.forward(made.inputs)
    found = made.target.backward((np.ones((3, 5), np.float32),), forward, made.inputs).values
    assert forward.outputs[0].dtype == np.float32
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}


def test_inputs_are_copied():
    (case,) = cases({"jax": "jax_layers:sine", "inputs": {"x": [64, 64]}})
    made = subject_of(case)
    outputs = made.target.forward(made.inputs).outputs
    kept = outputs[0].copy()
    made.inputs["x"][:] = 0
    np.testing.assert_array_equal(outputs[0], kept)
    outputs[0][:] = 0  # it is not read-only


@pytest.mark.parametrize(
    ("call", "entry", "message"),
    [
        ("named", {}, "forward returned a dict, expected an array, or a tuple or list of them"),
        ("spectrum", {}, "forward returned complex numbers, expected real ones"),
        ("largest", {}, "forward returned int64, expected an array of a floating dtype"),
        ("halved", {}, "forward returned bfloat16, which has too few digits to verify; expected float32 or float64"),
        ("sine", {"dtype": "longdouble"}, "jax has no longdouble, expected float64, float32 or float16"),
        ("AFFINE", {}, "there is no 'AFFINE' in jax_layers"),
        ("raising", {}, "ValueError: not this one: 2"),
    ],
)
def test_what_cannot_be_read_says_why(call, entry, message):
    found = called(call, **entry)
    assert found.verdict is Verdict.ERROR
    assert message in found.reason


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_functions_on_arrays_of_jax(dtype):
    found = verified(functions=FUNCTIONS, inputs=AFFINE, dtype=dtype)
    assert found.verdict is Verdict.PASS, found.reason
    found = verified(functions={**FUNCTIONS, "backward": "jax_layers:backward_wrong"}, inputs=AFFINE, dtype=dtype)
    assert [check.verdict for check in found.gradients] == [Verdict.PASS, Verdict.FAIL]


def test_without_jax_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    wanted = "jax is not installed; pip install 'gradverify[jax]' installs it"
    found = called("layer", AFFINE)
    assert (found.verdict, found.reason) == (Verdict.ERROR, wanted)
    assert verified(functions=FUNCTIONS, inputs=AFFINE).reason == wanted


LAYERS = """
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def softplus(x):
        return jnp.logaddexp(x, 0.0)

    def forward(x):
        return softplus(x), x

    def backward(x, dout):
        return (dout * jax.nn.sigmoid({sign}x),)

    softplus.defvjp(forward, backward)
"""


@pytest.mark.parametrize(("sign", "code"), [("", 0), ("-", 1)])
def test_a_spec_from_the_command_line(workplace, sign, code):
    workplace.write("layers.py", LAYERS.format(sign=sign))
    workplace.write("spec.yaml", "cases:\n  - {name: softplus, jax: layers:softplus, inputs: {x: [3, 4]}}\n")
    ran = workplace.run("run", "spec.yaml", "--format", "json")
    assert ran.code == code, ran.stdout
    (case,) = ran.json["cases"]
    assert (case["target"], case["verdict"]) == ("layers:softplus", "pass" if code == 0 else "fail")


@pytest.mark.parametrize(("call", "failing"), [("jitted", False), ("without_one", True)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradients_from_near_by(call, failing, dtype):
    (case,) = cases({"jax": f"jax_layers:{call}", "inputs": AFFINE, "dtype": dtype})
    close = verify(replace(case, near=True))
    assert all(len(part.step_curve.steps) >= 12 for part in close.gradients)
    assert any(part.error_grid is not None for part in close.gradients) is failing
