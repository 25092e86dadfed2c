"""Takes the pictures of docs/html.md out of the page of a real run: python docs/images/make_html_pictures.py."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from make_run_picture import LAYERS

from gradverify import reporters

STYLE = (Path(reporters.__file__).parent / "html" / "report.css").read_text(encoding="utf-8")
SPEC = """\
cases:
  - name: my-conv
    functions: {forward: mylayers:conv_forward, backward: mylayers:conv_backward}
    inputs: {x: [2, 3, 7, 7], w: [4, 3, 3, 3], b: [4]}
    params: {stride: 3, pad: 2}
    geometry: {input: x, kernel: w, stride: stride, padding: pad}
  - name: my-softplus
    functions: {forward: mylayers:softplus_forward, backward: mylayers:softplus_backward}
    inputs: {x: [6]}
  - name: my-square
    functions: {forward: mylayers:square_forward, backward: mylayers:square_backward}
    inputs: {x: [6, 9]}
"""
# Both are slightly wrong; the first takes no complex numbers, so that its numerical gradient is made of differences.
MORE_LAYERS = """

def softplus_forward(x):
    return np.logaddexp(0, x), x


def softplus_backward(dout, x):
    return dout / (1.0001 + np.exp(-x))


def square_forward(x):
    return x**2, x


def square_backward(dout, x):
    dx = 2 * x * dout
    dx[-1] *= 1 + 3e-6
    dx[:, 3] *= 1.001
    return dx
"""
# The case and the file of each kind of drawing.
FILES = {
    "windows": ("my-conv", "html-windows.svg"),
    "grid": ("my-square", "html-grid.svg"),
    "curve": ("my-softplus", "html-curve.svg"),
}
SVG = "http://www.w3.org/2000/svg"


def main() -> None:
    """Run the example, and write one file for each kind of drawing."""
    page = _page()
    (patterns,) = [part for part in page.iter("svg") if part.get("class") == "patterns"]
    for kind, (name, file) in FILES.items():
        (case,) = [part for part in page.iter("details") if f" {name} " in f"{_words(part.find('summary'))} "]
        figure = next(part for part in case.iter("figure") if part.get("class") == kind)
        picture = _alone(figure.find("svg"), patterns.find("defs"), page)
        Path(__file__).with_name(file).write_text(picture, encoding="utf-8")


def _page() -> ET.Element:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mine.yaml").write_text(SPEC)
        Path(folder, "mylayers.py").write_text(LAYERS + MORE_LAYERS)
        command = [sys.executable, "-m", "gradverify", "run", "mine.yaml", "--format", "html=report.html"]
        subprocess.run(command, cwd=folder, check=False)
        text = Path(folder, "report.html").read_text(encoding="utf-8")
    return ET.fromstring(text.removeprefix("<!DOCTYPE html>\n"))  # noqa: S314  made here


def _words(element: ET.Element | None) -> str:
    return "" if element is None else "".join(element.itertext())


def _alone(drawing: ET.Element, patterns: ET.Element, page: ET.Element) -> str:
    """Return a drawing as a file of its own: with its style, what fills areas, and a ground to lie on."""
    named = {part.get("id"): part for part in page.iter() if part.get("id")}
    for part in [part for part in drawing if part.tag == "use"]:
        drawing.remove(part)
        drawing.append(named[part.get("href", "").removeprefix("#")])
    style = ET.Element("style")
    style.text = STYLE
    ground = ET.Element("rect", width="100%", height="100%", style="fill: var(--ground)")
    for place, part in enumerate((style, patterns, ground), 2):
        drawing.insert(place, part)
    drawing.set("xmlns", SVG)
    return ET.tostring(drawing, encoding="unicode") + "\n"


if __name__ == "__main__":
    main()
