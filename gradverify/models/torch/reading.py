"""Reads a model of torch, in a process that is there for it: here the user's code is executed."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gradverify.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.models.requests import TorchRequest
    from gradverify.spec.site import Model

__all__ = ["read"]


def read(request: TorchRequest) -> Model:
    """Execute a factory and one forward pass on the meta device, and return the windowed layers in their order.

    Parameters
    ----------
    request
        The factory, and what its module is given.

    Raises
    ------
    ModelError
        torch is not there, the factory makes no module, or its forward pass comes to no windowed layer.
    """
    if find_spec("torch") is None:
        raise ModelError(f"'{request.factory}' needs torch, which is not installed: pip install 'gradverify[torch]'")
    from gradverify.models.torch.attempts import attempted  # noqa: PLC0415  what needs torch

    folder = str(Path(request.folder).resolve())
    with _surroundings(folder):
        return attempted(replace(request, folder=folder))


@contextmanager
def _surroundings(folder: str) -> Iterator[None]:
    """Let modules be found beside the files that are named, and nothing be printed where the report goes."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
