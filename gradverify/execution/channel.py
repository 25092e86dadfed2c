"""Frames on a pipe: the length in eight bytes, then that many bytes."""

from __future__ import annotations

from typing import BinaryIO

__all__ = ["GREETING", "read_frame", "write_frame"]

# Ends the first line of a worker; what a sitecustomize printed before it is no frame.
GREETING = b"\0gradverify worker\n"


def write_frame(stream: BinaryIO, content: bytes) -> None:
    """Send one frame."""
    stream.write(len(content).to_bytes(8, "big"))
    stream.write(content)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """Wait for one frame; None when the other side is gone, also in the middle of a frame."""
    header = stream.read(8)
    if len(header) < 8:
        return None
    size = int.from_bytes(header, "big")
    content = stream.read(size)
    return content if len(content) == size else None
