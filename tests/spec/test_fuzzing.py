"""Whatever is written, the answer is cases or a list of problems inside the file: never a traceback, never a hang."""

from __future__ import annotations

import copy
import itertools
import json
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gradverify.errors import SpecError, UsageError
from gradverify.layers.registry import LAYERS
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.nodes import MappingNode, Node, Problems, ScalarNode
from gradverify.spec.overriding import Overrides
from gradverify.spec.parsing import read_document
from gradverify.spec.schema import json_schema
from gradverify.spec.starter import starting_spec
from gradverify.spec.sweeping import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.spec.model import Case

FOLDER = Path(__file__).parent
VALIDATOR = Draft202012Validator(json_schema())
SEEDS = [
    *(file.read_text(encoding="utf-8") for file in sorted((FOLDER / "valid").glob("*.yaml"))),
    *(starting_spec(name, "a.yaml") for name in LAYERS),
]
WORDS = [
    "cases", "name", "layer", "functions", "inputs", "params", "sweep", "dims", "shape", "values", "init", "conv2d",
    "relu", "all", "stride", "K", "1:4", "null", "~", "true", "0", "-1", "1e-6", ".inf", ".nan", "1e999", "9" * 70,
    "0x10", "[]", "{}", "[1, 2]", "{a: 1}", "''", '"\\n"', "&a", "*a", "<<", "!!int", "!", "---", "...", "?", ":", "-",
    ",", "[", "]", "{", "}", "|", ">", "%", "@", "`", "\t", "\x00", "\ufeff", "\u2028", "\x85", "é", "😀", "#", "\r",
    "\n", "\n\n  ",
]  # fmt: skip
TOKEN = re.compile(r"\s+|\w+|.")
SECONDS = 5.0  # far above what any of these takes

fuzzed = settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "spec.yaml"


def _judge(text: str, file: Path, sweeps: dict[str, str] | None = None) -> tuple[Case, ...] | None:
    """Return the cases of a spec, or ``None`` for an invalid one, whose problems lie inside the file."""
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    started = time.perf_counter()
    try:
        cases = expand_specs(read_specs((file,)), Overrides(sweeps=sweeps or {}))
    except SpecError as error:
        _check_problems(tuple(map(str, error.problems)), text, file)
        return None
    except UsageError as error:
        if not str(error).startswith("--set"):
            raise
        return None
    finally:
        assert time.perf_counter() - started < SECONDS
    ids = [case.id for case in cases]
    assert len(set(ids)) == len(ids)
    assert all(name.isprintable() for name in ids)
    return cases


def _check_problems(problems: tuple[str, ...], text: str, file: Path) -> None:
    assert problems
    breaks = text.splitlines() or [""]
    for problem in problems:
        assert problem.isprintable()
        row, column, message = problem.removeprefix(f"{file}:").split(":", 2)
        assert message.strip()
        assert 1 <= int(row) <= len(breaks), problem
        assert 1 <= int(column) <= max(len(line) for line in breaks) + 1, problem


@fuzzed
@given(text=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)))
def test_random_text(text: str, place: Path) -> None:
    _judge(text, place)


