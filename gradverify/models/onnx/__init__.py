"""ONNX models: every windowed node with the windows along its axes, by ONNX's own shape inference.

Nothing of a model is executed. Weights and external data are not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.errors import ModelError

if TYPE_CHECKING:
    from gradverify.models.requests import OnnxRequest
    from gradverify.spec.site import Model

__all__ = ["read"]


def read(request: OnnxRequest) -> Model:
    """Read the layers of an ONNX model.

    Raises
    ------
    ModelError
        The model as a whole cannot be read, lengths were given that do not fit it, or onnx is not installed. One
        node that cannot be read is a site with a problem.
    """
    try:
        import onnx  # noqa: F401, PLC0415  an optional package; asked for here so that its absence has its own words
    except ImportError as error:
        install = "install it: pip install 'gradverify[onnx]'"
        raise ModelError(f"{request.file}: ONNX models need the package onnx ({error}): {install}") from error
    from gradverify.models.onnx.reading import read_model  # noqa: PLC0415  it imports onnx

    return read_model(request)
