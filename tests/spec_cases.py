"""Cases made as a user makes them: from a spec file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradverify.checks.case import verify
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.overriding import Overrides

if TYPE_CHECKING:
    from gradverify.results import CaseResult, Contract
    from gradverify.spec.model import Case


def cases(*entries: dict[str, Any], folder: Path | None = None, seed: int | None = None, **top: Any) -> list[Case]:
    """Return the expanded cases of a spec with these entries."""
    with tempfile.TemporaryDirectory() as empty:
        path = (folder or Path(empty)) / "spec.yaml"
        path.write_text(json.dumps({"cases": [{"name": "case", **entry} for entry in entries], **top}))
        return list(expand_specs(read_specs((path,)), Overrides(seed=seed)))


def verified(seed: int | None = None, **entry: Any) -> CaseResult:
    """Verify the one case of a spec."""
    (case,) = cases(entry, seed=seed)
    return verify(case)


def contract_of(found: CaseResult, code: str) -> Contract:
    """Return what was found about one contract."""
    (contract,) = [contract for contract in found.contracts if contract.code == code]
    return contract


def functions(module: str, forward: str, backward: str | None) -> dict[str, str]:
    """Return the target of two functions of a test module."""
    pair = {"forward": f"{module}:{forward}"}
    return pair if backward is None else pair | {"backward": f"{module}:{backward}"}
