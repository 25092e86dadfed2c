"""How arrays and parameters are handed to the code of a target: as copies, unless a check wants it otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradverify.targets.arguments import copied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradverify.targets.protocol import Array

__all__ = ["COPIES", "Hand"]


class Hand:
    """Hands copies to the code, since it may change or keep what it is given.

    A check that wants to see what became of them, or hands out arrays of another layout, overrides what it needs.
    """

    def array(self, name: str, array: Array) -> Array:  # noqa: ARG002  those who look want to know whose it is
        """Return what is handed out for an input, an output (``out``) or a cotangent (``dout``)."""
        return array.copy()

    def parameter(self, name: str, array: Array) -> Array:  # noqa: ARG002  as above
        """Return what is handed to a constructor for an input that becomes a parameter of the object."""
        return array.copy()

    def params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is handed out for the parameters of a case."""
        return copied(params)

    def held(self, read: Callable[[], Mapping[str, Any]]) -> None:
        """Hear how to read the parameters that an object holds, before its forward pass runs."""


COPIES = Hand()
