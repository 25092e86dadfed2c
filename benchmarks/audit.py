"""What an audit costs as a user waits for it: networks in a spec, and a model beside what reading it takes at least.

Medians of whole processes, in one run, each beside bare Python, and the model also beside what ONNX itself takes to
read its file and to infer its shapes.

python benchmarks/audit.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx
from start_up import median_seconds

LAYERS = 200
RESNET = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / "light_resnet50.onnx"
INFERENCE = "import sys, onnx; onnx.shape_inference.infer_shapes(onnx.load(sys.argv[1]))"


def network(layers: int) -> str:
    """Return a spec of a network: convolutions and activations, with a pool at every fortieth place."""
    kinds = {
        "conv": "{layer: conv2d, kernel_size: 3, padding: 1, out_channels: 64}",
        "relu": "{layer: relu}",
        "pool": "{layer: maxpool2d, kernel_size: 3, stride: 2, padding: 1}",
    }
    order = ["pool" if place % 40 == 39 else ("conv", "relu")[place % 2] for place in range(layers)]
    listed = "".join(f"      - {kinds[kind]}\n" for kind in order)
    return f"cases:\n  - name: deep\n    inputs: {{x: [1, 3, 224, 224]}}\n    network:\n{listed}"


def checked(command: list[str]) -> int:
    """Return how many cases an audit judges, after making sure that it could judge all of them."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    cases = json.loads(done.stdout)["cases"]
    if any(case["verdict"] not in {"pass", "fail"} for case in cases):
        sys.exit(f"{' '.join(command)}: some cases were not judged")
    return len(cases)


def main() -> None:
    """Print a row a command, with its ratio to bare Python, and those of the model to ONNX alone."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "network.yaml")
        spec.write_text(network(LAYERS))
        audit = [sys.executable, "-m", "gradverify", "audit", "--format", "json"]
        commands = {
            f"audit, {LAYERS} layers in YAML": [*audit, str(spec)],
            f"audit --solve, {LAYERS} layers in YAML": [*audit, "--solve", str(spec)],
            "audit, resnet50 as ONNX": [*audit, str(RESNET)],
        }
        judged = {name: checked(command) for name, command in commands.items()}
        peers = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "onnx: load and infer_shapes, resnet50": [sys.executable, "-c", INFERENCE, str(RESNET)],
        }
        measured = {name: median_seconds(command) for name, command in (peers | commands).items()}
    bare, onnx_alone = measured["python -c pass"], measured["onnx: load and infer_shapes, resnet50"]
    print(f"{'command':<40} {'cases':>5} {'seconds':>8} {'x bare':>7} {'x onnx':>7}")
    for name, seconds in measured.items():
        beside = f"{seconds / onnx_alone:>7.1f}" if "resnet50" in name else ""
        print(f"{name:<40} {judged.get(name, ''):>5} {seconds:>8.3f} {seconds / bare:>7.1f} {beside}".rstrip())


if __name__ == "__main__":
    main()
