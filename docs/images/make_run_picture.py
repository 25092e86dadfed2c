"""Makes docs/images/run.svg from a real run: python docs/images/make_run_picture.py."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

SPEC = """\
cases:
  - name: my-conv
    functions: {forward: mylayers:conv_forward, backward: mylayers:conv_backward}
    inputs: {x: [2, 3, 7, 7], w: [4, 3, 3, 3], b: [4]}
    params: {stride: 2, pad: 1}
    geometry: {input: x, kernel: w, stride: stride, padding: pad}
    sweep: {stride: 1:3, pad: [0, 1]}
"""

# Right but for the residual: what no window read is put in front of the gradient instead of behind it.
LAYERS = """\
import numpy as np


def conv_forward(x, w, b, stride, pad):
    images = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(images, w.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nckluv,fcuv->nfkl", windows, w) + b[:, None, None], (x, w, windows, stride, pad)


def conv_backward(dout, cache):
    x, w, windows, stride, pad = cache
    n, f, rows, columns = dout.shape
    dilated = np.zeros((n, f, (rows - 1) * stride + 1, (columns - 1) * stride + 1))
    dilated[:, :, ::stride, ::stride] = dout
    full = np.pad(dilated, ((0, 0), (0, 0), (2, 2), (2, 2)))
    slid = np.lib.stride_tricks.sliding_window_view(full, (3, 3), (2, 3))
    found = np.einsum("nfkluv,fcuv->nckl", slid, w[:, :, ::-1, ::-1])
    dx = np.zeros((n, x.shape[1], x.shape[2] + 2 * pad, x.shape[3] + 2 * pad))
    high = found.shape[2]
    dx[:, :, -high:, -high:] = found
    return dx[:, :, pad : pad + 7, pad : pad + 7], np.einsum("nfkl,nckluv->fcuv", dout, windows), dout.sum((0, 2, 3))
"""


def main() -> None:
    """Run the example at 80 columns and export what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mine.yaml").write_text(SPEC)
        Path(folder, "mylayers.py").write_text(LAYERS)
        looks = {"FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "xterm-256color"}
        command = [sys.executable, "-m", "gradverify", "run", "mine.yaml"]
        ran = subprocess.run(command, cwd=folder, env=os.environ | looks, capture_output=True, text=True, check=False)
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ gradverify run mine.yaml", style="bold"))
    console.print(Text.from_ansi(ran.stdout), soft_wrap=True)
    picture = console.export_svg(title="gradverify", unique_id="gradverify")
    # Fonts are linked from another host by default: a page must show the picture without asking anyone.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL).replace("Fira Code", "ui-monospace")
    Path(__file__).with_name("run.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
