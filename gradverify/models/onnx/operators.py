"""The operators of ONNX and ONNX Runtime whose windows slide, and what stands in for operators ONNX cannot infer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import onnx

from gradverify.models.onnx.nodes import key_of
from gradverify.models.onnx.words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STAND_INS", "WINDOWED", "Operator", "describe_unknown", "operator_of", "schema_of", "stands_last"]

_MICROSOFT = "com.microsoft"
# Attributes that only windows have.
_OF_WINDOWS = frozenset({"auto_pad", "dilations", "kernel_shape", "kernel_size", "strides"})


@dataclass(frozen=True, slots=True)
class Operator:
    """How the windows of an operator are read.

    Attributes
    ----------
    weight
        Which input is the kernel, ``(M, C / group, ...)``; ``None`` for pools, and where it may be laid out otherwise.
    transposed
        Whether its windows make rows instead of reading them.
    channels_last
        Whether channels stand last: always, or by the attribute of this name that some nodes have.
    folds
        Whether it is ``Col2Im``, whose lengths stand in its inputs.
    """

    weight: int | None = None
    transposed: bool = False
    channels_last: bool = False
    folds: bool = False

    def spatial(self, rank: int) -> range:
        """Return which of so many axes are neither batch nor channels."""
        return range(1, rank - 1) if self.channels_last else range(2, rank)


WINDOWED: Mapping[tuple[str, str], Operator] = {
    ("", "Conv"): Operator(weight=1),
    ("", "ConvInteger"): Operator(weight=1),
    ("", "QLinearConv"): Operator(weight=3),
    ("", "DeformConv"): Operator(weight=1),
    ("", "ConvTranspose"): Operator(weight=1, transposed=True),
    ("", "MaxPool"): Operator(),
    ("", "AveragePool"): Operator(),
    ("", "LpPool"): Operator(),
    ("", "MaxUnpool"): Operator(transposed=True),
    ("", "Col2Im"): Operator(transposed=True, folds=True),
    (_MICROSOFT, "FusedConv"): Operator(weight=1),
    (_MICROSOFT, "NhwcConv"): Operator(channels_last=True),
    (_MICROSOFT, "NhwcFusedConv"): Operator(channels_last=True),
    (_MICROSOFT, "NhwcMaxPool"): Operator(channels_last=True),
    (_MICROSOFT, "QLinearConv"): Operator(weight=3),
    (_MICROSOFT, "QLinearAveragePool"): Operator(),
}

# ONNX Runtime's operators that ONNX does not know: what has the same shapes, and which of their inputs it takes. They
# stand in where shapes are inferred, and nowhere else.
STAND_INS: Mapping[tuple[str, str], tuple[str, slice]] = {
    (_MICROSOFT, "FusedConv"): ("Conv", slice(0, 3)),
    (_MICROSOFT, "QLinearAveragePool"): ("AveragePool", slice(0, 1)),
    (_MICROSOFT, "QLinearGlobalAveragePool"): ("GlobalAveragePool", slice(0, 1)),
    (_MICROSOFT, "QLinearConv"): ("QLinearConv", slice(0, 9)),
    (_MICROSOFT, "QLinearAdd"): ("Add", slice(0, 4, 3)),
    (_MICROSOFT, "QLinearMul"): ("Mul", slice(0, 4, 3)),
    (_MICROSOFT, "QLinearConcat"): ("Concat", slice(2, None, 3)),
    **{
        (_MICROSOFT, name): ("Identity", slice(0, 1))
        for name in (
            "BiasGelu",
            "DequantizeLinear",
            "FastGelu",
            "Gelu",
            "QLinearLeakyRelu",
            "QLinearSigmoid",
            "QLinearSoftmax",
            "QuantizeLinear",
            "QuickGelu",
        )
    },
}


def operator_of(node: onnx.NodeProto) -> Operator | None:
    """Return how the windows of a node are read; ``None`` for one without windows."""
    domain, name, _ = key_of(node)
    found = WINDOWED.get((domain, name))
    return found if found is None or not stands_last(node) else replace(found, channels_last=True)


def describe_unknown(node: onnx.NodeProto, opsets: Mapping[str, int]) -> tuple[str, bool] | None:
    """Say that an operator is not known, and whether that is an error; ``None`` where it is known.

    ONNX has no others of its own. One of another domain is its makers' affair, unless its attributes are those of a
    window.
    """
    domain, name, _ = key_of(node)
    if (domain, name) in STAND_INS or schema_of(node, opsets) is not None:
        return None
    if not domain:
        return f"ONNX has no operator {shown(name)!r} in opset {opsets.get('', 0)}: it is not judged", True
    slides = sorted(_OF_WINDOWS.intersection(attribute.name for attribute in node.attribute))
    said = f"the operator {shown(name)!r} of domain {shown(domain)!r} is not known"
    if slides:
        return f"{said}: its windows ({', '.join(slides)}) are not judged", True
    return None if domain == _MICROSOFT else (f"{said}: whether it slides windows is not judged", False)


def stands_last(node: onnx.NodeProto) -> bool:
    """Return whether a node says itself that channels stand last."""
    return any(attribute.name == "channels_last" and attribute.i for attribute in node.attribute)


def schema_of(node: onnx.NodeProto, opsets: Mapping[str, int]) -> onnx.defs.OpSchema | None:
    """Return what ONNX knows of a node's operator in the model's opset; ``None`` where it knows nothing."""
    domain, name, _ = key_of(node)
    try:
        return onnx.defs.get_schema(name, opsets.get(domain, 1), domain)
    except Exception:  # noqa: BLE001  names that are not UTF-8 raise others than SchemaError
        return None
