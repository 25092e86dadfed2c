"""A case that is written and read again is the same case, for every target and every value that a spec can hold."""

from __future__ import annotations

import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spec_cases import cases
from workplace import ROOT

from gradverify.layers.registry import LAYERS
from gradverify.spec.calls import Call, read_call, write_call
from gradverify.spec.expansion import expand, expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.model import ArrayFile, Case
from gradverify.spec.network_model import NetworkLayer
from gradverify.spec.overriding import Overrides
from gradverify.spec.starter import starting_spec
from gradverify.spec.writing import write_case

if TYPE_CHECKING:
    pass

VALID = sorted((Path(__file__).parent / "valid").glob("*.yaml"))
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
CasesOf = "Callable[..., tuple[Case, ...]]"


def again(case: Case, folder: Path) -> Case:
    """Return what is read of a case that was written into a folder."""
    file = folder / "again.yaml"
    file.write_text(write_case(case, folder), encoding="utf-8")
    (read,) = expand(*read_specs((file,)))
    return read


def comparable(case: Case, *folders: Path) -> Any:
    """Return a case without what another file changes: its place, sweep and battery, and how its files are written."""
    own = {str(folder.resolve()) for folder in folders}
    kept = tuple(folder for folder in case.search_path if folder not in own)
    same = replace(case, id=case.name, spec="", line=0, column=0, sweep={}, search_path=kept, placed=None, lengths={})
    return {item.name: plain(getattr(same, item.name)) for item in fields(same)}


def plain(value: Any) -> Any:
    """Return a value with lists for tuples, which mean the same to a layer, and no text that is for people alone."""
    if isinstance(value, Call):
        value = replace(value, written="")
    if isinstance(value, NetworkLayer):
        value = replace(value, place=None)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return (type(value).__name__, {item.name: plain(getattr(value, item.name)) for item in fields(value)})
    return (type(value).__name__, value) if isinstance(value, (bool, int, float)) else value


def check(case: Case, folder: Path, *others: Path) -> None:
    assert comparable(again(case, folder), folder, *others) == comparable(case, folder, *others)


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_every_valid_spec(file: Path, cases_of: CasesOf, data_folder: Path) -> None:
    for case in cases_of(file.read_bytes()):
        check(case, data_folder)


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_shipped_config(file: Path, tmp_path: Path) -> None:
    for case in expand_specs(read_specs((file,)), Overrides()):
        check(case, tmp_path, file.parent)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name: str, cases_of: CasesOf, data_folder: Path) -> None:
    for case in cases_of(starting_spec(name, "a.yaml")):
        check(case, data_folder)


TARGETS = {
    "functions": {"functions": {"forward": "m:f(x, w, v, K)", "backward": "m:b(dout, cache, k=[1, (2,)], s='a: b')"}},
    "derivative": {"functions": {"forward": "m:f", "derivative": "m:d", "arrays": "torch"}},
    "grad": {"functions": {"forward": "m:loss", "returns": ["out", "grad"], "gradients": {"x": "dx['a b']"}}},
    "globals": {"functions": {"forward": "m:f", "backward": "m:b", "gradients": ["x"], "globals": ["w"]}},
    "files": {"functions": {"forward": "my layers.py:f", "backward": "my layers.py:inner.b"}},
    "object": {"object": "my layers.py:Dense(3, K)"},
    "object-in-full": {
        "object": {
            "class": "m:Dense(p, lr=1e-3, far=1e999, kind=None, pair=(1, -2), key={'a b': [x]}, e=...)",
            "preset": "nnfs",
            "attributes": {"a.b": {"import": "no object"}, "layers[0].on": False, "none": None},
            "setup": ["build(input_shape)", "train"],
            "forward": "forward(x, training=True)",
            "backward": "backward(dout, self.mask[0])",
            "after": "update",
            "returns": ["out", "_", "cache"],
            "gradients": {"x": "returned[1].W", "w": "dW"},
            "output": "out[0]",
            "parameters": {"w": "params.W", "v": {"value": "b", "gradient": "db", "update": "p"}},
            "reset": ["clear"],
            "discover": False,
            "constants": ["running.mean"],
        }
    },
    "derivative-of-object": {
        "object": {
            "class": "m:A()", "derivative": "prime(x)", "parameters": {"w": {"value": "W", "update": 0.5}},
        }
    },
    "torch": {"torch": "m:layer"},
    "torch-in-full": {
        "torch": {
            "call": "m:Net(K)", "forward": "apply(x)", "device": "cuda:0", "parameters": {"w": "0.weight"},
            "discover": False,
        }
    },
    "jax": {"jax": "m:f(x, w, v)"},
}  # fmt: skip
MORE = {
    "dims": {"K": 3},
    "inputs": {"x": [2, "K"], "w": {"shape": [], "init": "ones", "grad": False}, "v": [1]},
    "params": {"p": 0.1, "q": {"import": "my layers.py:thing(1)"}, "r": {"import": "m:thing"}},
}


