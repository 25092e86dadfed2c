"""Which methods of an object run forward and backward, and with what, where the spec leaves that open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gradverify.errors import TargetError, nearest_name
from gradverify.spec.calls import Items, Literal, Name
from gradverify.targets.signatures import Signature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradverify.spec.calls import Argument, Arguments, Call
    from gradverify.spec.presets import Preset

__all__ = [
    "Descent",
    "Known",
    "Method",
    "backward_method",
    "forward_method",
    "same_argument",
    "several_outputs",
]

UNIT = 1.0
_NO_COTANGENTS = {"data", "debug", "decay", "deriv", "derivative", "derived", "dim", "dims", "dropout", "dtype"}


class Descent:
    """An optimizer that takes the gradient off the parameter, so that the difference of two values is the gradient."""

    def update(self, parameter: Any, gradient: Any) -> Any:
        """Return the parameter less its gradient."""
        return parameter - gradient

    __call__ = update


@dataclass(frozen=True, slots=True)
class Method:
    """A method with its arguments.

    Attributes
    ----------
    rate
        The rate at which backward takes gradients off parameters, or the name of the parameter that holds it; ``None``
        where it does not.
    elementwise
        Whether it returns the derivative of every entry.
    """

    name: str
    arguments: Arguments
    rate: str | float | None = None
    elementwise: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """The names of a case that a method's arguments may be, and the names to look for."""

    inputs: tuple[str, ...]
    params: tuple[str, ...]
    preset: Preset


def _method_name(layer: Any, call: Call | None, names: tuple[str, ...], role: str) -> str | None:
    if call is not None:
        if not callable(getattr(layer, call.path.split(".")[0], None)) and "." not in call.path:
            raise TargetError(f"there is no method '{call.path}' in {_kind(layer)}, {_hint(layer, call.path)}")
        return call.path
    # Of its class, not of the object: an attribute may be the function of another layer.
    defined = {name for kind in type(layer).__mro__ for name in vars(kind)}
    usable = [name for name in dir(layer) if name in defined and callable(_attribute(layer, name))]
    found = next((name for name in names if name in usable), None) or _by_prefix(usable, names)
    if found is None and role:
        raise TargetError(
            f"{_kind(layer)} has no {role} method that is known, name one with {role}: {_hint(layer, '')}"
        )
    return found


def _by_prefix(usable: list[str], names: tuple[str, ...]) -> str | None:
    """Return the only method whose name begins as the first name that is known: ``forw_prop``, ``back_prop_step``."""
    start = names[0][:4].lower() if names else ""
    like = [name for name in usable if start and name.lower().startswith(start)]
    return like[0] if len(like) == 1 and start in {"forw", "back"} else None


def _attribute(layer: Any, name: str) -> Any:
    """Return an attribute, or ``None`` where there is none, or a property that raises."""
    try:
        return getattr(layer, name, None)
    except Exception:  # noqa: BLE001  a property is user code
        return None


def _kind(layer: Any) -> str:
    return f"the {type(layer).__name__}"


def _hint(layer: Any, name: str) -> str:
    methods = (item for item in dir(layer) if not item.startswith("_"))
    return nearest_name(name, tuple(item for item in methods if callable(_attribute(layer, item))))


def forward_method(
    layer: Any, call: Call | None, free: tuple[str, ...], known: Known
) -> tuple[Method, tuple[str, ...]]:
    """Return the forward method and the inputs that it takes; the other free inputs are parameters.

    Parameters
    ----------
    layer
        The object.
    call
        As the spec has it, or ``None``.
    free
        Inputs that neither the constructor takes nor the spec calls parameters.
    known
        Names of the case and of the preset.
    """
    name = _method_name(layer, call, known.preset.forward, "forward")
    assert name is not None  # noqa: S101  it is looked for until found
    if call is not None and call.arguments is not None:
        return Method(name, call.arguments), tuple(item for item in free if item in call.names)
    signature = Signature.of(getattr(layer, name))
    if signature.open and not signature.required:
        return Method(name, tuple((None, Name(item)) for item in free)), free
    arguments, taken = _filled(signature.required, list(free), known)
    for item in free:
        if item in signature.optional and item not in taken:
            arguments.append((item, Name(item)))
            taken.append(item)
    extra: list[tuple[str | None, Argument]] = [
        (item, Name(item)) for item in known.params if item in signature.optional
    ]
    for item, value in known.preset.flags:  # what is verified is the pass that trains
        said = signature.optional.get(item, value)
        if item not in known.params and (said is None or said is (not value)):
            extra.append((item, Literal(value)))
    return Method(name, (*arguments, *extra)), tuple(taken)


def _filled(
    required: tuple[str, ...], values: list[str], known: Known
) -> tuple[list[tuple[str | None, Argument]], list[str]]:
    """Return arguments for what a method must be given: by name where the case knows it, else from values in order."""
    flags = dict(known.preset.flags)
    by_name = [name for name in required if name in values]
    queue = [value for value in values if value not in by_name]
    arguments: list[tuple[str | None, Argument]] = []
    taken: list[str] = []
    for name in required:
        if name in by_name or (name in known.params and name not in values):
            arguments.append((None, Name(name)))
            taken.extend([name] if name in by_name else [])
        elif name in flags:
            arguments.append((None, Literal(flags[name])))
        elif queue:
            taken.append(queue.pop(0))
            arguments.append((None, Name(taken[-1])))
        else:
            listed = ", ".join(required)
            raise TargetError(f"nothing is known for '{name}' of ({listed}), expected a call that says what it takes")
    return arguments, taken


