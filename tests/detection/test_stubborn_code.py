"""Code that raises on NaN, stops it, drops imaginary parts or scatters its dependencies is judged all the same."""

from __future__ import annotations

import pytest
from spec_cases import functions, verified
from stubborn_layers import STUBBORN

from gradverify.results import Verdict

SIZES = [
    ([6, 5], 0),
    ([40, 25], 0),
    *(pytest.param([6, 5], seed, marks=pytest.mark.slow) for seed in range(1, 10)),
    pytest.param([300, 200], 0, marks=pytest.mark.slow),
]
# Where users run it, a lost imaginary part is a warning at most; that it raises here would help the engine.
pytestmark = pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")


def result(layer, backward, method, shape, seed):
    return verified(
        functions=functions("stubborn_layers", f"{layer}.forward", f"{layer}.{backward}"),
        inputs={"x": {"shape": shape, **({"init": "uniform", "low": 0.1} if layer == "Domain" else {})}},
        method=method,
        seed=seed,
        contracts={"input-unchanged": "off"},  # one layer works in its input, which is no matter here
    )


@pytest.mark.parametrize(("shape", "seed"), SIZES, ids=str)
@pytest.mark.parametrize("layer", STUBBORN)
def test_stubborn_layer(layer, shape, seed):
    right, wrong = (result(layer, backward, "auto", shape, seed) for backward in ("backward", "wrong"))
    # One rounded number does not tell 60 000 entries of 0.4 % of it apart to a billionth: the bound says what it can.
    allowed = {Verdict.PASS, Verdict.INCONCLUSIVE} if (layer, shape) == ("OneNumber", [300, 200]) else {Verdict.PASS}
    assert right.verdict in allowed, right
    assert wrong.verdict is Verdict.FAIL, wrong


@pytest.mark.parametrize("method", ["compressed", "certificate", "dense"])
@pytest.mark.parametrize("layer", STUBBORN)
def test_no_method_is_misled(layer, method):
    right, wrong = (result(layer, backward, method, [6, 5], 0) for backward in ("backward", "wrong"))
    # A certificate alone cannot tell a kink from a mistake.
    assert right.verdict in ({Verdict.PASS, Verdict.INCONCLUSIVE} if method == "certificate" else {Verdict.PASS}), right
    assert wrong.verdict is Verdict.FAIL, wrong
