"""What --save-failures leaves behind: a spec that finds the same again, and the arrays behind it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from workplace import ROOT, Ran, Workplace

from gradverify.cli import failures
from gradverify.cli.failures import SavedFailures, file_stem
from gradverify.errors import UsageError
from gradverify.pipeline import select
from gradverify.results import Verdict
from gradverify.spec.overriding import Overrides

CODE = """
    import numpy as np

    class Dense:
        def __init__(self, scale):
            self.W = np.arange(6.0).reshape(3, 2) / 7
            self.scale = scale

        def forward(self, x):
            self.x = x
            return self.scale * x @ self.W

        def backward(self, dout):
            self.dW = self.x.T @ dout
            return self.scale * dout @ self.W.T

    def forward(x, scale=1.0):
        return scale * x * x, (x, scale)

    def wrong(dout, cache):
        x, scale = cache
        return 1.9 * dout * scale * x

    def right(dout, cache):
        x, scale = cache
        return 2 * dout * scale * x

    def raises(dout, cache):
        raise ValueError("no such luck")

    def two(x, w):
        return np.tanh(x), x * w

    def two_wrong(dout, dout2, x, w):
        return dout * (1 - np.tanh(x) ** 2) + dout2 * w, dout * x

    def loss(x, y):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        g = p.copy()
        g[np.arange(len(y)), y] -= 1
        return -np.log(p[np.arange(len(y)), y]).mean(), g

    BUFFER = np.zeros(2, np.float32)

    def buffered(dout, cache):
        BUFFER[:] = 1.9 * dout * cache[0]
        return BUFFER

    def shape(dout, cache):
        return dout[:1]

    def text(dout, cache):
        return "nothing"

    def dense(x, w):
        return np.tanh(x @ w), (x, w)

    def dense_wrong(dout, cache):
        x, w = cache
        dz = dout * (1 - np.tanh(x @ w) ** 2)
        dw = x.T @ dz
        dw[7, 9] *= 1.01
        return dz @ w.T, dw

    def wide(dout, cache):
        return right(dout, cache).astype(np.float64)

    class Scale:
        def __init__(self, by):
            self.by = by
        def __rmul__(self, other):
            return self.by * other
        def __mul__(self, other):
            return self.by * other
