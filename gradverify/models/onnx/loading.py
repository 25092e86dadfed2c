"""From a file to a model without weights."""

from __future__ import annotations

import mmap
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from gradverify.errors import ModelError
from gradverify.models.onnx.skimming import MalformedError, skim

__all__ = ["load"]

# A protocol buffer cannot be larger: https://protobuf.dev/programming-guides/proto-limits
_LARGEST = 2**31 - 1
_EXPECTED = "expected an ONNX model, a serialized ModelProto"


def load(file: str) -> onnx.ModelProto:
    """Read an ONNX model; the values of large tensors and external data are left out.

    Raises
    ------
    ModelError
        It is missing, no file, empty, too large, cut off, or something else than an ONNX model.
    """
    path = Path(file)
    size = _size(path)
    with path.open("rb") as opened:
        data = mmap.mmap(opened.fileno(), size, access=mmap.ACCESS_READ)
    try:
        return _parse(data)
    except (MalformedError, DecodeError) as error:
        raise ModelError(f"{file}: {_describe(data[:200], error)}, {_EXPECTED}") from None


def _size(path: Path) -> int:
    """Return how many bytes there are, if they are as many as a model may have."""
    if path.is_dir():
        raise ModelError(f"{path}: is a folder, {_EXPECTED}: name the file")
    try:
        with path.open("rb") as opened:
            size = opened.seek(0, 2)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}), {_EXPECTED}") from None
    if size == 0:
        raise ModelError(f"{path}: is empty, {_EXPECTED}: write or download it again")
    if size > _LARGEST:
        advice = "save it with external data: onnx.save(model, file, save_as_external_data=True)"
        raise ModelError(f"{path}: has {size} bytes, expected less than 2 GiB, the limit of protocol buffers: {advice}")
    return size


def _parse(data: mmap.mmap) -> onnx.ModelProto:
    """Parse what is left of the model without its weights."""
    model = onnx.ModelProto()
    model.ParseFromString(skim(memoryview(data)))
    if not model.HasField("graph"):
        raise MalformedError("it holds no graph")
    return model


def _describe(beginning: bytes, error: Exception) -> str:
    """Say what a file is that cannot be parsed."""
    if beginning.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS and not the model itself (run git lfs pull)"
    if beginning.isascii() and all(byte >= 32 or byte in b"\t\r\n\f" for byte in beginning):
        return "is text"
    if "MaxDepth" in str(error):
        return "nests graphs deeper than protocol buffers allow (100 messages)"
    said = str(error).removeprefix("Error parsing message with type 'onnx.ModelProto': ")
    return f"cannot be parsed ({said})"
