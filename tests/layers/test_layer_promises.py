"""Every built-in keeps every contract of the table, in every dtype and layout, without a warning."""

from __future__ import annotations

import json

import pytest
from layer_variants import VARIANTS, Variant
from spec_cases import verified

from gradverify.results import Verdict
from gradverify.spec.contract_table import CONTRACTS, OF_A_KIND
from gradverify.spec.model import DTYPES

# Layers keep nothing of an object, and have no parameters that they could change but lists of statistics.
_OTHERS = {"coverage", "agreement", "parameters-unchanged", *OF_A_KIND}


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))])
def test_every_contract_is_kept(variant: Variant, dtype: str, seed: int) -> None:
    found = verified(
        layer=variant.layer,
        implementation=variant.implementation,
        inputs={name: list(shape) for name, shape in variant.shapes.items()},
        params=json.loads(json.dumps(variant.params)),
        dtype=dtype,
        checks=["contracts"],
        seed=seed,
    )
    assert [(item.code, item.message) for item in found.contracts if item.verdict is not Verdict.PASS] == []
    assert {item.code for item in found.contracts} >= set(CONTRACTS) - _OTHERS
