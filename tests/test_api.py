"""The Python face: what it takes, what it returns, what it raises."""

from __future__ import annotations

import inspect
import pickle
import random
import re
import subprocess
import sys

import numpy as np
import pytest
from spec_cases import cases

import gradverify
from gradverify import GradientsError, Verdict, assert_gradients, check
from gradverify.checks.case import verify
from gradverify.errors import UsageError

X = np.random.default_rng(0).normal(size=(4, 5))
W = np.random.default_rng(1).normal(size=(5, 3))


def affine(x, w, b=None):
    out = x @ w
    return (out if b is None else out + b), (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


def wrong_backward(dout, cache):
    x, w = cache
    return dout @ w.T, 1.01 * x.T @ dout


class Layer:
    def __init__(self):
        self.gamma, self.calls = np.ones(5), 0

    def forward(self, x, scale=1.0):
        self.calls += 1
        self.x, self.scale = x, scale
        return x * self.gamma * scale

    def backward(self, dout):
        self.dgamma = (dout * self.x).sum(axis=0) * self.scale
        return dout * self.gamma * self.scale


def inputs_of(report):
    return [part.input for part in report.cases[0].gradients]


def test_functions_pass_and_fail():
    right, wrong = check(affine, affine_backward, {"x": X, "w": W}), check(affine, wrong_backward, {"x": X, "w": W})
    assert (right.verdict, right.exit_code, right.counts["pass"]) == (Verdict.PASS, 0, 1)
    assert (wrong.verdict, wrong.exit_code, wrong.counts["fail"]) == (Verdict.FAIL, 1, 1)
    assert [part.verdict for part in wrong.cases[0].gradients] == [Verdict.PASS, Verdict.FAIL]


def test_the_report_names_the_place_that_asked():
    case = check(affine, affine_backward, {"x": X, "w": W}).cases[0]
    assert (case.spec, case.target) == (__file__, "python:affine_backward")
    assert case.line == test_the_report_names_the_place_that_asked.__code__.co_firstlineno + 1
    assert assert_gradients(affine, affine_backward, {"x": X, "w": W}).cases[0].spec == __file__


def test_inputs_in_order_are_named_as_the_function_names_them():
    assert inputs_of(check(affine, affine_backward, [X, W])) == ["x", "w"]
    assert inputs_of(check(lambda *values: values[0] * 2, lambda dout, *_: dout * 2, [X])) == ["x0"]


def test_inputs_are_not_changed_and_not_kept():
    def spoils(x):
        x *= 0
        return x

    before = X.copy()
    check(spoils, lambda dout, x: dout * 0 * x, {"x": X})
    np.testing.assert_array_equal(X, before)


def test_an_object_is_copied_and_its_parameters_are_found():
    layer = Layer()
    report = assert_gradients(layer, inputs={"x": X})
    assert inputs_of(report) == ["x", "gamma"]
    assert layer.calls == 0
    np.testing.assert_array_equal(layer.gamma, np.ones(5))


def test_methods_are_called_as_asked():
    report = assert_gradients(Layer(), "backward(dout)", {"x": X}, call="forward(x, scale=s)", params={"s": 3.0})
    assert report.cases[0].params == {"s": 3.0}


def test_losses_constants_and_derivatives():
    def loss(x, y):
        return ((x - y) ** 2).sum(), 2 * (x - y)

    assert inputs_of(assert_gradients(loss, None, {"x": X, "y": X + 1}, constants=["y"], returns=["out", "grad"])) == [
        "x"
    ]
    assert_gradients(np.tanh, lambda x: 1 - np.tanh(x) ** 2, {"x": X}, elementwise=True)
    with pytest.raises(GradientsError):
        assert_gradients(np.tanh, lambda x: 1 + np.tanh(x) ** 2, {"x": X}, elementwise=True)


def test_params_may_be_any_python_object():
    def forward(x, activation, table):
        return activation(x) * table["scale"]

    def backward(dout, x, activation, table):
        return dout * (1 - activation(x) ** 2) * table["scale"]

    report = assert_gradients(forward, backward, {"x": X}, params={"activation": np.tanh, "table": {"scale": 2.0}})
    assert "tanh" in report.cases[0].params["activation"]


def test_dtypes_are_those_of_the_arrays():
    report = check(affine, affine_backward, {"x": X.astype(np.float32), "w": W.astype(np.float32)})
    assert report.verdict is Verdict.PASS
    assert all(1e-9 < part.max_absolute_error < 1e-5 for part in report.cases[0].gradients)


def test_the_text_of_the_error_is_the_readable_report():
    with pytest.raises(AssertionError, match=re.escape("FAIL affine")) as caught:
        assert_gradients(affine, wrong_backward, {"x": X, "w": W})
    error = caught.value
    assert isinstance(error, GradientsError)
    assert "dw (5x3) fail: 15 of 15 elements differ" in str(error)
    assert "worst entry" in str(error)
    assert str(error).isprintable() is False  # several lines
    assert "\x1b" not in str(error)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  as pytest-xdist does
    assert (str(again), again.report.verdict) == (str(error), Verdict.FAIL)


def test_code_that_raises_is_an_error_with_its_place():
    def raises(x):  # noqa: ARG001  it takes what it is given
        raise ZeroDivisionError("no")

    report = check(raises, affine_backward, {"x": X})
    assert report.verdict is Verdict.ERROR
    assert report.cases[0].reason.startswith("ZeroDivisionError: no (")
    with pytest.raises(GradientsError, match="ZeroDivisionError"):
        assert_gradients(raises, affine_backward, {"x": X})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metod": "dense"}, "unknown key 'metod' in a case, did you mean 'method'?"),
        ({"method": "dence"}, "'dence' is not a method, did you mean 'dense'?"),
        ({"seed": -1}, "got the number -1, expected a whole number of at least 0"),
        ({"constants": ["y"]}, "constants: there is no input 'y'"),
        ({"returns": ["out", "grad"]}, "both 'backward' and 'grad' among returns, expected one of them"),
        ({"gradients": ["x", "v"]}, "'v' in gradients is no input"),
        ({"rtol": -1.0}, "expected a number of at least 0"),
    ],
)
def test_wrong_options_say_so(options, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        check(affine, affine_backward, {"x": X, "w": W}, **options)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (None, "there are no inputs"),
        ({"x": np.array(["a"])}, "the input 'x' is <U1, expected real numbers"),
        ({"x": X + 1j}, "the input 'x' is complex128, expected real numbers"),
        ({"x y": X}, "expected an input's name"),
    ],
)
def test_wrong_inputs_say_so(inputs, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        check(affine, affine_backward, inputs)


def test_options_mean_what_they_mean_in_a_spec():
    report = check(affine, wrong_backward, {"x": X, "w": W}, expect="fail", seed=3, name="mine", rtol=1e-3, atol=0)
    assert (report.verdict, report.seed, report.cases[0].name) == (Verdict.PASS, 3, "mine")
    assert check(affine, wrong_backward, {"x": X, "w": W}, rtol=0.1).verdict is Verdict.PASS
    assert check(affine, affine_backward, {"x": X, "w": W}, method="dense").cases[0].gradients[0].method == "dense"


def test_public_names_load_nothing_before_their_use():
    script = "import sys, gradverify; print('numpy' in sys.modules); gradverify.check; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
    assert dir(gradverify) == sorted(gradverify.__all__)
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        gradverify.chek  # noqa: B018  the look-up is the test


def test_torch_modules_and_functions_are_taken_as_they_are():
    torch = pytest.importorskip("torch", reason="torch is not installed")

    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # noqa: ARG004  torch's signature
            return x * 2

        @staticmethod
        def backward(ctx, dout):  # noqa: ARG004  as above
            return dout * 3

    report = assert_gradients(torch.nn.Linear(5, 3), inputs={"x": X})
    assert inputs_of(report) == ["x", "weight", "bias"]
    assert check(Doubled, inputs={"x": torch.ones(3, dtype=torch.float64)}).verdict is Verdict.FAIL
    assert check(torch.tanh, inputs={"x": X}, framework="torch").verdict is Verdict.PASS


def test_jax_functions_are_taken_where_it_is_said():
    numpy = pytest.importorskip("jax.numpy", reason="jax is not installed")
    assert assert_gradients(numpy.tanh, inputs={"x": X}, framework="jax").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check(np.tanh, affine_backward, {"x": X}, framework="jax"), "say arrays='jax' in place of framework"),
        (lambda: check(Layer, inputs={"x": X}), "Layer is a class, expected an object of it"),
        (lambda: check(affine, affine_backward, {"x": X, "w": W}, sweep={"x": [1]}), "'sweep' belongs to a spec"),
        (lambda: check(affine, affine_backward, {"x": [[1.0], [1.0, 2.0]]}), "the input 'x' is no array"),
    ],
)
def test_what_would_be_ignored_is_refused(call, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        call()


@pytest.mark.parametrize("dtype", [np.longdouble, ">f8"])
def test_every_dtype_of_numpy_with_a_precision_is_taken(dtype):
    assert check(affine, affine_backward, {"x": X.astype(dtype), "w": W.astype(dtype)}).verdict is Verdict.PASS


def test_the_callers_generators_are_left_alone():
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002  what is to be left alone
    check(affine, affine_backward, {"x": X, "w": W})
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002  as above


def test_what_cannot_be_copied_is_handed_over_and_an_exit_is_an_error():
    def leaves(x, code):  # noqa: ARG001  it takes what it is given
        sys.exit(code)

    assert assert_gradients(
        lambda x, xp: xp.tanh(x), lambda d, x, xp: d * (1 - xp.tanh(x) ** 2), {"x": X}, params={"xp": np}
    )
    assert check(leaves, affine_backward, {"x": X}, params={"code": 3}).cases[0].reason.startswith("SystemExit: 3")


def conv(x, w, b, conv_param, scale):
    stride, pad = conv_param["stride"], conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return scale(np.einsum("ncklij,fcij->nfkl", windows, w) + b[:, None, None]), (x, w, padded, stride, pad)


def conv_backward(dout, cache):
    x, w, padded, stride, pad = cache
    dxp, dw, (high, wide) = np.zeros_like(padded), np.zeros_like(w), w.shape[2:]
    for k, j in np.ndindex(dout.shape[2:]):
        window = np.s_[:, :, k * stride : k * stride + high, j * stride : j * stride + wide]
        dw += np.einsum("nf,ncij->fcij", dout[:, :, k, j], padded[window])
        dxp[window] += np.einsum("nf,fcij->ncij", dout[:, :, k, j], w)
    return dxp[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]], dw, dout.sum(axis=(0, 2, 3))


