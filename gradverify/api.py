"""The Python face: what a spec says in YAML, said in a test file with functions, objects and arrays at hand."""

from __future__ import annotations

import copy
import inspect
import io
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify import __version__
from gradverify.checks.case import verify_subject
from gradverify.checks.conditions import conditions_of
from gradverify.checks.data import inputs_of
from gradverify.checks.subject import subject_with
from gradverify.errors import GradientsError, TargetError, UsageError
from gradverify.pipeline import Policy, policy_for, settle
from gradverify.reporters import Appearance, reporter
from gradverify.results import Report, Verdict, counts_of, exit_code_of, verdict_of
from gradverify.spec.cases import FileContext, read_cases
from gradverify.spec.expansion import expand
from gradverify.spec.model import Case, Spec
from gradverify.spec.nodes import Position, Problems, node_of
from gradverify.spec.target_model import FrameworkTarget, FunctionsTarget, ObjectTarget
from gradverify.targets.attributes import arrays_in, shares_memory
from gradverify.targets.loading import framework_target, function_pair
from gradverify.targets.scouting import load_object

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gradverify.checks.subject import Subject
    from gradverify.targets.protocol import Target

    Inputs = Mapping[str, ArrayLike] | Sequence[ArrayLike]

__all__ = ["assert_gradients", "check"]

_WIDTH = 100
# Keys of a case that say something about a target, and so stand in its section.
_OF_FUNCTIONS = ("returns", "gradients", "arrays", "globals")
_OF_FRAMEWORKS = ("device", "parameters", "discover")
_OF_OBJECTS = (
    "returns",
    "gradients",
    "preset",
    "attributes",
    "setup",
    "after",
    "output",
    "parameters",
    "reset",
    "discover",
)


def check(
    forward: Any,
    backward: Callable[..., Any] | str | None = None,
    inputs: Inputs | None = None,
    **options: Any,
) -> Report:
    """Compare the analytic gradients of a layer with numerical ones, in this process.

    Parameters
    ----------
    forward
        ``forward(*inputs, **params)``: returns one array, ``(out, cache)``, or what ``returns`` names. Or an object
        that has methods ``forward`` and ``backward``; it is copied, never changed. Or a torch ``Module`` or
        ``autograd.Function``.
    backward
        ``backward(dout, cache)``, or ``backward(dout, *inputs, **params)`` where forward returns no cache: returns the
        gradients in the order of the inputs, or by name. ``None`` where forward returns its own gradient
        (``returns=["out", "grad"]``). For an object: its backward method as a call, ``"backward(dout)"``.
    inputs
        Arrays by name, or in order; in any shape, of dtype float64, float32, float16 or longdouble. Integers and truth
        values are constants.
    **options
        ``framework``, ``"torch"`` or ``"jax"`` for a function that it differentiates (a ``Module`` or an
        ``autograd.Function`` is known as such); ``params``, a mapping of keyword arguments; ``constants``, names of
        inputs without a gradient; ``elementwise``, whether backward returns the derivative of every entry; ``call``,
        for an object or module its forward method as a call; ``rtol`` and ``atol``; and every key of a case in a spec
        that says how it is verified: ``name``, ``returns``, ``gradients``, ``cotangent``, ``scale``, ``geometry``,
        ``checks``, ``expect``, ``seed``, ``method``, ``max_passes``, ``strict``, ``fail_on``, and for objects
        ``preset``, ``attributes``, ``setup``, ``after``, ``output``, ``parameters``, ``reset`` and ``discover``. With
        ``battery`` every case of it runs; then inputs are left out, or say which of the battery's they are, as in
        ``{"x": "$x"}``. With ``reference`` outputs and gradients are compared with another layer's.

    Returns
    -------
    Report
        One case, or one for each row of the battery, with a verdict and what was found about every gradient. Code that
        raises has the verdict ``error``.

    Raises
    ------
    UsageError
        The options contradict each other, or one is unknown; the message lists every problem.
    """
    started = time.perf_counter()
    caller = sys._getframe(1)  # noqa: SLF001  the report names the place that asked, as pytest does
    if caller.f_globals.get("__name__") == __name__:
        caller = caller.f_back or caller
    arrays = {} if "battery" in options else _arrays(inputs, forward)
    options |= {"inputs": inputs} if "battery" in options and inputs is not None else {}
    call = _Asked(forward, backward, arrays, dict(options), (caller.f_code.co_filename, caller.f_lineno))
    cases = call.cases()
    with _generators_kept():
        results = tuple(
            settle(verify_subject(case, partial(call.subject, case)), policy_for(case, Policy())) for case in cases
        )
    verdict = verdict_of(results)
    return Report(
        version=__version__,
        command="check",
        verdict=verdict,
        exit_code=exit_code_of(verdict),
        seed=cases[0].seed,
        seconds=time.perf_counter() - started,
        counts=counts_of(results),
        cases=results,
        conditions=conditions_of(results),
    )


