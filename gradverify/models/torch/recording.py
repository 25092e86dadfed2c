"""Records every windowed operation that a forward pass executes, whichever way it is called."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from gradverify.errors import describe_error
from gradverify.models.torch.calls import operation_called
from gradverify.models.torch.devices import looks_at_values, redirected, without_data
from gradverify.models.torch.drafts import Draft, drafted
from gradverify.models.torch.limits import describe_limit
from gradverify.models.torch.operations import Kind, bound
from gradverify.models.torch.scopes import Scopes
from gradverify.models.torch.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gradverify.models.torch.operations import Operation
    from gradverify.spec.site import Site

__all__ = ["Recorder"]

# Its windows slide over channels, where no border is lost.
_OVER_CHANNELS = torch.nn.functional.local_response_norm


class RefusedError(RuntimeError):
    """An operation that torch refuses where there are data, and not on the meta device."""


class Recorder:
    """The windowed operations of one forward pass, in their order.

    Parameters
    ----------
    root
        What is read: a module, or a function.
    device
        Where tensors are made whose code names a device.
    """

    def __init__(self, root: Any, device: str) -> None:
        self.scopes = Scopes(root)
        self.sites: list[Site] = []
        self.refusal: Site | None = None
        self._device = device
        self._traces = Traces()
        self._names: set[str] = set()
        self._explained = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what runs meanwhile."""
        with ExitStack() as stack:
            for context in (torch.device(self._device), self.scopes.followed(), _Functions(self), _Operations(self)):
                stack.enter_context(context)
            yield

    def function(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run a function of torch, and record it where it has windows."""
        moved = redirected(function, args, kwargs, self._device)
        if moved is None:
            return args[0]
        args, kwargs = moved
        operation = operation_called(function)
        if operation is not None:
            return self._observed(operation, bound(operation, args, kwargs), lambda: function(*args, **kwargs))
        result = self._unrecorded(function, args, kwargs)
        if function is torch.nn.functional.pad:
            self._pad(result, *args, **kwargs)
        return result

    def _unrecorded(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        try:
            with self._explaining(self._explained or function is _OVER_CHANNELS):
                return without_data(function, args, kwargs)
        except Exception as error:
            self.scopes.stop(error)
            raise

    def operation(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation of aten, and record it where it has windows and no function that was called explains it."""
        operation = None if self._explained else operation_called(function)
        if operation is None:
            result = without_data(function, args, kwargs)
        else:
            given = bound(operation, args, kwargs)
            result = self._observed(operation, given, lambda: without_data(function, args, kwargs))
        self._traces.follow(function, args, result, self.scopes.current)
        return result

    def unique(self, name: str) -> str:
        """Return a name that no layer has: with its number, where one has."""
        free, number = name, 1
        while free in self._names:
            number += 1
            free = f"{name}#{number}"
        self._names.add(free)
        return free

    def _observed(self, operation: Operation, arguments: Mapping[str, Any], call: Callable[[], Any]) -> Any:
        """Run a windowed operation, and record it.

        Raises
        ------
        RefusedError
            Torch would refuse it if there were data; what torch raises itself is passed on.
        """
        if not isinstance(arguments.get("input"), torch.Tensor):
            return call()
        draft = drafted(operation, arguments, self._traces.of(arguments["input"]), self.scopes)
        try:
            with self._explaining(True):
                result = call()
        except Exception as error:
            if not looks_at_values(error):
                self._refuse(draft, describe_error(error).partition("\n")[0])
            raise
        reason = draft.doubt or draft.impossible or describe_limit(draft.operation, draft.arguments, draft.windows)
        if reason is not None:
            self._refuse(draft, reason)
            raise RefusedError(reason)
        self._record(draft, result)
        return result

    def _record(self, draft: Draft, result: Any) -> None:
        site = draft.site(result)
        self.sites.append(replace(site, name=self.unique(site.name)))
        if draft.operation.kind is Kind.SLICES:
            axis = int(draft.arguments["dimension"]) % len(draft.shape) - len(draft.shape)
            self._traces.slices(result, draft.arguments["input"], axis)

    def _refuse(self, draft: Draft, reason: str) -> None:
        refused = draft.refused(f"torch refuses it: {reason}")
        self.refusal = replace(refused, name=self.unique(refused.name))

    def _pad(self, padded: Any, input: Any, pad: Any, *_: Any, **__: Any) -> None:  # noqa: A002  as torch calls it
        """Remember a padding; of one that goes round, aten knows copies only."""
        numbers = [number for number in pad if isinstance(number, int)]
        if isinstance(padded, torch.Tensor) and len(numbers) == len(pad):
            self._traces.pad(padded, input, numbers, self.scopes.current)

    @contextmanager
    def _explaining(self, explained: bool) -> Iterator[None]:
        """Record nothing meanwhile, where what runs is explained already."""
        before, self._explained = self._explained, explained
        try:
            yield
        finally:
            self._explained = before


class _Functions(TorchFunctionMode):  # type: ignore[misc]  # torch is not followed
    """Shows a recorder the functions that user code calls; what they call in turn it does not show."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._recorder.function(func, args, kwargs or {})


class _Operations(TorchDispatchMode):  # type: ignore[misc]  # torch is not followed
    """Shows a recorder the operations that functions and scripts come down to."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunction():  # noqa: SLF001  what torch's own code calls is nobody's function
            return self._recorder.operation(func, args, kwargs or {})
