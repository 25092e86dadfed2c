"""The page on how a verdict is reached: its example, computed again by NumPy alone, and what gradverify says of it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from workplace import ROOT

TEXT = (ROOT / "docs/tolerances.md").read_text(encoding="utf-8")
SECTION = TEXT[TEXT.index("## An example by hand") : TEXT.index("## What can go wrong")]
X, W = np.array([[0.5, -1.0], [1.5, 2.0]]), np.array([0.25, 0.5])
STEP = 2.0**-7


def loss(w):
    return np.sum(np.tanh(X @ w))


def difference(step):
    """Return ``D(h)`` of both entries of w."""
    return np.array([(loss(W + step * unit) - loss(W - step * unit)) / (2 * step) for unit in np.eye(2)])


def complex_step():
    return np.array([np.imag(loss(W + 1e-30j * unit)) / 1e-30 for unit in np.eye(2)])


def analytic():
    """Return what the layer of the page computes, written anew: a mean over the two samples."""
    return np.array([np.mean((1 - np.tanh(X @ W) ** 2) * X[:, entry]) for entry in (0, 1)])


def allowed():
    a, n = np.abs(analytic()), np.abs(complex_step())
    return 1e-6 * np.maximum(a, n) + 1e-9 * np.max(n)


ROWS = {
    "analytic `a`": analytic,
    "`D(h)`, h = 2^-7": lambda: difference(STEP),
    "`D(2h)`": lambda: difference(2 * STEP),
    "order 4: `(4 D(h) - D(2h)) / 3`": lambda: (4 * difference(STEP) - difference(2 * STEP)) / 3,
    "complex step `n = Im L(w + ih) / h`, h = 1e-30": complex_step,
    "difference `abs(a - n)`": lambda: np.abs(analytic() - complex_step()),
    "allowed: `1e-6 max(abs(a), abs(n)) + 1e-9 M`": allowed,
}


def written():
    """Return the rows of the table: label, and both numbers as they are written."""
    rows = [line.strip("| ").split(" | ") for line in SECTION.splitlines() if line.startswith("| ")]
    return {label: numbers for label, *numbers in rows if label != "| `dw[0]`"}


def test_the_table_has_the_rows_that_are_computed_here():
    assert [label for label in written() if label in ROWS] == list(ROWS)


@pytest.mark.parametrize("label", ROWS)
def test_a_number_of_the_table_is_what_numpy_computes(label):
    for number, computed in zip(written()[label], ROWS[label](), strict=True):
        digits = len(number.partition("e")[0].partition(".")[2])
        assert number == (f"{computed:.{digits}e}" if "e" in number else f"{computed:.{digits}f}")


def test_what_is_said_of_the_numbers_is_so():
    true, order_4 = complex_step(), ROWS["order 4: `(4 D(h) - D(2h)) / 3`"]()
    assert np.all(np.abs(difference(STEP) - true) < 1e-4)
    assert np.max(np.abs(difference(STEP) - true)) > 1e-5
    assert np.all(np.abs(order_4 - true) < 1e-8)
    halved = (4 * difference(STEP / 2) - difference(STEP)) / 3
    assert np.allclose(np.log2((order_4 - true) / (halved - true)), 4, atol=0.1)
    factor = np.abs(analytic() - true) / allowed()
    assert np.all((factor > 4e5) & (factor < 6e5))
    assert np.allclose(true / analytic(), 2, rtol=1e-14)


def test_gradverify_says_of_the_example_what_the_page_does(workplace):
    workplace.write("layers.py", re.search(r"```python\n(.*?)```", SECTION, re.DOTALL).group(1))
    workplace.write("spec.yaml", re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL).group(1))
    ran = workplace.run("run", "spec.yaml", "--format", "json")
    (case,) = ran.json["cases"]
    dx, dw = case["gradients"]
    assert (ran.code, case["verdict"]) == (1, "fail")
    assert (dx["verdict"], dx["compared"]) == ("pass", 4)
    assert dx["max_relative_error"] < 1e-15
    assert (dw["verdict"], dw["failed"], dw["compared"]) == ("fail", 2, 2)
    assert dw["error_bar"] < 1e-9
    (entry, _) = dw["worst"]["index"]
    assert dw["worst"]["analytic"] == pytest.approx(analytic()[entry], rel=1e-14)
    assert dw["worst"]["numerical"] == pytest.approx(complex_step()[entry], rel=1e-12)
    others = [part for part in case["contracts"] if part["verdict"] == "fail"]
    assert others == []


def test_at_the_kink_everything_between_the_slopes_passes_and_is_counted(workplace):
    code = "import numpy as np\n\ndef forward(x):\n    return np.maximum(x, 0), x\n\n"
    workplace.write(
        "layers.py", code + "def backward(dout, x, part=1.0):\n    return dout * ((x > 0) + part * (x == 0))\n"
    )
    workplace.write(
        "spec.yaml",
        """
        cases:
          - name: relu
            functions: {forward: "layers:forward(x)", backward: "layers:backward(dout, cache, part)"}
            inputs: {x: {values: [-1.0, 0.0, 2.0]}}
            params: {part: 0.0}
            sweep: {part: [-0.1, 0.0, 0.4, 1.0, 1.1]}
            checks: [gradients]
        """,
    )
    cases = workplace.run("run", "spec.yaml", "--format", "json").json["cases"]
    assert [case["verdict"] for case in cases] == ["fail", "pass", "pass", "pass", "fail"]
    assert all("1 element at kinks" in case["gradients"][0]["reason"] for case in cases if case["verdict"] == "pass")
