"""Frames survive any content, and a cut is the end."""

import io

import pytest

from gradverify.execution.channel import read_frame, write_frame


def test_frames_come_back_as_they_went():
    contents = [b"", b"\n\0", bytes(range(256)) * 1000, b"last"]
    stream = io.BytesIO()
    for content in contents:
        write_frame(stream, content)
    stream.seek(0)
    assert [read_frame(stream) for _ in contents] == contents
    assert read_frame(stream) is None


@pytest.mark.parametrize("kept", range(13))
def test_a_cut_frame_is_the_end(kept):
    stream = io.BytesIO()
    write_frame(stream, b"hello")
    assert read_frame(io.BytesIO(stream.getvalue()[:kept])) == (None if kept < 13 else b"hello")
