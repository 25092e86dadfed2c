"""What the tests of the spec share: text in, cases or problems out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gradverify.errors import SpecError
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.overriding import Overrides

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gradverify.spec.model import Case


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """Return a folder with the data files that the specs here name."""
    np.save(tmp_path / "data.npy", np.arange(4.0))
    np.savez(tmp_path / "data.npz", x=np.arange(4.0))
    return tmp_path


@pytest.fixture
def cases_of(data_folder: Path) -> Callable[..., tuple[Case, ...]]:
    """Return a function from the text (or bytes) of a spec, and what ``--set`` says, to its cases."""

    def read(text: str | bytes, sweeps: dict[str, str] | None = None) -> tuple[Case, ...]:
        file = data_folder / "spec.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return expand_specs(read_specs((file,)), Overrides(sweeps=sweeps or {}))

    return read


@pytest.fixture
def problems_of(cases_of: Callable[..., tuple[Case, ...]], data_folder: Path) -> Callable[[str | bytes], list[str]]:
    """Return a function from the text (or bytes) of an invalid spec to its problems, without the file's name."""

    def read(text: str | bytes) -> list[str]:
        with pytest.raises(SpecError) as caught:
            cases_of(text)
        return [line.removeprefix(f"{data_folder / 'spec.yaml'}:") for line in map(str, caught.value.problems)]

    return read
