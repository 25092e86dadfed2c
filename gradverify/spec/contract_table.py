"""The contracts as data: what each promises, and whether breaking it is a failure or a warning. Nothing imports numpy.

What clean, conventional layers may break by design is a warning; what only a mistake breaks is a failure.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradverify.results import Severity

__all__ = ["CONTRACTS", "LEVELS", "OFF", "OF_A_KIND", "Promise"]

OFF = "off"
# Looked at where a battery or a reference says what a layer is.
OF_A_KIND = ("sample-independence", "footprint", "reference-forward", "reference-gradients")
# What a spec may say of a contract.
LEVELS = (OFF, Severity.WARNING.value, Severity.FAILURE.value)


@dataclass(frozen=True, slots=True)
class Promise:
    """One contract.

    Attributes
    ----------
    rule
        Id of the rule that a layer breaks which does not keep it; never given to another contract.
    text
        What a layer that keeps it promises.
    severity
        What breaking it is, unless the spec says otherwise.
    why
        Why it is that.
    milder
        What part of it is a warning although the rest is a failure, and why; empty where there is none.
    """

    rule: str
    text: str
    severity: Severity
    why: str
    milder: str = ""


_FAILURE, _WARNING = Severity.FAILURE, Severity.WARNING

# In the order in which they are checked and listed.
CONTRACTS: dict[str, Promise] = {
    "arity": Promise(
        "GV401",
        "backward returns one gradient for every input that has one",
        _FAILURE,
        "a missing gradient trains nothing",
    ),
    "shape": Promise(
        "GV402",
        "every gradient has the shape of its input",
        _FAILURE,
        "an update would broadcast, or raise",
    ),
    "dtype": Promise(
        "GV403",
        "gradients are real and floating, and have the precision of their input",
        _FAILURE,
        "whole numbers and complex ones are no gradients",
        "another precision: code may compute in one precision by design",
    ),
    "finite": Promise(
        "GV404",
        "outputs and gradients hold neither NaN nor infinity",
        _FAILURE,
        "NaN spreads to everything that it meets",
        "inputs 1000 times as large, 1e-6 times as large, or constant: an exponential may overflow there by right",
    ),
    "coverage": Promise(
        "GV405",
        "every array of an object that moves its output has a gradient that was found",
        _WARNING,
        "the search, and not the layer, may be at fault",
    ),
    "agreement": Promise(
        "GV406",
        "an implementation of a list or `all` equals the first, to rounding",
        _FAILURE,
        "both claim to be one function",
    ),
    "forward-deterministic": Promise(
        "GV407",
        "two forward passes on the same inputs give the same outputs",
        _FAILURE,
        "global generators are seeded before each pass; where outputs still change, no gradient can be compared",
    ),
    "backward-deterministic": Promise(
        "GV408",
        "forward and backward, run twice on the same inputs, give the same gradients",
        _FAILURE,
        "the right gradient of one function is one number",
    ),
    "input-unchanged": Promise(
        "GV409",
        "neither forward nor backward changes the arrays that are its inputs",
        _FAILURE,
        "the caller and other layers still use them",
    ),
    "cotangent-unchanged": Promise(
        "GV410",
        "backward does not change the cotangent that it is given",
        _FAILURE,
        "where outputs branch, it is the cotangent of other layers too",
    ),
    "parameters-unchanged": Promise(
        "GV411",
        "neither forward nor backward changes parameters: running statistics, new keys and updates apart",
        _WARNING,
        "layers may keep a state in them by design",
    ),
    "backward-twice": Promise(
        "GV412",
        "backward gives the same gradients when it is called again with the same cache",
        _FAILURE,
        "a cache that changes when it is read gives wrong gradients without a word",
        "objects, and tapes of objects: to add to gradients until they are set to zero is a convention there",
    ),
    "stale-cache": Promise(
        "GV413",
        "backward gives the same gradients though forward ran on other inputs in between",
        _FAILURE,
        "what two passes share belongs to the last one: a layer that is used twice, or two layers, get wrong gradients",
    ),
    "linear-in-cotangent": Promise(
        "GV414",
        "gradients are linear in the cotangent, to rounding",
        _FAILURE,
        "a vector-Jacobian product is linear: clipping, thresholds and a squared or dropped cotangent are not",
    ),
    "zero-cotangent": Promise(
        "GV415",
        "a cotangent of zeros gives gradients of 0, to rounding",
        _FAILURE,
        "anything else comes from elsewhere: weight decay, or a division by the cotangent's norm",
    ),
    "layout": Promise(
        "GV416",
        "Fortran-ordered, non-contiguous and read-only arrays give the same results, to rounding",
        _FAILURE,
        "slices and transposes are arrays like others: other numbers for them are wrong numbers",
        "code that refuses them by raising, or takes all but Fortran order of three axes and more: "
        "nothing wrong comes out there, and transposing makes no such array",
    ),
    "sample-independence": Promise(
        "GV417",
        "no sample moves the outputs of another, where a layer of this kind keeps them apart",
        _FAILURE,
        "the forward pass is wrong, which no gradient check can see",
    ),
    "footprint": Promise(
        "GV418",
        "an entry of an input moves those outputs that it moves in a layer of this kind",
        _FAILURE,
        "the forward pass is wrong, which no gradient check can see",
        "outputs of another shape, where a battery alone names the kind: other parameters may be written into the code",
    ),
    "reference-forward": Promise(
        "GV419",
        "outputs are those of the reference, to rounding",
        _FAILURE,
        "the reference says what the layer is meant to be",
    ),
    "reference-gradients": Promise(
        "GV420",
        "gradients are those of the reference, to rounding; looked at where the outputs are",
        _FAILURE,
        "the reference says what the layer is meant to be",
    ),
}