@pytest.mark.parametrize("name", TARGETS)
def test_every_target(name: str, tmp_path: Path) -> None:
    """Also from another folder: code is named from there."""
    code, out = tmp_path / "code", tmp_path / "out" / "deep"
    code.mkdir()
    out.mkdir(parents=True)
    (code / "my layers.py").write_text("")
    params = {} if name in {"functions", "jax"} else MORE["params"]
    files = {"preload": ["my layers.py", "old-numpy", "m:set('a b')"], "absent": ["keras"], "pythonpath": ["..", "lib"]}
    (case,) = cases({**TARGETS[name], **MORE, "params": params}, folder=code, **files)
    found = again(case, out)
    assert [Path(folder).resolve() for folder in found.search_path if Path(folder) != out] == [
        Path(folder) for folder in case.search_path
    ]
    same = replace(found, search_path=case.search_path, params=case.params, preload=())
    assert comparable(same) == comparable(replace(case, preload=()))
    assert [Path(entry).resolve() for entry in found.preload[:1]] == [code / "my layers.py"]
    assert found.preload[1:] == case.preload[1:]
    if params:
        assert found.params["q"]["import"] == "../../code/my layers.py:thing(1)"
        assert found.params["r"] == {"import": "m:thing"}


@pytest.mark.parametrize("lists", [{}, {"sweep": {"K": [2, 5], "size": [[1, 2]]}}])
def test_every_other_key(lists: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", a=np.zeros(2))
    np.save(tmp_path / "data.npy", np.zeros(2))
    entry = {
        "name": "1e-6",
        "functions": {"forward": "m:f", "backward": "m:b"},
        "dims": {"K": 3},
        "inputs": {"x": [2, "K"], "y": {"file": "data.npz:a"}, "z": {"file": "data.npy", "dtype": "float16"}},
        "params": {"p": 2, "size": [2, 2]},
        "geometry": {"input": "x", "kernel": ["p", "p"], "stride": 2, "padding": "size", "layout": "HW"},
        "cotangent": [{"file": "data.npz:a"}, {"file": "data.npy"}],
        "scale": {"x": "K", "y": 0.5},
        "checks": ["contracts", "gradients"],
        "expect": "fail",
        "seed": 5,
        "dtype": "longdouble",
        "tolerance": {"atol": 0},
        "timeout": 0.25,
        "memory": 300,
        "method": "dense",
        "max_passes": 7,
        "strict": True,
        "fail_on": "data-loss",
    }
    for case in cases({**entry, **lists}, folder=tmp_path):
        check(case, tmp_path)
        assert again(case, tmp_path).cotangent == (
            ArrayFile(str(tmp_path / "data.npz"), "a"), ArrayFile(str(tmp_path / "data.npy")),
        )  # fmt: skip


def test_every_field_of_a_case_is_written() -> None:
    """A field that the writer does not know is lost: whoever adds one says here that it is written."""
    derived = {"id", "spec", "line", "column", "sweep", "keep", "near", "lengths", "placed", "site", "network"}
    assert {item.name for item in fields(Case)} - derived == {
        "name", "target", "inputs", "params", "window", "seed", "dtype", "tolerance", "timeout", "memory", "method",
        "max_passes", "checks", "expect", "cotangent", "scale", "strict", "fail_on", "search_path", "preload", "absent",
        "reference", "contracts", "allow",
    }  # fmt: skip


def test_code_elsewhere_is_named_by_its_absolute_path(tmp_path: Path) -> None:
    (case,) = cases(TARGETS["torch"] | {"inputs": {"x": [2]}}, folder=tmp_path, pythonpath=["/opt/elsewhere"])
    text = write_case(case, tmp_path)
    assert yaml.safe_load(text)["pythonpath"] == [".", "/opt/elsewhere"]


@pytest.mark.parametrize(
    "text",
    [
        "a.b:c", "f", "a.py:f()", "m:f(1, -2.5, x, 'it\\'s', True, None, 1e999, -1e999, [1, (2,), ()], k={'a': [y]})",
        "m:f(1+2j, b'a', {1, 2}, ...)", "f(self.mask[0].x, dout)",
    ],
)  # fmt: skip
def test_calls_are_written_as_they_are_read(text: str) -> None:
    assert read_call(write_call(read_call(text))) == read_call(text)


LOOKS_LIKE_SOMETHING = [
    "1e-6", "no", "yes", "on", "true", "True", "null", "~", "", " ", "017", "0x1F", "0o7", "1:30", ".inf", ".nan", "-",
    "1_000", "2020-01-01", "<<", "=", "a: b", "a #b", "#a", "- a", "? a", "[a]", "{a}", "&a", "*a", "!a", "|", ">",
    "%a", "@a", "`a", "'", '"', "a\nb", "a\n\nb\n", "\ta", "a ", "\x85", "\u2028", "\ufeff", "\x00", "\x1b",
    "∂x 梯度 🙂", "...", "---", "9" * 70, "+1", "1.", ".5", "1e", "x" * 300, "a,b", "a:b", "://", "a:", ":a", "NULL",
    "é\u0301", "\xa0",
]  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**60), 10**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(LOOKS_LIKE_SOMETHING),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
KEYS = st.one_of(
    st.sampled_from([key for key in LOOKS_LIKE_SOMETHING if key != "<<" and len(key) <= 200]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda key: key not in {"<<", "import"}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def anywhere():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(value=VALUES)
def test_every_parameter_is_written_as_it_is_read(value: Any, anywhere: Path) -> None:
    (bare,) = cases({"functions": {"forward": "m:f", "backward": "m:b"}, "inputs": {"x": [2]}, "params": {"p": 0}})
    check(replace(bare, params={"p": value}), anywhere, *map(Path, bare.search_path))


@pytest.mark.parametrize("text", LOOKS_LIKE_SOMETHING)
def test_text_stays_text(text: str, tmp_path: Path) -> None:
    (bare,) = cases({"functions": {"forward": "m:f", "backward": "m:b"}, "inputs": {"x": [2]}, "params": {"p": 0}})
    for value in (text, [text], {"k": [text, {text: text}]} if text != "<<" and len(text) < 200 else [[text]]):
        assert again(replace(bare, params={"p": value}), tmp_path).params == {"p": value}


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
WHOLE = st.integers(-9, 9)
DRAWN = st.one_of(
    st.builds(lambda mean, std: {"init": "normal", "mean": mean, "std": std}, NUMBERS, NUMBERS.filter(lambda n: n > 0)),
    st.builds(lambda low: {"init": "uniform", "low": low, "high": low + abs(low) + 1}, st.floats(-1e9, 1e9)),
    st.builds(lambda low, more: {"init": "integers", "low": low, "high": low + more}, WHOLE, st.integers(1, 9)),
    st.sampled_from([{}, {"init": "ones"}, {"init": "zeros"}, {"init": "arange"}, {"init": "onehot"}]),
)  # fmt: skip
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4)
INPUTS = st.one_of(
    SHAPES,
    st.builds(lambda drawn, shape: drawn | {"shape": shape}, DRAWN, SHAPES),
    st.builds(lambda drawn, shape: drawn | {"shape": shape, "dtype": "float32", "grad": False}, DRAWN, SHAPES),
    st.lists(st.one_of(NUMBERS, WHOLE), min_size=1, max_size=3).map(lambda values: {"values": [values]}),
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    inputs=st.dictionaries(st.sampled_from(["x", "w", "no", "null", "y_1"]), INPUTS, min_size=1),
    name=st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20),
    tolerance=st.dictionaries(st.sampled_from(["rtol", "atol"]), st.floats(0, 1e300)),
    seed=st.integers(0, 2**63 - 1),
)
def test_every_input_is_written_as_it_is_read(
    inputs: Any, name: str, tolerance: Any, seed: int, anywhere: Path
) -> None:
    entry = {
        "functions": {"forward": "m:f", "backward": "m:b"}, "inputs": {"first": [1], **inputs},
        "seed": seed, "tolerance": tolerance,
    }  # fmt: skip
    (case,) = cases(entry, folder=anywhere)
    check(replace(case, name=name), anywhere)


