"""The JSON Schema of the spec, made from the rules that validate it and from the table of layers."""

from __future__ import annotations

from typing import Any

from gradverify.layers.registry import LAYERS, LayerInfo
from gradverify.spec.language import CASE, EITHER_INPUT, PARAMETER_RULES, SPEC, TARGETS
from gradverify.spec.network_language import layer_schema

__all__ = ["json_schema"]

_INPUT = {"$ref": "#/$defs/input"}
# In a case with a battery: the battery's input, by its name.
_OF_BATTERY = {"type": "string", "pattern": r"^\$[A-Za-z_]\w*$"}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a spec file."""
    schema = SPEC.schema()
    schema["properties"]["cases"]["items"] = {"$ref": "#/$defs/case"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gradverify spec",
        **schema,
        "$defs": {
            "case": _case(),
            "input": {"anyOf": [*EITHER_INPUT.schema()["anyOf"], _OF_BATTERY]},
            "layer": layer_schema(),
        },
    }


def _case() -> dict[str, Any]:
    schema = CASE.schema()
    schema["properties"]["inputs"]["additionalProperties"] = _INPUT
    schema["required"].remove("inputs")
    schema["anyOf"] = [{"required": ["inputs"]}, {"required": ["battery"]}]  # which has inputs of its own
    schema["oneOf"] = [{"required": [name]} for name in TARGETS]
    schema["allOf"] = [_only_for(layer) for layer in LAYERS.values()]
    return schema


def _only_for(layer: LayerInfo) -> dict[str, Any]:
    """Return what holds for the cases of one layer: its inputs, parameters and implementations."""
    names = [item.name for item in layer.implementations]
    return {
        "if": {"properties": {"layer": {"const": layer.name}}, "required": ["layer"]},
        "then": {
            "properties": {
                "inputs": _closed({role.name: _INPUT for role in layer.inputs}, required=True),
                "params": _closed({item.name: PARAMETER_RULES[item.kind].schema() for item in layer.parameters}),
                "implementation": {
                    "anyOf": [
                        {"enum": [*names, "all"]},
                        {"type": "array", "items": {"enum": names}, "minItems": 1},
                        {"type": "object", "additionalProperties": {"enum": names}},
                    ]
                },
            }
        },
    }


def _closed(properties: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {
        "properties": properties,
        "additionalProperties": False,
        **({"required": list(properties)} if required else {}),
    }
