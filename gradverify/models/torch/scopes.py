"""What is running while a model is read: the call of which module, and by which name people know it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn.modules import conv, fold, module, pooling
from torch.nn.utils import parametrize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.models.torch.operations import Operation

__all__ = ["Call", "Scopes", "class_name"]

_WINDOWED = tuple(vars(home)[name] for home in (conv, fold, pooling) for name in home.__all__)
_WINDOWED_NAMES = frozenset(kind.__name__ for kind in _WINDOWED)


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of a module, from its beginning to its end."""

    module: Any
    name: str

    @property
    def is_windowed(self) -> bool:
        """Whether the module is one of torch's windowed layers, or made of one."""
        return _is_windowed(self.module)


class Scopes:
    """Follows the calls of modules.

    Parameters
    ----------
    root
        What is read: a module, or a function.
    """

    def __init__(self, root: Any) -> None:
        self._calls: list[Call] = []
        named = root.named_modules() if isinstance(root, nn.Module) else ()
        self._parts = [(_written(name), part) for name, part in named]
        self._names = {id(part): name for name, part in self._parts}
        # Held, since what has died may give its identity away.
        self._owners = {
            id(tensor): (name, part, tensor) for name, part in self._parts for tensor in part.parameters(recurse=False)
        }
        self._stopped: tuple[BaseException, str] | None = None
        self._ran: set[int] = set()

    @property
    def current(self) -> Call | None:
        """The innermost call, or ``None`` outside of all modules."""
        return self._calls[-1] if self._calls else None

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Follow the calls of all modules meanwhile."""
        hooks = (
            module.register_module_forward_pre_hook(self._enter),
            module.register_module_forward_hook(self._leave, always_call=True),
        )
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def named(self, operation: Operation, weight: Any) -> tuple[str, str]:
        """Return name and kind of the layer that an operation is: a module, or a function called by one."""
        call = self.current
        if call is not None and call.is_windowed:
            return call.name or class_name(call.module), class_name(call.module)
        owner = self._owners.get(id(weight))
        if owner is not None and _is_windowed(owner[1]):  # its forward was called past the module, or it is a script's
            self._ran.add(id(owner[1]))
            return owner[0], class_name(owner[1])
        within = "" if call is None else call.name
        return (f"{within}/{operation.name}" if within else operation.name), operation.name

    def stop(self, error: BaseException) -> None:
        """Remember in which call an error was raised: the innermost is told first."""
        if self._calls and (self._stopped is None or self._stopped[0] is not error):
            self._stopped = (error, self._calls[-1].name)

    def stopped_in(self, error: BaseException) -> str | None:
        """Return the name of the module in which an error was raised; ``None`` where that is not known."""
        return self._stopped[1] if self._stopped is not None and self._stopped[0] is error else None

    def missed(self) -> tuple[str, ...]:
        """Return the names of windowed layers that have not run."""
        windowed = ((name, part) for name, part in self._parts if _is_windowed(part))
        return tuple(name for name, part in windowed if id(part) not in self._ran)

    def _enter(self, part: Any, args: Any) -> None:  # noqa: ARG002  as torch calls it
        name = self._names.get(id(part))
        if name is None:  # made on the way
            within = self._calls[-1].name if self._calls else ""
            name = f"{within}/{class_name(part)}" if within else class_name(part)
        self._ran.add(id(part))
        self._calls.append(Call(part, name))

    def _leave(self, part: Any, args: Any, result: Any) -> None:  # noqa: ARG002  as torch calls it
        while self._calls and self._calls.pop().module is not part:
            pass  # a call inside that another hook cut short


def class_name(part: Any) -> str:
    """Return the name of a module's class, as its author wrote it."""
    original = getattr(part, "original_name", None)  # of a script
    return original if isinstance(original, str) else str(parametrize.type_before_parametrizations(part).__name__)


def _written(name: str) -> str:
    """Return a qualified name as the author of the model knows it: without the wrappers of what is compiled."""
    return ".".join(part for part in name.split(".") if part != "_orig_mod")


def _is_windowed(part: Any) -> bool:
    return isinstance(part, _WINDOWED) or getattr(part, "original_name", None) in _WINDOWED_NAMES