@fuzzed
@given(data=st.binary(max_size=40))
def test_random_bytes(data: bytes, place: Path) -> None:
    place.write_bytes(data)
    with pytest.raises(SpecError):
        read_specs((place,))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid spec in which a few tokens are deleted, doubled, replaced or swapped."""
    tokens = TOKEN.findall(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["delete", "double", "replace", "insert", "swap"])):
            case "delete" if len(tokens) > 1:
                del tokens[index]
            case "double":
                tokens.insert(index, tokens[index])
            case "replace":
                tokens[index] = draw(st.sampled_from(WORDS))
            case "insert":
                tokens.insert(index, draw(st.sampled_from(WORDS)))
            case _:
                other = draw(st.integers(0, len(tokens) - 1))
                tokens[index], tokens[other] = tokens[other], tokens[index]
    return "".join(tokens)


@settings(fuzzed, max_examples=400)
@given(text=mutated())
def test_mutated_tokens(text: str, place: Path) -> None:
    if _judge(text, place) is not None:
        document = read_document(place, Problems("a"))
        assert VALIDATOR.is_valid(_plain(document))


@fuzzed
@given(text=mutated(), data=st.data())
def test_mutated_lines(text: str, data: st.DataObject, place: Path) -> None:
    lines = text.split("\n")
    kept = data.draw(st.lists(st.sampled_from(range(len(lines))), max_size=len(lines)))
    _judge("\n".join(lines[index] for index in sorted(kept)), place)


def _plain(node: Node | None) -> Any:
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, MappingNode):
        return {key.text: _plain(value) for key, value in node.entries}
    return [_plain(item) for item in node.items] if node is not None else None


DOCUMENTS = [yaml.safe_load(starting_spec(name, "a.yaml")) for name in LAYERS]
DOCUMENTS += [
    {
        "seed": 1,
        "cases": [
            {
                "name": "own",
                "functions": {"forward": "m:f", "backward": "m:b", "returns": ["out", "cache"]},
                "dims": {"K": 3},
                "inputs": {
                    "x": {"shape": [2, "K", 7, 7], "init": "normal", "std": 2.0},
                    "w": [4, "K", 3, 3],
                    "y": {"values": [1, 2], "grad": False},
                    "z": {"shape": [2], "init": "integers", "low": 1, "high": 3},
                },
                "params": {"p": {"stride": 2, "pad": 1}, "mode": "train"},
                "geometry": {"input": "x", "kernel": "w", "stride": "p.stride", "padding": "p.pad"},
                "sweep": {"p.stride": [1, 2], "K": "1:3", "mode": ["train", "test"]},
                "checks": ["geometry"],
                "expect": "fail",
                "tolerance": {"rtol": 1e-3},
            }
        ],
    },
    {
        "cases": [
            {
                "name": "net",
                "dims": {"K": 3},
                "inputs": {"x": [1, 3, 16, "K"]},
                "network": [
                    {"name": "a", "layer": "conv2d", "kernel_size": ["K", 1], "padding": [[0, 1], "K"], "stride": 2},
                    {"repeat": 2, "layers": [{"layer": "relu"}, {"name": "b", "layer": "unfold", "kernel_size": 1}]},
                    {"layer": "upsample", "scale_factor": 1.5, "mode": "linear"},
                    {"layer": "conv1d", "kernel_size": 3, "allow": {"residual": 1, "because": "a"}},
                    {"layer": "flatten"},
                    {"layer": "linear", "in_features": 7, "bias": False},
                ],
                "sweep": {"K": "1:3"},
            }
        ]
    },
]
WRONG: list[Any] = [
    None, True, -1, 0, 3, 2**63, 1.5, 1e300, "", "all", "x", "K", "p.stride", "1:4", "4:1", "m:f", "\x1b\n", "\ud800",
    "n" * 300, [], [1], [1, 2], [[]], ["out"], [1, "a", None], {}, {"a": 1}, {"x": [1]}, {"": {}},
    {"a.b": 1, "a": {"b": 2}},
]  # fmt: skip


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *itertools.chain.from_iterable(_paths(item, (*path, key)) for key, item in items)]


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A valid document in which a few values or keys are others, as an editor would see it."""
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        *folders, last = draw(st.sampled_from(_paths(document)[1:] or [("cases",)]))
        inner = document
        for folder in folders:
            inner = inner[folder]
        change = draw(st.sampled_from(["value", "delete", "key"]))
        if change == "delete" and last in (inner if isinstance(inner, dict) else ()):
            del inner[last]
        elif change == "key" and isinstance(inner, dict):
            name = draw(st.sampled_from(["zz", "x", "stride", "K", "allow", "layer", "p", "", "a.b"]))
            inner[name] = copy.deepcopy(draw(st.sampled_from(WRONG)))
        else:
            inner[last] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    return document


@settings(fuzzed, max_examples=400)
@given(document=damaged())
def test_damaged_documents(document: Any, place: Path) -> None:
    """What the rules accept, the schema accepts."""
    if _judge(_flow(document), place) is not None:
        assert VALIDATOR.is_valid(document), document


def _flow(value: Any) -> str:
    """Return a document as YAML; JSON, but for surrogates, which YAML has no way to write."""
    return json.dumps(value, ensure_ascii=True).replace("\\ud800", "\\u0001")


