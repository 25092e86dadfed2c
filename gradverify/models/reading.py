"""Reads one model; runs in a worker process, since a model is somebody else's file, or code."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING

from gradverify.errors import GradverifyError
from gradverify.models.requests import ModelRequest, OnnxRequest, TorchRequest

if TYPE_CHECKING:
    from gradverify.spec.site import Model

__all__ = ["READERS", "read"]

# Where each reader is, to load on use: a new one is a package, a request and a row.
READERS: dict[type[ModelRequest], str] = {
    OnnxRequest: "gradverify.models.onnx:read",
    TorchRequest: "gradverify.models.torch:read",
}


def read(request: ModelRequest) -> Model | str:
    """Return a model, or why it cannot be read."""
    try:
        model: Model = resolve_name(READERS[type(request)])(request)
    except GradverifyError as error:
        return str(error)
    return model
