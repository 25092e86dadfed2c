"""Code that no import statement could name: files, packages without a name, modules that shadow, and old code."""

from __future__ import annotations

import collections
import queue  # noqa: F401  loaded before the user's own
import sys

import numpy as np
import pytest

from gradverify.errors import TargetError
from gradverify.importing import imported, load_function
from gradverify.spec.calls import Call, read_call
from gradverify.targets.importing import with_objects
from gradverify.targets.shims import hint, preload, stand_in_for


@pytest.fixture(autouse=True)
def own_modules(monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = dict(sys.modules)
    yield
    for name in set(sys.modules) - set(before):
        del sys.modules[name]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_with_any_name_is_imported_once(tmp_path):
    file = write(tmp_path / "2-conv layer.py", "from beside import value\ncalls = []\ndef f():\n    return value\n")
    write(tmp_path / "beside.py", "value = 3\n")
    found = load_function(Call(str(file), "f"))
    assert found() == 3
    assert load_function(Call(str(file), "f")) is found


def test_two_files_of_one_name_are_two_modules(tmp_path):
    one = write(tmp_path / "a/layers.py", "def f():\n    return 1\n")
    other = write(tmp_path / "b/layers.py", "def f():\n    return 2\n")
    assert [load_function(Call(str(file), "f"))() for file in (one, other)] == [1, 2]


def test_a_file_in_a_package_is_a_module_of_it(tmp_path, monkeypatch):
    write(tmp_path / "nets/__init__.py", "")
    write(tmp_path / "nets/base.py", "value = 4\n")
    file = write(tmp_path / "nets/layers.py", "from .base import value\ndef f():\n    return value\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_function(Call(str(file), "f"))() == 4


def test_dots_lead_somewhere_in_a_folder_that_is_no_package(tmp_path):
    write(tmp_path / "loose/base.py", "value = 5\n")
    file = write(tmp_path / "loose/layers.py", "from .base import value\ndef f():\n    return value\n")
    assert load_function(Call(str(file), "f"))() == 5


def test_a_users_module_is_taken_where_another_of_its_name_is_loaded(tmp_path, monkeypatch):
    assert "queue" in sys.modules
    write(tmp_path / "queue.py", "def f():\n    return 6\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_function(read_call("queue:f"))() == 6


def test_a_module_that_raises_is_imported_again(tmp_path):
    file = write(tmp_path / "raises.py", "raise OSError('first')\n")
    for _ in range(2):
        with pytest.raises(OSError, match="first"):
            imported(Call(str(file), "f"))


def test_parameters_that_are_objects():
    found = with_objects(
        {
            "f": {"import": "operator:pos"},
            "inner": {"g": [{"import": "fractions:Fraction(3, 4)"}]},
            "n": {"import": 1, "x": 2},
        }
    )
    assert found["f"](2) == 2
    assert found["inner"]["g"][0] == 0.75
    assert found["n"] == {"import": 1, "x": 2}


def test_parameters_from_a_file_are_found_in_the_folders(tmp_path):
    write(tmp_path / "shim.py", "def make(n):\n    return [n]\n")
    found = with_objects({"made": {"import": "shim.py:make(2)"}}, ("nowhere", str(tmp_path)))
    assert found == {"made": [2]}


def test_a_missing_object_says_so():
    with pytest.raises(TargetError, match="there is no 'posi' in _operator, did you mean 'pos'"):
        with_objects({"f": {"import": "_operator:posi"}})


def test_shims_add_what_is_missing_and_replace_nothing():
    before = {name: getattr(np, name) for name in dir(np)}
    try:
        preload(("old-numpy", "old-python"), load_function, load_function)
        assert np.float is float  # noqa: NPY001  the name that is gone
        assert np.product([2, 3]) == 6  # noqa: NPY003, NPY201  as above
        assert collections.Hashable is collections.abc.Hashable
        assert {name: getattr(np, name) for name in before} == before
    finally:
        for name in set(dir(np)) - set(before):
            delattr(np, name)


def test_calls_are_made_before_the_users_code(tmp_path, monkeypatch):
    write(tmp_path / "settings.py", "used = []\ndef use(name, twice=False):\n    used.append((name, twice))\n")
    monkeypatch.syspath_prepend(tmp_path)
    preload(("settings", "settings:use('float64', twice=True)"), load_function, load_function)
    assert sys.modules["settings"].used == [("float64", True)]


def test_packages_that_are_absent_are_stood_in_for(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    file = write(
        tmp_path / "needs.py",
        "import nowhere.plots as plt\nfrom nowhere import jit, progress\n"
        "plt.style.use('dark')\nplt.figure(figsize=(1, 2)).show()\n"
        "class Grid(plt.Axes):\n    pass\n@jit\ndef f():\n    return [x for x in progress([1, 2])]\n"
        "@jit(nopython=True)\ndef g():\n    return 3\n",
    )
    stand_in_for(("nowhere", "numpy"))
    assert load_function(Call(str(file), "f"))() == [1, 2]
    assert load_function(Call(str(file), "g"))() == 3
    assert np.pi > 3


def test_a_package_that_fails_leaves_nothing_for_the_next_case(tmp_path, monkeypatch):
    write(tmp_path / "halfway/__init__.py", "from . import layers\nraise OSError('later')\n")
    write(tmp_path / "halfway/layers.py", "def f():\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    for _ in range(2):
        with pytest.raises(OSError, match="later"):
            load_function(read_call("halfway.layers:f"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AttributeError("module 'numpy' has no attribute 'float'"), "; preload: [old-numpy] puts back"),
        (ImportError("cannot import name 'Hashable' from 'collections' (x)"), "; preload: [old-python] puts back"),
        (ModuleNotFoundError("No module named 'tqdm.auto'", name="tqdm.auto"), "; install it, or say absent: [tqdm]"),
        (AttributeError("'Dense' object has no attribute 'x'"), ""),
        (ValueError("module 'numpy' has no attribute 'float'"), ""),
    ],
)
def test_what_a_spec_can_do_about_an_error(error, said):
    assert hint(error).startswith(said)
    assert bool(hint(error)) == bool(said)