def backward_method(
    layer: Any, call: Call | None, forward: Method, known: Known, outputs: tuple[int, bool, bool]
) -> Method | None:
    """Return the backward method; ``None`` where there is none.

    Parameters
    ----------
    layer, call, known
        As of :func:`forward_method`.
    forward
        The forward method: a derivative takes what it takes.
    outputs
        How many outputs there are, whether they are one number, and whether forward returned a cache.
    """
    count, scalar, cached = outputs
    name = _method_name(layer, call, known.preset.backward, "")
    if name is None:
        name = _method_name(layer, None, tuple(item for item in known.preset.derivative if item != forward.name), "")
        return None if name is None else Method(name, forward.arguments, elementwise=True)
    if call is not None and call.arguments is not None:
        return Method(name, call.arguments)
    signature = Signature.of(getattr(layer, name))
    weights = [f"dout{number or ''}" for number in (0, *range(2, count + 1))]
    if count > 1 and len(_cotangents(signature)) == count:
        optional = {name: value for name, value in signature.optional.items() if name not in _cotangents(signature)}
        others = (name for name in signature.required if name not in _cotangents(signature))
        signature = replace(signature, required=(*_cotangents(signature), *others), optional=optional)
    if not signature.required:
        return _without_requirements(name, signature, weights, known, scalar=scalar)
    return _with_requirements(name, signature, [*weights, *(["cache"] if cached else [])], known, scalar=scalar)


def several_outputs(layer: Any, call: Call | None, preset: Preset, result: Any) -> tuple[str, ...] | None:
    """Return names for what forward returned, where backward takes a cotangent for more than one part of it.

    A tuple of two is an output and a cache, unless the arguments of backward say that it is two outputs.
    """
    name = _method_name(layer, call, preset.backward, "")
    if name is None or not isinstance(result, tuple):
        return None
    if call is not None and call.arguments is not None:
        count = sum(item.startswith("dout") for item in call.names)
    else:
        count = len(_cotangents(Signature.of(getattr(layer, name))))
    if count < 2 or not count <= len(result) <= count + 1:
        return None
    outputs = ("out", *(f"out{number}" for number in range(2, count + 1)))
    return (*outputs, "cache")[: len(result)]


def _cotangents(signature: Signature) -> tuple[str, ...]:
    """Return the arguments of backward that are cotangents, those with a default too: dh=None is one."""
    optional = (item for item, default in signature.optional.items() if default is None)
    return tuple(item for item in (*signature.required, *optional) if _is_cotangent(item))


def same_argument(layer: Any, forward: str, backward: str) -> bool:
    """Return whether two methods take one argument each, and call it the same."""
    one, other = (Signature.of(getattr(layer, name)).required for name in (forward, backward))
    return len(one) == 1 and one == other


def _is_cotangent(name: str) -> bool:
    """Return whether people call a cotangent so: ``dh``, ``dnext_c``, ``grad_h``, ``delta``."""
    lower = name.lower()
    return (lower.startswith("d") and lower not in _NO_COTANGENTS) or "grad" in lower or "delta" in lower


def _without_requirements(name: str, signature: Signature, weights: list[str], known: Known, *, scalar: bool) -> Method:
    """Return a backward that can be called with nothing: a loss is, and is then the gradient of its sum."""
    rates = [item for item in signature.optional if item in known.preset.rates]
    first = next((item for item in signature.optional if item not in rates and item not in known.inputs), None)
    takes = signature.open or (first is not None and not (scalar and signature.optional[first] in (None, 1)))
    given: Arguments = tuple((None, Name(weight)) for weight in weights) if takes else ()
    return _rated(Method(name, given), signature.optional, known)


def _with_requirements(name: str, signature: Signature, values: list[str], known: Known, *, scalar: bool) -> Method:
    """Return a backward that must be given something: inputs by name, unless it is all it gets."""
    # the only argument of a loss is its labels; of a layer, the cotangent, whatever it is called
    named = len(signature.required) > 1 or scalar
    rates = [item for item in signature.required if item in known.preset.rates]
    by_name = (item for item in known.inputs if item in signature.required and named)
    arguments, _ = _filled(signature.required, values, Known((), (*known.params, *by_name, *rates), known.preset))
    weights = [value for value in values if value.startswith("dout")]
    if len(weights) > 1 and not any(Name(weight) in (value for _, value in arguments) for weight in weights[1:]):
        # One argument for several cotangents is a list of them.
        together = Items(tuple(map(Name, weights)), mutable=True)
        arguments = [(key, together if value == Name(weights[0]) else value) for key, value in arguments]
    return _rated(Method(name, tuple(arguments)), [*rates, *signature.optional], known)


def _rated(method: Method, named: Iterable[str], known: Known) -> Method:
    """Return the method with a rate of 1 where it takes one that the case does not set."""
    rate = next((item for item in named if item in known.preset.rates), None)
    if rate is None:
        return method
    if rate in known.params:
        given = any(isinstance(value, Name) and value.text == rate for _, value in method.arguments)
        arguments = method.arguments if given else (*method.arguments, (rate, Name(rate)))
        return Method(method.name, arguments, rate=rate)
    others = tuple(item for item in method.arguments if item[1] != Name(rate))
    return Method(method.name, (*others, (rate, Literal(UNIT))), rate=UNIT)
