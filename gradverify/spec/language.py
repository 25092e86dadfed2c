"""The language of the spec: which keys there are and what each may hold. The JSON Schema is made from these rules."""

from __future__ import annotations

import re
from dataclasses import replace

from gradverify.layers.batteries import BATTERIES
from gradverify.layers.registry import LAYERS, Kind
from gradverify.results import FailOn
from gradverify.spec.contract_table import CONTRACTS, LEVELS
from gradverify.spec.grammar import Either, Field, ListOf, Plain, Rule, Section, Table
from gradverify.spec.model import COTANGENTS, DTYPES, LARGEST_MEMORY, METHODS, SHIMS, Check, Fill
from gradverify.spec.network_language import ALLOWANCE, NETWORK
from gradverify.spec.scalars import Choice, Flag, Real, Text, Whole
from gradverify.spec.target_rules import RETURNS, TARGET_FIELDS

__all__ = ["BATTERY", "CASE", "EITHER_INPUT", "HEADER", "INTEGER_DTYPES", "PARAMETER_RULES", "RANGE", "SPEC", "TARGETS"]

INTEGER_DTYPES = ("int64", "int32", "int16", "int8", "uint8", "bool")
TARGETS = ("layer", *TARGET_FIELDS, "network")

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# Control characters, and what else breaks a line or stands for nothing.
_VISIBLE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+"


def _named(what: str) -> Rule:
    return Text(f"{what}, of letters, digits and _", _NAME)


def _pair_of(item: Rule, what: str) -> Rule:
    return Either(what, (item, ListOf(item, "a pair [vertical, horizontal]", 2, 2)))


def _statistic(item: Rule, what: str) -> Rule:
    return Either(what, (item, ListOf(item, what, 1)))


PARAMETER_RULES: dict[Kind, Rule] = {
    Kind.EXTENT: _pair_of(Whole(1), Kind.EXTENT.value),
    Kind.PADDING: _pair_of(Whole(0), Kind.PADDING.value),
    Kind.COUNT: Whole(1),
    Kind.SEED: Whole(0),
    Kind.REAL: Real(),
    Kind.POSITIVE: Real(above=0),
    Kind.FRACTION: Real(above=0, maximum=1),
    Kind.MOMENTUM: Real(minimum=0, maximum=1),
    Kind.MODE: Choice("a mode", ("train", "test")),
    Kind.STATISTIC: _statistic(Real(), Kind.STATISTIC.value),
    Kind.VARIANCE: _statistic(Real(minimum=0), Kind.VARIANCE.value),
}

_TOLERANCE = Section(
    "a tolerance",
    {
        "rtol": Field(Real(minimum=0), "relative to the larger of analytic and numerical"),
        "atol": Field(Real(minimum=0), "relative to the largest entry of the gradient"),
    },
    example=" {rtol: ..., atol: ...}",
)
_SHAPE = ListOf(
    Either("a whole number of at least 1, or a name from dims", (Whole(1), Text("a name from dims", rf"\$?{_NAME}"))),
    "a shape: a list of whole numbers or names from dims",
    longest=16,
)
_FILE = Field(Text("data.npz:key or data.npy", _VISIBLE, 1000), "the data, from a NumPy file")
_INPUT = Section(
    "an input",
    {
        "shape": Field(_SHAPE, "lengths, or names from dims"),
        "init": Field(
            Choice("an init", tuple(fill.value for fill in Fill if fill not in {Fill.VALUES, Fill.FILE})),
            "how the data are made",
        ),
        "mean": Field(Real(), "normal: mean (0)"),
        "std": Field(Real(above=0), "normal: standard deviation (1)"),
        "low": Field(Real(), "uniform, integers: least value (0)"),
        "high": Field(Real(), "uniform, integers: upper end, exclusive"),
        "values": Field(Plain("the data, as nested lists of numbers"), "the data themselves"),
        "file": _FILE,
        "dtype": Field(Choice("a dtype", (*DTYPES, *INTEGER_DTYPES)), "overrides the case's"),
        "grad": Field(Flag(), "false: a constant, without a gradient"),
    },
)
EITHER_INPUT = Either("a shape like [2, 3], or a mapping like {shape: [2, 3], init: normal}", (_SHAPE, _INPUT))

