"""Squares with a right backward pass, and with those that go wrong in their own ways: indented, as files of a user."""

from __future__ import annotations

__all__ = ["BACKWARDS", "SQUARE"]

SQUARE = """
    def square(x):
        return x * x, x
"""
BACKWARDS = """
    import time

    def right(dout, x):
        return 2 * x * dout

    def wrong(dout, x):
        return x * dout

    def raises(dout, x):
        raise RuntimeError("no gradient | today")

    def sleeps(dout, x):
        time.sleep(60)
"""
