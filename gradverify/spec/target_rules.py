"""The part of the language that says what is verified: functions, an object, or what torch or jax differentiate."""

from __future__ import annotations

from gradverify.spec.grammar import Either, Field, ListOf, Plain, Rule, Section, Table
from gradverify.spec.presets import PRESETS
from gradverify.spec.scalars import Called, Choice, Flag, Real, Text
from gradverify.spec.target_model import FRAMEWORKS

__all__ = ["RETURNS", "TARGET_FIELDS"]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_STEP = rf"\.{_NAME}|\[[0-9]+\]|\[[A-Za-z0-9_]+\]|\['[^'\]]+'\]"
_WHAT = "module:function or file.py:function, as in mylayers:conv_forward"

_TEXT_CALL = Called(_WHAT)
_FILE = Section("a function in a file", {"file": Field(_TEXT_CALL, "file.py:function, relative to the spec", True)})
_CALL = Either(_WHAT, (_TEXT_CALL, _FILE))
_CLASS = Called("module:Class or file.py:Class, as in layers:Dense(5, 3)")
_METHOD = Called("a method's name, with or without arguments, as in forward(x)", method=True)
_METHODS = Either("a method, or a list of methods", (_METHOD, ListOf(_METHOD, "a list of methods", 1)))
_PATH = Text("a path like weights, params.W or params[0]", rf"(?:{_NAME}|\[[0-9]+\])(?:{_STEP})*")
_INPUT_NAME = Text("an input's name", _NAME)

RETURNS = ListOf(
    Text("out, out2, ..., cache, grad, grad2, ... or _", r"(out|grad)([2-9]|[1-9][0-9])?|cache|_"),
    "a list of out, out2, ..., cache, grad, grad2, ... and _",
    1,
)
_GRADIENTS = Either(
    "a list of inputs in the order in which backward returns their gradients, or a mapping from inputs to paths",
    (
        ListOf(Text("an input's name, or _", _NAME), "a list of input names and _", 1),
        Table(_PATH, "a mapping from inputs to paths", _INPUT_NAME),
    ),
)
_SHARED = {
    "backward": Field(_CALL, "backward(dout, cache)"),
    "derivative": Field(_CALL, "in place of backward: the derivative of every entry, multiplied with the cotangent"),
    "returns": Field(RETURNS, "names what forward returns"),
    "gradients": Field(_GRADIENTS, "where in what backward returns each gradient is"),
}

_FUNCTIONS = Section(
    "functions",
    {
        "forward": Field(_CALL, "forward(*inputs, **params), as module:function", required=True),
        **_SHARED,
        "globals": Field(
            ListOf(_INPUT_NAME, "a list of inputs", 1), "inputs that are global names of the module, and no arguments"
        ),
        "arrays": Field(Choice("a kind of array", ("numpy", *FRAMEWORKS)), "what the functions compute with (numpy)"),
    },
    example=" {forward: module:function, backward: module:function}",
)

_PARAMETER = Either(
    "a path like params.W, or {value: path, gradient: path}",
    (
        _PATH,
        Section(
            "a parameter",
            {
                "value": Field(_PATH, "where its array is", required=True),
                "gradient": Field(_PATH, "where its gradient is; returned[0] is in what backward returned"),
                "update": Field(
                    Either("a number, or a parameter's name", (Real(), Text("a name"))),
                    "the rate, where backward takes rate * gradient off the value",
                ),
            },
        ),
    ),
)
_OBJECT = Section(
    "an object",
    {
        "class": Field(
            Either(_CLASS.what, (_CLASS, _FILE)),
            "what makes the object; without arguments it gets params by name",
            required=True,
        ),
        "preset": Field(Choice("a preset", tuple(PRESETS)), "the convention for what is not said here (auto)"),
        "attributes": Field(
            Table(Plain(), "a mapping from paths to values", _PATH), "values to set after the object was made"
        ),
        "setup": Field(_METHODS, "methods to call after the object was made"),
        "forward": Field(_METHOD, "the method that runs forward"),
        "backward": Field(_METHOD, "the method that runs backward"),
        "derivative": Field(_METHOD, "in place of backward: a method that returns the derivative of every entry"),
        "after": Field(_METHODS, "methods to call after backward, that leave more gradients"),
        "returns": _SHARED["returns"],
        "gradients": Field(_GRADIENTS, "where each gradient is: on the object, or in what backward returned"),
        "output": Field(_PATH, "where forward leaves its output, when it returns nothing"),
        "parameters": Field(
            Table(_PARAMETER, "a mapping from inputs to paths", _INPUT_NAME),
            "inputs that are parameters of the object, and where it keeps them",
        ),
        "reset": Field(_METHODS, "make one object ready for the next forward pass; left out, each pass has its own"),
        "discover": Field(Flag(), "false: verify only the parameters that are named (true)"),
        "constants": Field(ListOf(_PATH, "a list of paths", 1), "arrays of the object that are no parameters"),
    },
    example=" {class: module:Class, ...}",
)
_FRAMEWORK = {
    "call": Field(_CALL, "a function, an autograd.Function or a Module, or what makes a Module", required=True),
}
_TORCH = Section(
    "a torch target",
    {
        **_FRAMEWORK,
        "forward": Field(_METHOD, "the module's method, with or without arguments (forward)"),
        "device": Field(Text("a device like cpu or cuda:0", r"[a-z]+(:[0-9]+)?"), "where it computes (cpu)"),
        "parameters": Field(
            Table(Text("a parameter's name, as in 0.weight"), "a mapping from inputs to names", _INPUT_NAME),
            "inputs that are parameters of the module, and what it calls them",
        ),
        "discover": Field(Flag(), "false: verify only the parameters that are named (true)"),
    },
)
_JAX = Section("a jax target", _FRAMEWORK)


def _short(section: Section, alone: Called) -> Rule:
    """Return a rule for a section of which only the call matters, mostly."""
    return Either(f"{alone.what}, or a mapping", (alone, section))


TARGET_FIELDS = {
    "functions": Field(_FUNCTIONS, "target: your own forward and backward"),
    "object": Field(_short(_OBJECT, _CLASS), "target: an object with forward and backward methods"),
    "torch": Field(_short(_TORCH, _TEXT_CALL), "target: what torch differentiates"),
    "jax": Field(_short(_JAX, _TEXT_CALL), "target: what jax differentiates"),
}