_ROWS = ListOf(
    Text("the name of a row", r"[a-z0-9-]+"), "a list of rows, as gradverify layers NAME --battery has them", 1
)
_BATTERY_OF = Choice("a layer with a battery", tuple(BATTERIES))
BATTERY = Either(
    "the name of a layer, or {layer: ..., without: [...]}",
    (
        _BATTERY_OF,
        Section(
            "a battery",
            {
                "layer": Field(_BATTERY_OF, "whose battery", required=True),
                "rows": Field(_ROWS, "only these rows"),
                "without": Field(_ROWS, "rows to leave out"),
                "fixed": Field(
                    Table(Plain(), "a mapping from parameter names to values", _named("a parameter's name")),
                    "parameters of the layer that are written into your code, and what they are",
                ),
                "also": Field(_ROWS, "rows that run only where they are asked for"),
            },
        ),
    ),
)
_REFERENCE = Either(
    "a built-in layer, torch:module.function, or {layer: ..., params: {...}}",
    (
        Text("a built-in layer, torch:module.function or jax:module.function", r"[^\x00-\x1f\x7f]+", 2000),
        Section(
            "a reference",
            {
                "layer": Field(Choice("a built-in layer", tuple(LAYERS)), "a built-in layer"),
                "implementation": Field(Text("an implementation's name"), "which one of it"),
                **TARGET_FIELDS,
                "inputs": Field(
                    Table(
                        Text("an input's name", _NAME),
                        "a mapping from its inputs to those of the case",
                        _named("a name"),
                    ),
                    "which input of the case stands for each of its inputs",
                ),
                "params": Field(
                    Table(Plain(), "a mapping from its parameters to values or paths", _named("a parameter's name")),
                    "its parameters: values, or paths of parameters of the case",
                ),
                "order": Field(
                    Table(
                        ListOf(Whole(0), "a list of axes", 1),
                        "a mapping from its inputs, and out, to axes",
                        _named("a name"),
                    ),
                    "for each axis of its inputs, and of out, which axis of the case's it is",
                ),
                "compare": Field(Flag(), "false: outputs must depend on the same, and nothing else is compared (true)"),
            },
        ),
    ),
)

_ROLE = Either("a parameter's name or a whole number", (Whole(0), Text("a name")))
_ROLES = Either(
    "a parameter's name, a whole number, or a list with one per axis",
    (_ROLE, ListOf(_ROLE, "one per axis", 1, 3)),
)
_LAYOUT = Text("a letter for each axis, D, H, W or L for those that the window slides along, as in NHWC", r"[A-Z]{1,6}")
_GEOMETRY = Section(
    "the geometry",
    {
        "input": Field(Text("an input's name"), "the input that the window slides over", required=True),
        "kernel": Field(_ROLES, "an input whose last axes are the window, or parameters", required=True),
        "stride": Field(_ROLES, "parameter or number (1)"),
        "padding": Field(_ROLES, "parameter or number (0)"),
        "dilation": Field(_ROLES, "parameter or number (1)"),
        "layout": Field(_LAYOUT, "axes of the input, a letter each (NCHW)"),
        "kernel_layout": Field(_LAYOUT, "axes of the kernel, a letter each (OIHW)"),
    },
    example=" {input: x, kernel: w, stride: ..., padding: ...}",
)

_ARRAY = Section("a file", {"file": replace(_FILE, required=True)}, example=" {file: data.npz:key}")
_COTANGENT = Either(
    f"a cotangent: {', '.join(COTANGENTS)}, or a file like {{file: data.npz:key}}, for several outputs a list of them",
    (Choice("a cotangent", COTANGENTS), _ARRAY, ListOf(_ARRAY, "a list of files, one for each output", 1, 9)),
)

RANGE = re.compile(r"[-+]?[0-9]{1,20}:[-+]?[0-9]{1,20}(:[-+]?[0-9]{1,20})?")
_SWEPT = Either(
    "a list of values, or a range like 1:4",
    (ListOf(Plain(), "a list of values", 1), Text("a range like 1:4 or 1:9:2", RANGE.pattern)),
)

_CONTRACTS = Section(
    "contracts",
    {code: Field(Choice("a level", LEVELS), promise.text) for code, promise in CONTRACTS.items()},
    example=": a mapping from contracts to off, warning or failure",
)

# Keys that the file sets for all cases and a case may override.
_SHARED = {
    "seed": Field(Whole(0), "seed of all data (0)"),
    "dtype": Field(Choice("a dtype", DTYPES), "dtype of the data (float64)"),
    "tolerance": Field(_TOLERANCE, "what passes; omitted parts come from the dtype's table"),
    "timeout": Field(Real(above=0, maximum=1e6), "seconds a case may take (60)"),
    "memory": Field(Whole(1, LARGEST_MEMORY), "MiB that the process of a case may take"),
    "method": Field(Choice("a method", METHODS), "how gradients are computed numerically (auto)"),
    "max_passes": Field(Whole(1), "forward passes that one look at an input's gradient may take"),
    "strict": Field(Flag(), "true: warnings fail (false)"),
    "fail_on": Field(
        Choice("a kind of geometry", tuple(FailOn)), "geometry that fails a case (identity in audit, else never)"
    ),
    "contracts": Field(_CONTRACTS, "contracts that are off, a warning or a failure; others are as in the table"),
}