"""
WRONG = {"functions": {"forward": "layers:forward", "backward": "layers:wrong"}, "inputs": {"x": [2]}}
CASES: dict[str, dict[str, Any]] = {
    "sweep": {
        "functions": {"forward": "layers:forward", "backward": "layers:wrong"}, "dims": {"N": 3},
        "inputs": {"x": [2, "N"]}, "params": {"scale": 1.0}, "sweep": {"N": [2, 3], "scale": [0.5]},
    },
    "float32": {**WRONG, "dtype": "float32"},
    "buffered": {
        "functions": {"forward": "layers:forward", "backward": "layers:buffered"}, "inputs": {"x": [2]},
        "dtype": "float32",
    },
    "longdouble": {**WRONG, "dtype": "longdouble"},
    "object": {"object": "layers:Dense(2.0)", "inputs": {"x": [4, 3]}},
    "file": {
        "functions": {"forward": "code/layers.py:forward", "backward": "code/layers.py:wrong"}, "inputs": {"x": [2]},
    },
    "import": {
        **WRONG, "params": {"scale": {"import": "code/layers.py:Scale(3.0)"}},
    },
    "layer": {
        "layer": "conv2d", "inputs": {"x": [1, 1, 5, 5], "w": [1, 1, 3, 3], "b": [1]}, "params": {"stride": [1, 2]},
        "expect": "fail",
    },
    "reference": {
        "layer": "conv2d", "implementation": "all", "inputs": {"x": [1, 1, 4, 4], "w": [1, 1, 3, 3], "b": [1]},
        "expect": "fail",
    },
    "labels": {"layer": "softmax_loss", "inputs": {"x": [3, 4], "y": [3]}, "expect": "fail"},
    "loss": {
        "functions": {"forward": "layers:loss", "returns": ["out", "grad"]},
        "inputs": {"x": [3, 4], "y": {"shape": [3], "init": "integers", "high": 4}},
    },
    "two": {
        "functions": {"forward": "layers:two", "backward": "layers:two_wrong", "returns": ["out", "out2"]},
        "inputs": {"x": [3], "w": [3]},
    },
    "scaled": {
        "functions": {"forward": "layers:forward", "backward": "layers:right"}, "inputs": {"x": [2]}, "scale": {"x": 3},
        "cotangent": "mean",
    },
    "onehot": {
        "functions": {"forward": "layers:two", "backward": "layers:two_wrong", "returns": ["out", "out2"]},
        "inputs": {"x": [2, 3], "w": {"shape": [2, 3], "init": "onehot"}},
    },
    "error": {"functions": {"forward": "layers:forward", "backward": "layers:raises"}, "inputs": {"x": [2]}},
    "unknown": {"functions": {"forward": "layers:nothing", "backward": "layers:raises"}, "inputs": {"x": [2]}},
    "shape": {"functions": {"forward": "layers:forward", "backward": "layers:shape"}, "inputs": {"x": [3]}},
    "text": {"functions": {"forward": "layers:forward", "backward": "layers:text"}, "inputs": {"x": [3]}},
    "impossible": {"layer": "conv2d", "inputs": {"x": [1, 1, 2, 2], "w": [1, 1, 3, 3], "b": [1]}},
    "indivisible": {
        "layer": "groupnorm", "inputs": {"x": [2, 3, 2], "gamma": [3], "beta": [3]}, "params": {"groups": 2},
    },
    "over-budget": {
        "functions": {"forward": "layers:forward", "backward": "layers:right"}, "inputs": {"x": [40]},
        "method": "dense", "max_passes": 3,
    },
    "fine": {"functions": {"forward": "layers:forward", "backward": "layers:right"}, "inputs": {"x": [2]}},
    "caught": {**WRONG, "expect": "fail"},
}  # fmt: skip
NO_ARCHIVE = {"unknown", "impossible", "indivisible"}
SAME = ("verdict", "reason", "expect", "params", "contracts", "gradients")


def spec_of(**entries: Any) -> str:
    listed = [{"name": name, **entry} for name, entry in entries.items()]
    return yaml.safe_dump({"seed": 3, "pythonpath": ["code"], "cases": listed}, sort_keys=False)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, Ran]:
    """Return a folder in which a run has saved its failures, and that run."""
    place = Workplace(tmp_path_factory.mktemp("work"))
    place.write("code/layers.py", CODE)
    place.write(
        "specs/a.yaml", spec_of(**CASES).replace("- code", "- ../code").replace("code/layers.py", "../code/layers.py")
    )
    return place, place.run("run", "specs/a.yaml", "--format", "json", "--save-failures", "deep/out")


def of(place: Workplace, name: str, suffix: str = ".npz") -> Path:
    (path,) = (place.path / "deep/out").glob(f"{name}-*{suffix}")
    return path


def arrays_of(place: Workplace, name: str) -> dict[str, np.ndarray]:
    with np.load(of(place, name), allow_pickle=False) as loaded:
        return dict(loaded)


def test_every_failure_is_saved_and_nothing_else(saved: tuple[Workplace, Ran]) -> None:
    place, ran = saved
    bad = [case for case in ran.json["cases"] if case["verdict"] in {"fail", "inconclusive", "error"}]
    assert {case["name"] for case in bad} == set(CASES) - {"fine", "caught"}
    assert {case["verdict"] for case in bad} == {"fail", "inconclusive", "error"}
    assert f"saved {len(bad)} failures in deep/out\n" in ran.stderr
    names = {path.name.rpartition("-")[0] for path in (place.path / "deep/out").iterdir()}
    assert len(list((place.path / "deep/out").glob("*.yaml"))) == len(bad)
    archives = {path.name.rpartition("-")[0] for path in (place.path / "deep/out").glob("*.npz")}
    assert names - archives == NO_ARCHIVE


def test_the_saved_specs_find_the_same_again(saved: tuple[Workplace, Ran]) -> None:
    place, ran = saved
    again = {case["spec"]: case for case in place.run("run", "deep/out", "--format", "json").json["cases"]}
    bad = [case for case in ran.json["cases"] if case["reproduce"]]
    chosen = select((str(place.path / "specs/a.yaml"),), Overrides()).cases
    stems = {file_stem(case, place.path / "deep/out"): case.id for case in chosen}
    assert len(again) == len(bad)
    for case in bad:
        (stem,) = (stem for stem, name in stems.items() if name == case["id"])
        found = again[f"deep/out/{stem}.yaml"]
        if case["name"] == "import":
            assert found["params"]["scale"]["import"] == "../../code/layers.py:Scale(3.0)"
            case["params"] = found["params"]
        assert {field: found[field] for field in SAME} == {field: case[field] for field in SAME}, case["id"]
        assert found["id"] == case["name"]


def test_the_arrays_are_those_of_the_report(saved: tuple[Workplace, Ran]) -> None:
    place, ran = saved
    for case in ran.json["cases"]:
        if case["name"] in {"fine", "caught", "sweep", "reference", *NO_ARCHIVE}:
            continue
        arrays = arrays_of(place, case["name"])
        for part in case["gradients"]:
            name, worst = part["input"], part["worst"]
            assert list(arrays[f"inputs/{name}"].shape) == part["shape"]
            assert (f"numerical/{name}" in arrays) is (part["compared"] > 0)
            if worst is None:
                continue
            index = tuple(worst["index"])
            assert float(arrays[f"analytic/{name}"][index]) == worst["analytic"]
            assert float(arrays[f"numerical/{name}"][index]) == worst["numerical"]
            assert float(np.max(arrays[f"error_bar/{name}"])) == part["error_bar"]


def test_what_the_archives_hold(saved: tuple[Workplace, Ran]) -> None:
    place, _ = saved
    two = arrays_of(place, "two")
    assert list(two) == [
        "inputs/x", "inputs/w", "cotangent", "cotangent2", "analytic/x", "analytic/w", "numerical/x", "error_bar/x",
        "numerical/w", "error_bar/w",
    ]  # fmt: skip
    np.testing.assert_allclose(two["numerical/w"], two["cotangent2"] * two["inputs/x"], rtol=1e-9)
    np.testing.assert_array_equal(two["analytic/w"], two["cotangent"] * two["inputs/x"])
    assert arrays_of(place, "loss")["inputs/y"].dtype == np.int64
    assert {arrays_of(place, "float32")[name].dtype for name in ("inputs/x", "cotangent", "analytic/x")} == {
        np.dtype(np.float32)
    }
    longdouble = arrays_of(place, "longdouble")
    assert {longdouble[name].dtype for name in ("inputs/x", "cotangent", "analytic/x")} == {np.dtype(np.longdouble)}
    assert "inputs/W" in arrays_of(place, "object")
    assert list(arrays_of(place, "error")) == ["inputs/x", "cotangent"]
    assert list(arrays_of(place, "text")) == ["inputs/x", "cotangent"]
    assert arrays_of(place, "shape")["analytic/x"].shape == (1,)
    buffered = arrays_of(place, "buffered")  # that of the point, though its buffer holds that of another one by now
    np.testing.assert_array_equal(buffered["analytic/x"], 1.9 * buffered["cotangent"] * buffered["inputs/x"])
    np.testing.assert_allclose(arrays_of(place, "scaled")["cotangent"], [0.5, 0.5])


def test_the_saved_specs_are_for_people_too(saved: tuple[Workplace, Ran]) -> None:
    place, _ = saved
    file = of(place, "layer", ".yaml")
    assert file.read_text().startswith("# fail layer (specs/a.yaml:")
    assert f"\n# gradverify run {file.name}\n" in file.read_text()
    document = yaml.safe_load(of(place, "sweep-N=3,scale=0.5", ".yaml").read_text())
    assert document["pythonpath"] == ["../../specs", "../../code"]
    (case,) = document["cases"]
    assert (case["params"], "sweep" in case) == ({"scale": 0.5}, False)
    for name, count in (("layer", 1), ("two", 2)):
        (case,) = yaml.safe_load(of(place, name, ".yaml").read_text())["cases"]
        weights = [f"{of(place, name).name}:cotangent{number}" for number in ("", 2)][:count]
        listed = [{"file": weight} for weight in weights]
        assert case["cotangent"] == (listed if count > 1 else listed[0])


def test_a_moved_folder_is_still_found(saved: tuple[Workplace, Ran], tmp_path: Path) -> None:
    """Code and failures may move together: paths are relative."""
    place, _ = saved
    shutil.copytree(place.path, tmp_path / "moved")
    file = of(Workplace(tmp_path / "moved"), "import", ".yaml")
    (case,) = Workplace(file.parent).run("run", file.name, "--format", "json").json["cases"]
    assert case["verdict"] == "fail"


def test_another_run_replaces_and_leaves_nothing_else(saved: tuple[Workplace, Ran]) -> None:
    place, _ = saved
    before = {path.name: path.read_bytes() for path in (place.path / "deep/out").iterdir()}
    of(place, "error", ".yaml").write_text("not what it was")
    again = place.run("run", "specs/a.yaml", "--case", "error", "--case", "layer", "--save-failures", "deep/out")
    assert again.stderr == "saved 2 failures in deep/out\n"
    assert {path.name: path.read_bytes() for path in (place.path / "deep/out").iterdir()} == before


def test_options_of_the_command_line_are_part_of_the_spec(workplace: Workplace) -> None:
    workplace.write("code/layers.py", CODE)
    warns = {"functions": {"forward": "layers:forward", "backward": "layers:wide"}, "inputs": {"x": [2]}}
    gap = {"layer": "maxpool2d", "inputs": {"x": [1, 1, 5, 5]}, "params": {"kernel_size": 2}}
    off = CASES["sweep"] | {"tolerance": {"rtol": 0.5}, "sweep": {"N": [2]}}
    workplace.write("a.yaml", spec_of(warns=warns, gap=gap, off=off))
    assert workplace.run("run", "a.yaml").code == 0
    words = ["--seed", "8", "--dtype", "float32", "--rtol", "1e-3", "--atol", "0", "--method", "dense", "--strict"]
    more = ["--max-passes", "500", "--memory", "2000", "--timeout", "30", "--fail-on", "identity", "--set", "scale=2,4"]
    given = ["sweep", "a.yaml", *words, *more, "--format", "json", "--save-failures", "out"]
    first = {case["id"]: case for case in workplace.run(*given).json["cases"]}
    assert {name: case["verdict"] for name, case in first.items()} == dict.fromkeys(
        ["warns", "gap", "off/N=2,scale=2", "off/N=2,scale=4"], "fail"
    )
    assert len(list((workplace.path / "out").glob("*.npz"))) == 4
    found = workplace.run("run", "out", "--format", "json").json
    assert (found["seed"], found["verdict"]) == (8, "fail")
    for case in found["cases"]:
        same = [part for part in first.values() if (part["name"], part["params"]) == (case["name"], case["params"])]
        assert [{field: part[field] for field in SAME} for part in same] == [{field: case[field] for field in SAME}]
    tops = [yaml.safe_load(file.read_text())["cases"][0] for file in (workplace.path / "out").glob("off*.yaml")]
    assert all((case["timeout"], case["memory"], case["max_passes"]) == (30, 2000, 500) for case in tops)


def test_a_certificate_has_no_numerical_gradient(workplace: Workplace) -> None:
    workplace.write("code/layers.py", CODE)
    entry = {
        "functions": {"forward": "layers:dense", "backward": "layers:dense_wrong"},
        "inputs": {"x": [4, 60], "w": [60, 80]},
        "method": "certificate",
    }
    workplace.write("a.yaml", spec_of(certified=entry))
    (case,) = workplace.run("run", "a.yaml", "--save-failures", "deep/out", "--format", "json").json["cases"]
    assert [part["compared"] for part in case["gradients"]] == [0, 4800]
    assert list(arrays_of(workplace, "certified")) == [
        "inputs/x", "inputs/w", "cotangent", "analytic/x", "analytic/w", "numerical/w", "error_bar/w",
    ]  # fmt: skip


def test_code_in_a_package_around_the_folder(workplace: Workplace) -> None:
    """A path that leads up and down again names the same module of the same package."""
    workplace.write("pack/__init__.py", "")
    workplace.write("pack/inner.py", "FACTOR = 1.9\n")
    workplace.write(
        "pack/mine.py",
        "from .inner import FACTOR\ndef f(x): return x * x, x\ndef b(dout, x): return FACTOR * dout * x\n",
    )
    entry = {"functions": {"forward": "pack/mine.py:f", "backward": "pack/mine.py:b"}, "inputs": {"x": [2]}}
    workplace.write("a.yaml", spec_of(packed=entry))
    assert workplace.run("run", "a.yaml", "--save-failures", "pack/out").code == 1
    assert workplace.run("run", "pack/out").code == 1


def test_what_cannot_be_written_is_wrong_usage_and_nothing_runs(workplace: Workplace) -> None:
    workplace.write("code/layers.py", "open('ran', 'w')")
    workplace.write("a.yaml", spec_of(fine=CASES["fine"]))
    for folder in ("a.yaml", "a.yaml/deeper", "/proc/nowhere", "no/../a.yaml"):
        ran = workplace.run("run", "a.yaml", "--save-failures", folder)
        assert (ran.code, ran.stdout) == (2, ""), folder
        assert ran.stderr.startswith(f"Error: --save-failures: '{folder}' cannot be written")
    assert not (workplace.path / "code/ran").exists()
    assert workplace.run("audit", "a.yaml", "--save-failures", "out").code == 2


def test_nothing_is_said_and_nothing_made_where_nothing_runs(workplace: Workplace) -> None:
    workplace.write("code/layers.py", CODE)
    workplace.write("a.yaml", spec_of(fine=CASES["fine"]))
    assert workplace.run("run", "a.yaml", "--save-failures", "out", "--collect-only").code == 0
    assert not (workplace.path / "out").exists()
    ran = workplace.run("run", "a.yaml", "--save-failures", "out")
    assert (ran.code, ran.stderr) == (0, "")
    assert list((workplace.path / "out").iterdir()) == []


def test_names_are_safe_unique_and_stable(workplace: Workplace) -> None:
    names = ["a b", "a:b", "a?b", "../../etc", "..", "∂", "x" * 190, "x" * 191, "CON", "-v", "A B"]
    workplace.write("a.yaml", spec_of(**{name: {"layer": "relu", "inputs": {"x": [2]}} for name in names}))
    workplace.write("b.yaml", (workplace.path / "a.yaml").read_text())
    chosen = select((str(workplace.path / "a.yaml"), str(workplace.path / "b.yaml")), Overrides()).cases
    stems = [file_stem(case, workplace.path / "out") for case in chosen]
    assert len({stem.lower() for stem in stems}) == 2 * len(names)
    assert all(stem.isascii() and len(stem) < 120 and not stem.startswith((".", "-")) for stem in stems)
    assert not any(sign in stem for stem in stems for sign in '/\\:*?"<>| ')
    alone = select((str(workplace.path / "b.yaml"),), Overrides(), ids=("a b",)).cases
    assert file_stem(alone[0], workplace.path / "out") == stems[len(names)]


def test_a_case_that_cannot_be_saved_is_named_and_the_run_goes_on(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is gone in the middle of a run."""
    file = str(workplace.write("a.yaml", spec_of(a={"layer": "relu", "inputs": {"x": [2]}})))
    (case,) = select((file,), Overrides()).cases
    folder = workplace.path / "out"
    listener = SavedFailures(folder, (case,))
    folder.rmdir()
    listener.case(case.result(Verdict.FAIL, None))
    assert capsys.readouterr().err.startswith(f"a is not saved in {folder}: ")
    (workplace.path / "plain").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        SavedFailures(workplace.path / "plain", ())


