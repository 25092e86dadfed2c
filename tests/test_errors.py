"""Where an error is said to be: in the code of the user, not in packages that lie below or beside its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.errors import explain_error

FOLDER = str(Path("/home/me/net"))


def raised_through(*files: str) -> ValueError:
    """Return what the last of these files raises, each of which is called by the one before it."""
    source = "def call(rest):\n    if not rest:\n        raise ValueError('no')\n    rest[0](rest[1:])\n"
    calls = []
    for file in files:
        scope: dict[str, object] = {}
        exec(compile(source, file, "exec"), scope)  # noqa: S102  frames of files with these names
        calls.append(scope["call"])
    with pytest.raises(ValueError, match="no") as raised:
        calls[0](calls[1:])
    return raised.value


@pytest.mark.parametrize(
    "installed",
    [
        "/home/me/net-env/lib/torch/conv.py",
        "/home/me/net/.venv/lib/python3.11/site-packages/torch/conv.py",
        "/home/me/net/env/lib/dist-packages/torch/conv.py",
    ],
)
def test_the_line_of_the_user_is_named(installed: str) -> None:
    own, installed = str(Path("/home/me/net/nets.py")), str(Path(installed))
    said = explain_error(raised_through(own, installed), (FOLDER,))
    assert said == f"ValueError: no ({own}, line 4, in call)"


def test_an_installed_package_is_the_users_where_it_was_asked_for() -> None:
    folder = str(Path("/opt/lib/site-packages/nets"))
    own = str(Path("/opt/lib/site-packages/nets/core.py"))
    said = explain_error(raised_through(own, str(Path("/opt/lib/torch.py"))), (folder,))
    assert said == f"ValueError: no ({own}, line 4, in call)"


def test_without_a_line_of_the_user_the_innermost_is_named() -> None:
    inner = str(Path("/opt/lib/torch.py"))
    assert explain_error(raised_through(inner), (FOLDER,)) == f"ValueError: no ({inner}, line 3, in call)"