def sliced_backward(dout, cache):
    *_, pad = cache
    dx, dw, db = conv_backward(dout, cache)
    return (dx if pad else dx[:, :, pad:-pad, pad:-pad]), dw, db


def test_a_battery_runs_all_its_rows_with_objects_among_the_parameters():
    params = {"conv_param": {"stride": "$stride", "pad": "$padding"}, "scale": lambda value: value}
    options = {"battery": "conv2d", "reference": "conv2d", "params": params}
    right = assert_gradients(conv, conv_backward, **options)
    assert len(right.cases) > 20
    assert right.counts["pass"] == len(right.cases)
    wrong = check(conv, sliced_backward, **options)
    failing = {case.battery.row for case in wrong.cases if case.verdict is Verdict.FAIL}
    assert failing == {case.battery.row for case in wrong.cases if case.params["conv_param"]["pad"] == 0}


def test_a_battery_takes_inputs_by_its_names():
    report = check(
        lambda a: (np.maximum(a, 0), a),
        lambda dout, a: dout * (a > 0),
        {"a": ["$D", "$N"]},
        battery="relu",
        reference="relu",
    )
    assert report.verdict is Verdict.PASS
    assert report.cases[0].gradients[0].shape == (4, 3)


class Convolution:
    """Keeps its own weights, as (F, C, HH, WW), under names that people give them."""

    def __init__(self, channels, filters, size, pad, *, shift=0.0):
        random_numbers = np.random.default_rng(3)
        self.weights = random_numbers.normal(size=(filters, channels, size, size))
        self.bias = random_numbers.normal(size=filters)
        self.pad, self.shift = pad, shift

    def forward(self, x):
        param = {"stride": 1, "pad": self.pad}
        out, self.cache = conv(x, self.weights, self.bias, param, lambda value: value + self.shift)
        return out

    def backward(self, dout):
        dx, self.dweights, self.dbias = conv_backward(dout, self.cache)
        return dx


