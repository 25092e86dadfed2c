"""The JSON Schema says what the spec's own rules say."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

import gradverify.spec
from gradverify.errors import SpecError
from gradverify.layers.registry import LAYERS
from gradverify.spec.language import CASE, SPEC
from gradverify.spec.nodes import MappingNode, Node, Problems, ScalarNode
from gradverify.spec.parsing import read_document
from gradverify.spec.schema import json_schema
from gradverify.spec.starter import MODELINE, starting_spec

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent
VALID = sorted((FOLDER / "valid").glob("*.yaml"))
VALIDATOR = Draft202012Validator(json_schema())

# Invalid in a way that JSON Schema sees as well: keys, kinds of values, lengths of lists.
STRUCTURAL = (
    "unknown-key-top", "unknown-key-case", "unknown-key-input", "unknown-key-tolerance", "unknown-key-functions",
    "unknown-key-geometry", "unknown-layer", "unknown-implementation", "unknown-implementation-in-list",
    "unknown-dtype", "integer-dtype-for-case", "unknown-parameter", "negative-stride", "pair-of-three",
    "wrong-type-parameter", "fraction-above-one", "wrong-types", "wrong-types-case", "too-large-seed",
    "negative-tolerance", "two-targets", "no-target", "no-name", "no-cases", "empty-cases",
    "missing-input", "extra-input", "input-name-misspelt", "zero-length", "shape-of-17-axes", "shape-not-a-list",
    "unknown-init", "std-zero", "function-reference", "missing-forward", "returns-bad-name", "geometry-missing-roles",
    "sweep-empty", "sweep-not-a-list", "checks-unknown", "checks-empty", "nulls", "null-document",
    "list-where-a-mapping", "text-where-a-mapping", "mapping-where-a-list", "case-is-text", "long-name", "input-name",
    "parameter-name", "control-character-in-name", "max-passes", "memory", "allow-incomplete",
    "network-of-code", "network-layer-names", "network-keys", "network-blocks",
)  # fmt: skip


def plain(node: Node | None) -> Any:
    """Return what an editor sees."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, MappingNode):
        return {key.text: plain(value) for key, value in node.entries}
    return [plain(item) for item in node.items] if node is not None else None


def _document(file: Path) -> Any:
    return plain(read_document(file, Problems(str(file))))


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_the_shipped_file_is_this_schema() -> None:
    shipped = Path(gradverify.spec.__path__[0], "spec.schema.json").read_text(encoding="utf-8")
    assert shipped == json.dumps(json_schema(), indent=2) + "\n"


def test_each_call_makes_its_own() -> None:
    json_schema()["$defs"].clear()
    assert set(json_schema()["$defs"]) == {"case", "input", "layer"}


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_valid_specs(file: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(_document(file))] == []


@pytest.mark.parametrize("name", STRUCTURAL)
def test_structural_mistakes(name: str) -> None:
    assert not VALIDATOR.is_valid(_document(FOLDER / "invalid" / f"{name}.yaml"))


def test_every_key_is_explained() -> None:
    schema = json_schema()
    for keys, properties in (
        (SPEC.fields, schema["properties"]),
        (CASE.fields, schema["$defs"]["case"]["properties"]),
    ):
        assert list(properties) == list(keys)
        assert all(entry["description"] for entry in properties.values())


def test_every_layer_has_its_rules() -> None:
    rules = {
        rule["if"]["properties"]["layer"]["const"]: rule["then"] for rule in json_schema()["$defs"]["case"]["allOf"]
    }
    assert list(rules) == list(LAYERS)
    for name, layer in LAYERS.items():
        inputs, params = rules[name]["properties"]["inputs"], rules[name]["properties"]["params"]
        assert inputs["required"] == [item.name for item in layer.inputs]
        assert list(params["properties"]) == [item.name for item in layer.parameters]


@pytest.mark.parametrize("name", LAYERS)
def test_starting_specs(name: str, cases_of: Callable[..., Any], data_folder: Path) -> None:
    text = starting_spec(name, f"{name}.yaml")
    cases = cases_of(text)
    layer = LAYERS[name]
    points = len(layer.implementations) * (4 if layer.window else 1)
    assert len(cases) == points
    assert {case.name for case in cases} == {name}
    assert VALIDATOR.is_valid(_document(data_folder / "spec.yaml"))
    assert f"gradverify run {name}.yaml" in text


@pytest.mark.parametrize("name", LAYERS)
def test_starting_specs_name_every_parameter(name: str) -> None:
    text = starting_spec(name, "a.yaml")
    assert all(f" {item.name}: " in text for item in (*LAYERS[name].parameters, *LAYERS[name].inputs))


def test_the_pattern_for_functions_is_right(cases_of: Callable[..., Any]) -> None:
    text = starting_spec("relu", "{a}.yaml")
    head, tail = text.split("Remove the signs to use it.\n")
    lines = [line.replace("  # ", "  ", 1) for line in tail.splitlines()]
    relu, mine, *battery, layer = cases_of(head + "\n" + "\n".join(lines))
    assert {case.name for case in battery} == {"my-conv"}
    assert len(battery) > 20
    assert [item.name for item in mine.inputs if item.differentiable] == ["x", "w"]
    assert str(layer.target) == "mylayers:Dense"
    assert "gradverify run {a}.yaml" in text
    assert MODELINE.format(schema="a.json") == "# yaml-language-server: $schema=a.json"
    assert relu.name == "relu"


CASES = {
    "layer": {"name": "a", "layer": "conv2d", "inputs": {"x": [1, 1, 3, 3], "w": [1, 1, 2, 2], "b": [1]}},
    "functions": {
        "name": "a",
        "functions": {"forward": "m:f", "backward": "m:b"},
        "inputs": {"x": {"shape": [2], "init": "normal"}},
    },
}


@pytest.mark.parametrize("target", CASES)
def test_schema_and_rules_agree_on_every_key(target: str, cases_of: Callable[..., Any]) -> None:
    """One wrong value at a time for every key of a case."""
    wrong: list[Any] = [None, [], "", -1, {"zz": 1}, [None]]
    for name in CASE.fields:
        for value in wrong:
            document = {"cases": [copy.deepcopy(CASES[target]) | {name: value}]}
            try:
                cases_of(json.dumps(document))
            except SpecError:
                continue
            assert VALIDATOR.is_valid(document), document