@contextmanager
def _generators_kept() -> Iterator[None]:
    """Leave the global generators of the caller as they were: passes seed them."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002  what code draws from that has no other
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002  as above


def assert_gradients(
    forward: Any,
    backward: Callable[..., Any] | str | None = None,
    inputs: Inputs | None = None,
    **options: Any,
) -> Report:
    """Assert that every gradient passes; takes what :func:`check` takes and returns its report.

    Raises
    ------
    GradientsError
        Some gradient is wrong or cannot be judged, or the code raised. Also an ``AssertionError``; its text is the
        report as the command line prints it.
    UsageError
        As of :func:`check`.
    """
    __tracebackhide__ = True  # pytest shows the line that asserts, and the report
    report = check(forward, backward, inputs, **options)
    if report.verdict is not Verdict.PASS:
        raise GradientsError(_readable(report), report)
    return report


def _readable(report: Report) -> str:
    stream = io.StringIO()
    written = reporter("terminal", stream, Appearance(color=False, width=_WIDTH))
    written.finish(report)
    return stream.getvalue().strip()


def _arrays(inputs: Inputs | None, forward: Any) -> dict[str, NDArray[Any]]:
    """Return the inputs by name as arrays of their own; those in order are named as forward names them."""
    if inputs is None:
        raise UsageError("there are no inputs, expected arrays by name, as in inputs={'x': x}")
    if not isinstance(inputs, Mapping):
        inputs = dict(zip(_names(forward, len(inputs)), inputs, strict=False))
    return {name: _array(name, value) for name, value in inputs.items()}


def _array(name: str, value: Any) -> NDArray[Any]:
    try:
        array = np.array(_detached(value))
    except (TypeError, ValueError) as error:
        raise UsageError(f"the input '{name}' is no array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise UsageError(f"the input '{name}' is {array.dtype}, expected real numbers")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _detached(value: Any) -> Any:
    """Return a torch tensor as an array, and everything else as it is."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _names(forward: Any, count: int) -> list[str]:
    """Return the names that a function gives to its first arguments, or x0, x1, ..."""
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]  # nothing to iterate over
    named = [item.name for item in parameters if item.kind in {item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD}]
    return named[:count] if len(named) >= count else [f"x{number}" for number in range(count)]


