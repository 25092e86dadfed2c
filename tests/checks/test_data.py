"""Data depend on the seed, the case's name and the input's name, and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import cases

from gradverify.checks.data import cotangents_of, differentiable_names, file_shape, inputs_of
from gradverify.errors import SpecError, TargetError

FUNCTIONS = {"forward": "os:getcwd", "backward": "os:getcwd"}


def case(inputs, folder=None, seed=None, **entry):
    (found,) = cases({"functions": FUNCTIONS, "inputs": inputs, **entry}, folder=folder, seed=seed)
    return found


def data(inputs, folder=None, **entry):
    return inputs_of(case(inputs, folder, **entry))


def test_order_of_inputs_and_other_inputs_do_not_matter():
    one = data({"x": [3], "w": [2, 2]})
    other = data({"w": [2, 2], "extra": [5], "x": [3]})
    np.testing.assert_array_equal(one["x"], other["x"])
    np.testing.assert_array_equal(one["w"], other["w"])


def test_sweep_implementation_and_place_do_not_matter_but_name_and_seed_do():
    entry = {"layer": "conv2d", "implementation": "all", "inputs": {"x": [1, 1, 4, 4], "w": [1, 1, 2, 2], "b": [1]}}
    swept = cases({**entry, "sweep": {"stride": [1, 2]}}, {**entry, "name": "other"})
    first = inputs_of(swept[0])["x"]
    for item in swept[1:6]:
        np.testing.assert_array_equal(inputs_of(item)["x"], first)
    assert len(swept) == 9
    assert not np.any(inputs_of(swept[6])["x"] == first)
    assert not np.any(inputs_of(case(entry["inputs"], seed=1))["x"] == first)
    np.testing.assert_array_equal(inputs_of(case(entry["inputs"], seed=0))["x"], first)


def test_single_precision_is_the_double_one_rounded():
    double, single = data({"x": [3]}), data({"x": [3]}, dtype="float32")
    assert single["x"].dtype == np.float32
    np.testing.assert_array_equal(single["x"], double["x"].astype(np.float32))
    own = data({"x": {"shape": [3], "dtype": "float32"}})
    np.testing.assert_array_equal(own["x"], single["x"])


def test_cotangents_come_from_streams_of_their_own():
    subject = case({"x": [3]})
    out = np.zeros(3)
    first, second = cotangents_of(subject, (out, out))
    assert not np.any(first == second)
    assert not np.any(first == inputs_of(subject)["x"])
    np.testing.assert_array_equal(cotangents_of(subject, (out,))[0], first)
    assert cotangents_of(subject, (np.zeros(3, np.float32),))[0].dtype == np.float32


def test_integers_and_constants_have_no_gradient():
    subject = case(
        {
            "x": [2],
            "labels": {"shape": [2], "init": "integers", "high": 3},
            "scale": {"shape": [2], "grad": False},
            "table": {"values": [1.5, 2.5]},
        }
    )
    inputs = inputs_of(subject)
    assert inputs["labels"].dtype.kind == "i"
    assert differentiable_names(subject, inputs) == ("x", "table")
    np.testing.assert_array_equal(inputs["table"], [1.5, 2.5])


@pytest.fixture
def folder(tmp_path):
    """Return a folder with data files."""
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.savez(tmp_path / "data.npz", table=table, count=np.array([1, 2]), bad=np.array([1.0, np.nan]), z=np.array([1j]))
    np.save(tmp_path / "data.npy", table)
    np.save(tmp_path / "pickled.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "text.npy").write_text("no array")
    return tmp_path


def test_files_are_read_relative_to_the_spec(folder):
    found = data({"x": {"file": "data.npz:table"}, "y": {"file": "data.npy"}, "n": {"file": "data.npz:count"}}, folder)
    np.testing.assert_array_equal(found["x"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["y"], found["x"])
    assert (found["x"].dtype, found["n"].dtype.kind) == (np.float64, "i")
    subject = case({"x": {"file": "data.npz:table"}, "n": {"file": "data.npz:count"}}, folder)
    assert differentiable_names(subject, inputs_of(subject)) == ("x",)
    assert file_shape(subject.inputs[0]) == (2, 3)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("data.npz:tabel", "there is no 'tabel' in .*data.npz, expected table, count"),
        ("data.npz:bad", "holds float64, expected finite real numbers"),
        ("data.npz:z", "holds complex128, expected finite real numbers"),
        ("pickled.npy", "cannot be read: .*allow_pickle=False"),
        ("text.npy", "cannot be read"),
    ],
)
def test_files_that_cannot_be_used(folder, file, message):
    with pytest.raises(TargetError, match=message):
        data({"x": {"file": file}}, folder)


def test_file_that_is_gone_when_the_case_runs_is_told(folder):
    subject = case({"x": {"file": "data.npy"}}, folder)
    (folder / "data.npy").unlink()
    with pytest.raises(TargetError, match=r"input 'x': .*data.npy cannot be read: .*No such file"):
        inputs_of(subject)


@pytest.mark.parametrize("file", ["data.npz", "data.npy:key", "missing.npy"])
def test_key_without_need_or_need_without_key_is_told_before_anything_runs(folder, file):
    with pytest.raises(SpecError, match=r"spec\.yaml:1:\d+: .*\.np[yz]"):
        data({"x": {"file": file}}, folder)


def test_cotangents_from_files_are_taken_as_they_are(folder):
    weights = [{"file": "data.npz:table"}, {"file": "data.npz:count"}]
    found = case({"x": [3]}, folder, cotangent=weights)
    for kind in ("random", "ones"):
        first, second = cotangents_of(found, (np.zeros((2, 3), np.float32), np.zeros(2)), kind)
        np.testing.assert_array_equal(first, [[0, 1, 2], [3, 4, 5]])
        np.testing.assert_array_equal(second, [1, 2])
        assert (first.dtype, second.dtype) == (np.float32, np.float64)
    (alone,) = cotangents_of(case({"x": [3]}, folder, cotangent={"file": "data.npy"}), (np.zeros((2, 3)),))
    np.testing.assert_array_equal(alone, first)


@pytest.mark.parametrize(
    ("weights", "shapes", "message"),
    [
        (["data.npy"], [(2, 3), (2,)], "cotangent: 1 in files, expected 2, one for each output"),
        (["data.npy"], [(3, 2)], r"cotangent 1: .*data.npy has shape \[2, 3\], expected \[3, 2\] as the output"),
        (["data.npy", "data.npz:tabel"], [(2, 3), (2,)], "cotangent 2: there is no 'tabel' in .*, expected table,"),
        (["data.npz:bad"], [(2,)], "cotangent 1: .* holds float64, expected finite real numbers"),
        (["pickled.npy"], [(1,)], "cotangent 1: .*pickled.npy cannot be read"),
    ],
)
def test_cotangents_that_do_not_fit_are_named(folder, weights, shapes, message):
    found = case({"x": [3]}, folder, cotangent=[{"file": name} for name in weights])
    with pytest.raises(TargetError, match=message):
        cotangents_of(found, tuple(np.zeros(shape) for shape in shapes))