def _structural() -> Iterator[tuple[str, Any]]:
    """Yield documents with one unknown key, or one value of a type that cannot be right."""
    for document in DOCUMENTS:
        for path in _paths(document):
            changed = copy.deepcopy(document)
            inner = changed
            for folder in path:
                inner = inner[folder]
            free = {"params", "p", "dims", "sweep", "values"} & set(path)
            if isinstance(inner, dict) and not free:
                # A name that no table accepts: the keys of inputs are names.
                inner["un known"] = 1
                yield f"{path}: unknown key", changed
            if path and not free:
                changed = copy.deepcopy(document)
                outer = changed
                for folder in path[:-1]:
                    outer = outer[folder]
                outer[path[-1]] = {"un": {"known": 1}}
                yield f"{path}: a mapping", changed


def test_both_refuse_structural_mistakes(place: Path) -> None:
    count = 0
    for what, document in _structural():
        assert _judge(_flow(document), place) is None, what
        assert not VALIDATOR.is_valid(document), what
        count += 1
    assert count > 250


SWEEPS = {
    "conv2d": {
        "stride": st.integers(1, 9), "dilation": st.integers(1, 9), "padding": st.integers(0, 9), "K": st.integers(1, 5)
    },
    "batchnorm": {
        "eps": st.floats(1e-9, 1.0), "momentum": st.floats(0, 1), "mode": st.sampled_from(["train", "test"]),
        "N": st.integers(1, 9),
    },
    "dropout": {
        "p": st.floats(0.1, 1), "seed": st.integers(0, 2**63 - 1), "mode": st.sampled_from(["train", "test"]),
        "N": st.integers(1, 9),
    },
}  # fmt: skip
INPUTS = {
    "conv2d": ({"x": [1, 1, 9, 9], "w": [1, 1, "K", "K"], "b": [1]}, {"K": 3}),
    "batchnorm": ({"x": ["N", 2], "gamma": [2], "beta": [2]}, {"N": 3}),
    "dropout": ({"x": ["N"]}, {"N": 3}),
}


@st.composite
def sweeping(draw: st.DrawFn) -> dict[str, Any]:
    """A valid case with a random sweep."""
    layer = draw(st.sampled_from(sorted(SWEEPS)))
    names = draw(st.lists(st.sampled_from(sorted(SWEEPS[layer])), unique=True))
    inputs, dims = INPUTS[layer]
    case: dict[str, Any] = {"name": "c", "layer": layer, "inputs": inputs, "dims": dims}
    case["sweep"] = {name: draw(st.lists(SWEEPS[layer][name], min_size=1, max_size=4, unique=True)) for name in names}
    chosen = draw(st.lists(st.sampled_from([item.name for item in LAYERS[layer].implementations]), unique=True))
    if chosen:
        case["implementation"] = draw(st.sampled_from([chosen, chosen[0], "all"]))
    return case


def _expected_ids(case: dict[str, Any]) -> list[str]:
    """Return the product of the sweeps, written down independently."""
    asked = case.get("implementation")
    names = [item.name for item in LAYERS[case["layer"]].implementations] if asked == "all" else asked
    first = [f"implementation={name}" for name in names] if isinstance(names, list) else [""]
    ids = first
    for name, values in case["sweep"].items():
        ids = [f"{front},{name}={format_value(value)}".lstrip(",") for front in ids for value in values]
    return [f"c/{rest}" if rest else "c" for rest in ids]


@settings(fuzzed, max_examples=150)
@given(case=sweeping())
def test_sweeps_are_the_full_product_in_order(case: dict[str, Any], place: Path) -> None:
    cases = _judge(_flow({"cases": [case]}), place)
    assert cases is not None
    assert [found.id for found in cases] == _expected_ids(case)
    points = itertools.product(*case["sweep"].values())
    per_target = len(cases) // max(1, len({str(found.target) for found in cases}))
    assert [tuple(found.sweep.values()) for found in cases[:per_target]] == list(points)
    for found in cases:
        dims = set(case["dims"])
        assert {name: value for name, value in found.sweep.items() if name not in dims}.items() <= found.params.items()
    assert VALIDATOR.is_valid({"cases": [case]})


SET_SPEC = SEEDS[[file.stem for file in sorted((FOLDER / "valid").glob("*.yaml"))].index("contract-example")]


@fuzzed
@given(
    name=st.sampled_from(["stride", "padding", "K", "bn_param.mode", "bn_param", "conv_param.pad", "zz", ""]),
    text=st.one_of(st.text(max_size=12), st.text("0123456789:,x-+. e", max_size=8)),
)
def test_random_sets(name: str, text: str, place: Path) -> None:
    _judge(SET_SPEC, place, {name: text})