class _Asked:
    """A call of :func:`check` as the case that a spec would hold.

    Parameters
    ----------
    forward, backward, inputs, options
        As given.
    place
        File and line of the caller.
    """

    def __init__(
        self,
        forward: Any,
        backward: Any,
        inputs: dict[str, NDArray[Any]],
        options: dict[str, Any],
        place: tuple[str, int],
    ) -> None:
        self.forward = forward
        self.backward = backward
        self.inputs = inputs
        self.params = dict(options.pop("params", None) or {})
        self.constants = tuple(options.pop("constants", ()))
        self.elementwise = bool(options.pop("elementwise", False))
        self.call = options.pop("call", None)
        self.framework = options.pop("framework", None) or _framework_of(forward)
        self.options = options
        self.place = place
        returned = "grad" in (options.get("returns") or ())
        if self.framework is not None and backward is not None:
            raise UsageError(
                f"{self.framework} differentiates forward itself, expected no backward; where yours "
                f"computes with its arrays, say arrays={self.framework!r} in place of framework"
            )
        unused = [name for name in ("sweep", "timeout", "memory", "implementation", "layer") if name in options]
        if unused:
            raise UsageError(f"'{unused[0]}' belongs to a spec, expected none here")
        if isinstance(forward, type) and self.framework is None and backward is None:
            raise UsageError(f"{forward.__name__} is a class, expected an object of it")
        self.is_object = not returned and self.framework is None and (backward is None or isinstance(backward, str))

    def cases(self) -> tuple[Case, ...]:
        """Return the case, or those of its battery, read by the rules of the spec.

        Raises
        ------
        UsageError
            Something in it is wrong.
        """
        file, line = self.place
        problems = Problems(file)
        found = read_cases(node_of(self._keys(), Position(line, 1)), FileContext(file, "", {}, ()), problems)
        if problems:
            raise UsageError("; ".join(message for _, message in problems.found))
        return expand(Spec(file=file, seed=found[0].seed, cases=found))

    def _keys(self) -> dict[str, Any]:
        """Return the keys of the case."""
        options = dict(self.options)
        known = _OF_OBJECTS if self.is_object else _OF_FUNCTIONS if self.framework is None else _OF_FRAMEWORKS
        section = {name: options.pop(name) for name in known if name in options}
        tolerance = {name: options.pop(name) for name in ("rtol", "atol") if options.get(name) is not None}
        unknown = [name for name in self.constants if name not in self.inputs]
        if unknown:
            raise UsageError(f"constants: there is no input '{unknown[0]}', expected names of inputs")
        inputs = {
            name: {
                "shape": list(array.shape),
                "dtype": "longdouble" if array.dtype == np.longdouble else array.dtype.name,
                "init": "zeros",
            }
            | ({"grad": False} if name in self.constants else {})
            for name, array in self.inputs.items()
        }
        return {
            "name": _name_of(self.forward),
            **self._target(section),
            **({} if "battery" in options else {"inputs": inputs}),
            "params": self.params,
            **({"tolerance": tolerance} if tolerance else {}),
            **options,
        }

    def _target(self, section: dict[str, Any]) -> dict[str, Any]:
        if self.framework is not None:
            return {
                self.framework: {
                    "call": f"python:{_name_of(self.forward)}",
                    **_given({"forward": self.call}),
                    **section,
                }
            }
        if self.is_object:
            methods = {"forward": self.call, "backward": self.backward}
            if self.elementwise:
                methods["derivative"] = methods.pop("backward")
            return {"object": {"class": f"python:{_name_of(self.forward)}()", **_given(methods), **section}}
        role = "derivative" if self.elementwise else "backward"
        backward = None if self.backward is None else f"python:{_name_of(self.backward)}"
        return {"functions": {"forward": f"python:{_name_of(self.forward)}", **_given({role: backward}), **section}}

    def subject(self, case: Case) -> Subject:
        """Return the subject of the case: its own functions or object, and its own arrays."""
        arrays = self.inputs if case.placed is None else inputs_of(case)
        return subject_with(case, arrays, lambda inputs, names: self._loaded(case, inputs, names))

    def _loaded(self, case: Case, inputs: dict[str, NDArray[Any]], differentiable: tuple[str, ...]) -> Target:
        params = _at_row(self.params, case.params)
        if isinstance(case.target, FrameworkTarget):
            return framework_target(self.forward, case, inputs, params, differentiable)
        if isinstance(case.target, ObjectTarget):
            if shares_memory([array for _, array in arrays_in(self.forward)]):
                raise TargetError("arrays of the object are views of one another, which a copy undoes; use a spec")
            return load_object(lambda: copy.deepcopy(self.forward), case, inputs, params, differentiable)
        assert isinstance(case.target, FunctionsTarget)  # noqa: S101  one of the two was asked for
        return function_pair(self.forward, self.backward, case.target, params, differentiable)


def _at_row(given: Any, placed: Any) -> Any:
    """Return parameters as they were given, objects among them, with a row's values for the names of a battery."""
    if isinstance(given, Mapping):
        return {name: _at_row(value, placed[name]) for name, value in given.items()}
    if isinstance(given, (list, tuple)):
        return type(given)(_at_row(*pair) for pair in zip(given, placed, strict=True))
    return placed if isinstance(given, str) else given


def _framework_of(forward: Any) -> str | None:
    """Return ``torch`` for one of its modules, or a class of its functions with a backward of its own."""
    torch = sys.modules.get("torch")  # who has such a thing has imported it
    if torch is None:
        return None
    is_function = isinstance(forward, type) and issubclass(forward, torch.autograd.Function)
    return "torch" if is_function or isinstance(forward, torch.nn.Module) else None


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _name_of(value: Any) -> str:
    """Return a name for a function or object, as a path without what stands in brackets: ``<locals>``, ``<lambda>``."""
    name = getattr(value, "__qualname__", None) or type(value).__qualname__
    parts = (part.strip("<>") for part in name.split("."))
    return ".".join(part for part in parts if part.isidentifier() and part != "locals") or "forward"
