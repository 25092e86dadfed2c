"""Which windowed operation a function of torch is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch._ops import OpOverload, OpOverloadPacket

from gradverify.models.torch.operations import operation_of

if TYPE_CHECKING:
    from gradverify.models.torch.operations import Operation

__all__ = ["operation_called"]

# Those of other packages may take other arguments under the same name.
_HOMES = frozenset({"torch", "torch._C._nn", "torch.nn.functional"})


def operation_called(function: Any) -> Operation | None:
    """Return the windowed operation that a function is: Python's, a built-in or one of aten; ``None`` for others."""
    if isinstance(function, (OpOverload, OpOverloadPacket)):
        home, _, name = _qualified(function).partition("::")
        return operation_of(name, aten=True) if home == "aten" else None
    called = getattr(function, "__name__", None)
    if called is None or getattr(function, "__module__", None) not in _HOMES:
        return None
    return operation_of(called, aten=False)


def _qualified(function: Any) -> str:
    """Return ``aten::conv2d``; torch has it under two names, neither of them public."""
    if isinstance(function, OpOverload):
        return str(function._schema.name)  # noqa: SLF001  as said above
    return str(function._qualified_op_name)  # noqa: SLF001  as said above
