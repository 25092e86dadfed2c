"""What a whole battery costs: a convolution in Python loops, beside the classic loop over all elements, in one run.

The battery compares every element of three gradients on 28 geometries, looks at all contracts and compares with a
reference; the loop takes central differences of the same forward passes, and nothing else.

python benchmarks/battery.py
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from gradverify.checks.case import verify
from gradverify.checks.data import inputs_of
from gradverify.pipeline import select
from gradverify.results import Verdict
from gradverify.spec.overriding import Overrides

PAGE = Path(__file__).parent.parent / "docs" / "batteries.md"
LOOPS = """
import numpy as np


def conv_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    high, wide = w.shape[2:]
    rows, columns = (xp.shape[2] - high) // stride + 1, (xp.shape[3] - wide) // stride + 1
    out = np.empty((len(x), len(w), rows, columns))
    for n, f, k, j in np.ndindex(out.shape):
        window = xp[n, :, k * stride : k * stride + high, j * stride : j * stride + wide]
        out[n, f, k, j] = np.sum(window * w[f]) + b[f]
    return out, (x, w, conv_param)
"""


def written(folder: Path) -> Path:
    """Write the convolution of the page of batteries with a forward pass in loops, and its spec."""
    files = dict(re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL))
    backward = files["mylayers.py"].split("def conv_backward", 1)[1]
    (folder / "mylayers.py").write_text(f"{LOOPS}\n\ndef conv_backward{backward}")
    (folder / "conv.yaml").write_text(files["conv.yaml"])
    return folder / "conv.yaml"


def classic(cases: tuple, forward: object) -> None:
    """Take central differences of every element of every input, one at a time."""
    for case in cases:
        inputs = inputs_of(case)
        for value in inputs.values():
            for index in np.ndindex(value.shape):
                kept = value[index]
                for end in (kept + 1e-5, kept - 1e-5):
                    value[index] = end
                    forward(*inputs.values(), **case.params)
                value[index] = kept


def main() -> None:
    """Print the time of both, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        spec = written(Path(name))
        sys.path.insert(0, name)
        cases = select((str(spec),), Overrides()).cases
        started = time.perf_counter()
        results = [verify(case) for case in cases]
        spent = time.perf_counter() - started
        if {result.verdict for result in results} != {Verdict.PASS}:
            sys.exit("the convolution does not pass its battery")
        import mylayers  # noqa: PLC0415  written above

        started = time.perf_counter()
        classic(cases, mylayers.conv_forward)
        loop = time.perf_counter() - started
    passes = sum(result.forward_evaluations for result in results)
    times = f"{spent:.2f} s; classic loop {loop:.2f} s; ratio {spent / loop:.2f}"
    print(f"{len(cases)} cases, {passes} forward passes: {times}")


if __name__ == "__main__":
    main()