@pytest.mark.parametrize(
    "entry",
    [
        {"battery": "conv2d", "params": {"p": {"stride": "$stride", "pad": "$padding"}}},
        {"battery": "conv2d", "reference": "conv2d", "params": {"p": {"stride": "$stride", "pad": "$padding"}}},
        {
            "battery": "avgpool2d",
            "reference": "avgpool2d",
            "inputs": {"images": ["$N", "$H", "$W", "$C"]},
            "params": {"size": "$kernel_size", "step": "$stride"},
        },
        {"battery": "relu", "reference": "torch:torch.nn.functional.relu"},
        {"battery": "layernorm", "reference": {"functions": {"forward": "m:f", "backward": "m:b"}}},
    ],
)
def test_a_row_of_a_battery_is_written_with_what_it_is_compared_with(entry: dict[str, Any], tmp_path: Path) -> None:
    """Without the battery, whose rows a later version may change; what it said of the kind is a reference then."""
    for case in cases({"functions": {"forward": "m:f", "backward": "m:b"}, **entry}, folder=tmp_path):
        written = again(case, tmp_path)
        kind = case.reference or replace(case.placed.kind, compared=False, unmapped=())
        assert written.placed is None
        assert written.reference.compared is kind.compared
        assert plain(written.reference.target) == plain(kind.target)
        assert (written.reference.params, written.reference.inputs) == (kind.params, kind.inputs)
        assert written.reference.output == kind.output
        assert {name: item.order for name, item in written.reference.arrangements.items()} == {
            name: item.order for name, item in kind.arrangements.items()
        }
        assert written.window is not None or case.window is None