def test_an_object_is_compared_with_its_own_parameters(tmp_path):
    code = inspect.getsource(conv) + inspect.getsource(conv_backward) + inspect.getsource(Convolution)
    (tmp_path / "convolution.py").write_text(f"import numpy as np\n{code}")
    for name, shift, verdict in (("right", 0.0, Verdict.PASS), ("shifted", 0.5, Verdict.FAIL)):
        entry = {
            "object": f"convolution.py:Convolution($C, $F, $HH, $padding, shift={shift})",
            "battery": {"layer": "conv2d", "rows": ["same", "no-padding", "even-kernel"]},
            "reference": "conv2d",
        }
        found = [verify(case) for case in cases({"name": name, **entry}, folder=tmp_path)]
        assert [item.verdict for item in found] == [verdict] * 3, found[0].reason
    assert "the gradients belong to the forward pass as it is" in found[0].reason


def test_a_battery_in_python_has_conditions_and_tuples_of_its_names():
    def pool(x, size):
        assert all(isinstance(length, int) for length in size)
        n, c, h, w = x.shape
        high, wide = size
        cut = x[:, :, : h - h % high, : w - w % wide]
        return cut.reshape(n, c, h // high, high, w // wide, wide).mean(axis=(3, 5)), (x, size)

    def backward(dout, cache):
        x, (high, wide) = cache
        dx = np.zeros_like(x)
        spread = np.repeat(np.repeat(dout, high, axis=2), wide, axis=3) / (high * high)
        dx[:, :, : spread.shape[2], : spread.shape[3]] = spread
        return dx

    report = check(
        pool,
        backward,
        battery={"layer": "avgpool2d", "without": ["tall-window", "wide-window"]},
        params={"size": ("$kernel_size_h", "$kernel_size_w")},
    )
    assert report.verdict is Verdict.PASS
    assert len(report.cases) >= 8
    assert report.conditions == ()
    wrong = check(
        conv,
        sliced_backward,
        battery="conv2d",
        params={"conv_param": {"stride": "$stride", "pad": "$padding"}, "scale": lambda value: value},
    )
    assert [condition.text for condition in wrong.conditions] == ["fails exactly when pad = 0"]