def test_a_failure_that_is_in_its_place_counts_though_an_interrupt_comes_next(workplace, monkeypatch, capsys):
    file = workplace.write("a.yaml", "cases: [{name: a, layer: relu, inputs: {x: [2]}}]")
    (case,) = select((str(file),), Overrides()).cases
    listener = SavedFailures(workplace.path / "out", (case,))

    def interrupted(*_specs):
        raise KeyboardInterrupt

    monkeypatch.setattr(failures, "expand", interrupted)
    with pytest.raises(KeyboardInterrupt):
        listener.case(case.result(Verdict.FAIL, None))
    listener.finish(None)
    assert capsys.readouterr().err == f"saved 1 failure in {workplace.path / 'out'}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_an_interrupted_run_keeps_what_it_found(workplace: Workplace) -> None:
    workplace.write("code/layers.py", CODE + "\n    def slow(x):\n        import time\n        time.sleep(60)\n")
    slow = {"functions": {"forward": "layers:slow", "backward": "layers:wrong"}, "inputs": {"x": [2]}}
    workplace.write("a.yaml", spec_of(file=CASES["float32"], slow=slow))
    command = [sys.executable, "-m", "gradverify", "run", "a.yaml", "--workers", "1", "--save-failures", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=workplace.path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list((workplace.path / "out").glob("file-*.yaml")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr == "saved 1 failure in out\n"
    assert workplace.run("run", "out").code == 1
