"""Runs the forward pass once more, with more data each time, where its code looks at values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradverify.errors import ModelError, explain_error
from gradverify.models.torch.devices import Redirecting, looks_at_values
from gradverify.models.torch.factories import Factory, factory_of
from gradverify.models.torch.inputs import Inputs, inputs_of
from gradverify.models.torch.recording import Recorder
from gradverify.models.torch.scopes import class_name
from gradverify.spec.site import Model, Site

if TYPE_CHECKING:
    from gradverify.models.requests import TorchRequest

__all__ = ["attempted"]

# Where the module is made, and where tensors are that its forward pass makes. The input has data nowhere.
_DEVICES = (("meta", "meta"), ("cpu", "meta"), ("cpu", "cpu"))
_MOST_NAMES = 5


def attempted(request: TorchRequest) -> Model:
    """Return the windowed layers of a model, from the first attempt that nothing stops for want of data, or the last.

    Raises
    ------
    ModelError
        The factory makes nothing, or its forward pass comes to no windowed layer.
    """
    with Redirecting("cpu"):
        factory = factory_of(request)
    for made_on, run_on in _DEVICES:
        if made_on == "meta" and factory.is_made:
            continue
        subject = _made(factory, made_on)
        if subject is None:
            continue
        recorder, inputs = Recorder(subject, run_on), inputs_of(request, subject)
        error = _run(subject, inputs, recorder)
        if error is None or not looks_at_values(error):
            break
    return _model(recorder, inputs, error, (subject, request))


def _made(factory: Factory, device: str) -> Any:
    """Return what a factory makes on a device; ``None`` where it makes nothing without data.

    Raises
    ------
    ModelError
        It makes nothing at all.
    """
    try:
        with torch.device(device), Redirecting(device), torch.no_grad():
            subject = factory.make()
            return getattr(subject, "_orig_mod", subject)  # of a compiled module
    except ModelError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  code of the user, which may raise anything
        if device == "meta":
            return None
        raise ModelError(f"'{factory.call}' raised {explain_error(error, (factory.folder,))}") from None


def _run(subject: Any, inputs: Inputs, recorder: Recorder) -> BaseException | None:
    """Run the forward pass; returns what stopped it."""
    try:
        with torch.no_grad(), recorder.recording():
            subject(*inputs.positional, **inputs.named)
    except (Exception, SystemExit) as error:  # noqa: BLE001  code of the user, which may raise anything
        return error
    return None


def _model(recorder: Recorder, inputs: Inputs, error: BaseException | None, asked: tuple[Any, TorchRequest]) -> Model:
    if error is None:
        return Model(inputs=inputs.shapes, sites=tuple(recorder.sites))
    subject, request = asked
    stopped = [*recorder.sites] if recorder.refusal is None else [*recorder.sites, recorder.refusal]
    reason = _reason(recorder, error, request)
    if not stopped:
        raise ModelError(f"{reason}; no windowed layer was reached")
    op = class_name(subject) if isinstance(subject, torch.nn.Module) else getattr(subject, "__name__", "function")
    said = f"{reason}: what comes after '{stopped[-1].name}' was not reached{_missed(recorder)}"
    return Model(
        inputs=inputs.shapes,
        sites=(*stopped, Site(name=recorder.unique("not-reached"), op=op, problem=said)),
    )


def _reason(recorder: Recorder, error: BaseException, request: TorchRequest) -> str:
    said = explain_error(error, (request.folder,))
    if looks_at_values(error):
        return (
            f"the forward pass looks at values of what is computed from its input, and an audit has shapes only; {said}"
        )
    if recorder.refusal is not None:
        return f"'{recorder.refusal.name}' cannot run"
    within = recorder.scopes.stopped_in(error)
    return f"the forward pass raised {said}" if not within else f"the forward pass raised, in '{within}', {said}"


def _missed(recorder: Recorder) -> str:
    names = recorder.scopes.missed()
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f", which leaves out {', '.join(names[:_MOST_NAMES])}{more}"
