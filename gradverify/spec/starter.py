"""Commented starting specs, made from the table of layers."""

from __future__ import annotations

from typing import Any

from gradverify.layers.registry import LAYERS, LayerInfo, Parameter

__all__ = ["MODELINE", "starting_spec"]

MODELINE = "# yaml-language-server: $schema={schema}"

_HEAD = """\
# A gradverify spec. Verify it:          gradverify run {file}
# Check the geometry alone:              gradverify audit {file}
# Every key, with its meaning:           gradverify schema
version: 1
seed: 0                # data are drawn from this seed
dtype: float64         # float64, float32, float16 or longdouble
# tolerance: {{rtol: 1.0e-6, atol: 1.0e-9}}   # omitted: from the dtype's table
cases:
"""

_FUNCTIONS = """
  # Your own functions: forward(*inputs, **params) returns out or (out, cache); backward(dout, cache) returns the
  # gradients in the order of the inputs. A class with forward and backward methods is an object; what it has is found
  # by its names. The module lies beside this file. Remove the signs to use it.
  # - name: mine
  #   functions: {forward: mylayers:forward, backward: mylayers:backward}
  #   inputs:
  #     x: {shape: [4, 6], init: normal, mean: 0.0, std: 1.0}
  #     w: [6, 3]
  #     y: {shape: [4], init: integers, high: 3, grad: false}   # a constant: labels, indices
  #   params: {}               # keyword arguments
  #   expect: pass             # fail: a case that must be caught
  # - name: my-conv            # one case for each edge at which convolutions break: gradverify layers conv2d --battery
  #   functions: {forward: mylayers:conv_forward, backward: mylayers:conv_backward}
  #   battery: conv2d
  #   reference: conv2d        # outputs and gradients must be those of the built-in layer
  #   params: {stride: $stride, pad: $padding}
  # - name: my-layer
  #   object: mylayers:Dense(6, 3)
  #   inputs: {x: [4, 6]}
"""


def starting_spec(name: str, file: str) -> str:
    """Return the text of a commented spec for a built-in layer, with a pattern for functions behind it.

    Parameters
    ----------
    name
        The layer.
    file
        Name the spec will have, for its comments.
    """
    layer = LAYERS[name]
    return _HEAD.format(file=file) + "\n".join(_case(layer)) + "\n" + _FUNCTIONS


def _case(layer: LayerInfo) -> list[str]:
    lines = [f"  - name: {layer.name}", f"    layer: {layer.name}    # {layer.summary}"]
    names = [item.name for item in layer.implementations]
    if len(names) > 1:
        lines.append(f"    implementation: all    # {', '.join(names)}; omitted: {layer.fast}")
    lines.append("    inputs:")
    for role in layer.inputs:
        shape = ", ".join(str(length) for length in layer.example[role.name])
        lines.append(f"      {role.name}: [{shape}]    # {role.shape_text}: {role.role}")
    if layer.parameters:
        lines.append("    params:")
        lines.extend(_parameter(item, layer) for item in layer.parameters)
    if layer.window is not None:
        lines.append("    sweep: {stride: [1, 2], padding: [0, 1]}    # the full product is run")
    return lines


def _parameter(item: Parameter, layer: LayerInfo) -> str:
    examples: dict[str, Any] = layer.example_params or {}
    comment = f"{item.role}: {item.kind.value}"
    if item.name in examples:
        return f"      {item.name}: {examples[item.name]}    # {comment}"
    if item.default_from:
        return f"      # {item.name}: as {item.default_from}    # {comment}"
    return f"      {item.name}: {item.default}    # {comment}"