CASE = Section(
    "a case",
    {
        "name": Field(
            Text("a name: text, in quotes where it looks like a number, without control characters", _VISIBLE),
            "unique in the file; begins the case's id",
            required=True,
        ),
        "layer": Field(Choice("a built-in layer", tuple(LAYERS)), "target: a built-in layer"),
        **TARGET_FIELDS,
        "network": Field(NETWORK, "target: layers in order, whose geometry is audited as a chain"),
        "implementation": Field(
            Either(
                "an implementation's name, a list of them, or all",
                (
                    Text("an implementation's name"),
                    ListOf(Text("an implementation's name"), "a list of names", 1),
                    Section(
                        "an implementation",
                        {
                            "name": Field(Text("an implementation's name"), "the one to verify", required=True),
                            "reference": Field(
                                Text("an implementation's name"), "the one it must agree with", required=True
                            ),
                        },
                        example=" {name: ..., reference: ...}",
                    ),
                ),
            ),
            "which implementation of the layer; all makes a case of each",
        ),
        "returns": Field(RETURNS, "names what the forward function returns"),
        "dims": Field(
            Table(Whole(1), "a mapping from names to lengths", _named("a name like K")),
            "names usable in shapes",
        ),
        "inputs": Field(
            Table(
                EITHER_INPUT,
                "a mapping from input names to shapes or data",
                _named("an input's name"),
            ),
            "input arrays; positional in this order for functions",
            required=True,
        ),
        "params": Field(
            Table(
                Plain(),
                "a mapping from parameter names to values",
                _named("a parameter's name"),
            ),
            "keyword arguments",
        ),
        "sweep": Field(
            Table(_SWEPT, "a mapping from names of params or dims to lists of values", Text("a name")),
            "the full product over these is run",
        ),
        "geometry": Field(_GEOMETRY, "what the window of your own function is, so that audit can judge it"),
        "battery": Field(
            BATTERY, "cases at the edges where layers of this kind break; $stride and the like get its values"
        ),
        "reference": Field(_REFERENCE, "what outputs and gradients must equal, on the same inputs, to rounding"),
        "checks": Field(
            ListOf(Choice("a check", tuple(check.value for check in Check)), "a list of checks", 1),
            "limits the case to these checks",
        ),
        "cotangent": Field(
            _COTANGENT,
            "weights of the outputs: random, ones (the gradient of a sum), mean (1/n each), single (one entry alone), "
            "or files with an array for each output",
        ),
        "scale": Field(
            Table(
                Either("a number, or a name from dims", (Real(), Text("a name from dims", _NAME))),
                "a mapping from inputs to numbers or names from dims",
                _named("an input's name"),
            ),
            "what the gradients of your code are multiplied with before they are compared",
        ),
        "allow": Field(ALLOWANCE, "a violation of the size identity that is known, and why"),
        "expect": Field(Choice("an expected verdict", ("pass", "fail")), "fail: a case that must be caught (pass)"),
        **_SHARED,
    },
    example=": a mapping with name, inputs and a target",
)

SPEC = Section(
    "a spec",
    {
        "version": Field(Whole(1, 1), "version of this language; 1"),
        **_SHARED,
        "pythonpath": Field(
            ListOf(Text("a folder", _VISIBLE, 1000), "a list of folders"),
            "searched after the spec's own folder; relative to the spec",
        ),
        "preload": Field(
            ListOf(
                Text("a module, a .py file, a call, or one of " + ", ".join(SHIMS), _VISIBLE, 1000), "a list of modules"
            ),
            "imported before your code, for what it expects to be there; files relative to the spec",
        ),
        "absent": Field(
            ListOf(Text("a package's name", _NAME), "a list of packages"),
            "packages that your code imports and can do without: where they are missing, empty stand-ins",
        ),
        "cases": Field(ListOf(CASE, "a list of cases", 1), "what to verify", required=True),
    },
    example=": a mapping with the key cases",
)

# A file without what its cases hold: those with a battery are read at each of its rows.
HEADER = replace(SPEC, fields={**SPEC.fields, "cases": Field(ListOf(Plain(), "a list of cases", 1), "", required=True)})
