"""The command printed for a bad case runs that case alone, and finds the same again."""

from __future__ import annotations

import shlex

import pytest
from workplace import Ran, Workplace

from gradverify.cli.options import Common
from gradverify.cli.reproduction import Reproduction
from gradverify.errors import UsageError
from gradverify.pipeline import select
from gradverify.spec.overriding import Overrides

WRONG = """
    import numpy as np

    def forward(x, scale=1.0, opts=None):
        return scale * x * x, (x, scale)

    def backward(dout, cache):
        x, scale = cache
        return dout * scale * x

    def right(dout, cache):
        return 2 * backward(dout, cache)

    def raises(dout, cache):
        raise ValueError("no")
"""
SPEC = """
    cases:
      - name: conv
        layer: conv2d
        implementation: [im2col, naive]
        dims: {K: 2}
        inputs: {x: [1, 1, 4, 4], w: [1, 1, K, K], b: [1]}
        sweep: {stride: [[1, 2]], K: [1, 2]}
        expect: fail
      - name: "it's 100 % \\"∂x\\" $HOME, a=b `c`"
        functions: {forward: 'wrong:forward', backward: 'wrong:backward'}
        dims: {N: 2}
        inputs: {x: [N]}
        params: {scale: 1.0, opts: {mode: a, size: [1, 1], deep: {er: 0.5}}}
        sweep: {N: [2, 3], opts.mode: [a, 'b c'], opts.size: [[1, 2]], opts.deep.er: [1e-6]}
      - {name: error, functions: {forward: 'wrong:forward', backward: 'wrong:raises'}, inputs: {x: [2]}}
      - {name: fine, functions: {forward: 'wrong:forward', backward: 'wrong:right'}, inputs: {x: [2]}}
      - {name: finer, functions: {forward: 'wrong:forward', backward: 'wrong:right'}, inputs: {x: [2]}}
"""


@pytest.fixture
def place(workplace: Workplace) -> Workplace:
    workplace.write("wrong.py", WRONG)
    workplace.write("my specs/-all of them.yaml", SPEC).rename(workplace.path / "-all of them.yaml")
    return workplace


def followed(place: Workplace, command: str) -> Ran:
    """Run a printed command, with the report as JSON."""
    program, *words = shlex.split(command)
    assert program == "gradverify"
    return place.run(*words, "--format", "json")


def check_round_trip(place: Workplace, *arguments: str, count: int) -> None:
    report = place.run(*arguments, "--format", "json").json
    bad = [case for case in report["cases"] if case["verdict"] not in {"pass", "skip"}]
    assert all(case["reproduce"] is None for case in report["cases"] if case not in bad)
    assert len(bad) == count
    for case in bad:
        again = followed(place, case["reproduce"])
        (found,) = again.json["cases"]
        for field in ("id", "verdict", "reason", "params", "gradients", "reproduce"):
            assert found[field] == case[field]


def test_run(place: Workplace) -> None:
    place.write("wrong.py", WRONG)
    check_round_trip(place, "run", "./-all of them.yaml", count=4 + 4 + 1)


def test_sweep(place: Workplace) -> None:
    """Pairs, nested parameters, dims, words and numbers in other spellings; each command has this case's value."""
    sets = ("opts.size=3x4", "N=2:3", "opts.mode=b c,no", "opts.deep.er=0x1F,1e-6", "padding=1x0")
    words = [word for text in sets for word in ("--set", text)]
    check_round_trip(place, "sweep", "./-all of them.yaml", *words, "-k", "N=3", count=4)


def test_a_folder(place: Workplace) -> None:
    """The file of that case alone is named."""
    place.write("more/a.yaml", "cases: [{name: e, layer: relu, inputs: {x: [2]}, expect: fail}]")
    place.write("more/b.yaml", "cases: [{name: e, layer: relu, inputs: {x: [3]}, expect: fail}]")
    commands = [case["reproduce"] for case in place.run("run", "more", "--format", "json").json["cases"]]
    assert commands == ["gradverify run more/a.yaml --case e", "gradverify run more/b.yaml --case e"]


def test_audit(workplace: Workplace) -> None:
    workplace.write(
        "a.yaml", "cases: [{name: m, layer: maxpool2d, inputs: {x: [1, 1, 5, 5]}, params: {kernel_size: 2}}]"
    )
    (case,) = workplace.run("audit", "a.yaml", "--fail-on", "identity", "--format", "json").json["cases"]
    assert case["reproduce"] == "gradverify audit a.yaml --case m --fail-on identity"
    assert followed(workplace, case["reproduce"]).code == 1


OPTIONS = {
    "--seed": "5", "--dtype": "float32", "--rtol": "1e-07", "--atol": "0.0", "--timeout": "12.5", "--memory": "900",
    "--method": "dense", "--max-passes": "1000", "--fail-on": "data-loss",
}  # fmt: skip


def test_options_that_decide_are_repeated_and_no_others(place: Workplace) -> None:
    words = [word for option in OPTIONS.items() for word in option]
    given = ("./-all of them.yaml", "-k", "N=2", "--fail-fast", "-v", "--strict", *words)
    cases = place.run("run", *given, "--format", "json").json["cases"]
    command = next(case["reproduce"] for case in cases if case["reproduce"])
    assert shlex.split(command)[:2] == ["gradverify", "run"]
    assert shlex.split(command)[5:] == [*words, "--strict"]


def test_the_line_is_neither_wrapped_nor_cut(place: Workplace) -> None:
    """Also in a narrow terminal, with colours; and it is below what is said about the case."""
    cases = place.run("run", "./-all of them.yaml", "--format", "json").json["cases"]
    for env in ({"COLUMNS": "80"}, {"COLUMNS": "30", "FORCE_COLOR": "1"}, {}):
        lines = place.run("run", "./-all of them.yaml", **env).stdout.splitlines()
        told = [line.strip().removeprefix("reproduce: ") for line in lines if line.startswith("     ")]
        shown = [line for line in told if line.startswith("gradverify run")]
        assert sorted(shown) == sorted(case["reproduce"] for case in cases if case["reproduce"])
        assert max(map(len, shown)) > 120


@pytest.mark.parametrize("command", ["run", "audit"])
def test_case_selects_by_the_exact_id(place: Workplace, command: str) -> None:
    ran = place.run(command, "./-all of them.yaml", "--case", "fine", "--case", "error", "--collect-only")
    assert ran.stdout.split() == ["error", "fine"]
    wrong = place.run(command, "./-all of them.yaml", "--case", "fine", "--case", "eror")
    assert (wrong.code, wrong.stdout) == (2, "")
    assert wrong.stderr == "Error: --case 'eror': no case has this id, did you mean 'error'?\n"
    assert place.run(command, "./-all of them.yaml", "--case", "fine", "-k", "error").code == 5


def test_an_id_as_the_terminal_shows_it_is_the_id(workplace: Workplace) -> None:
    """What cannot be seen is written out there."""
    file = str(workplace.write("a.yaml", 'cases: [{name: "a\\u00a0b", layer: relu, inputs: {x: [2]}}]'))
    assert len(select((file,), Overrides(), ids=("a\\xa0b",)).cases) == 1
    assert len(select((file,), Overrides(), ids=("a\xa0b",)).cases) == 1
    with pytest.raises(UsageError, match="no case has this id"):
        select((file,), Overrides(), ids=("a b",))


def test_only_keys_that_the_case_has_are_set(place: Workplace) -> None:
    overrides = Overrides(sweeps={"stride": "2", "N": "3"})
    cases = select((str(place.path / "-all of them.yaml"),), overrides, "N=3").cases
    common = Common(
        specs=(), ids=(), formats=(), keyword=None, seed=None, dtype=None, rtol=None, atol=None, timeout=None,
        workers=None, fail_fast=False, fail_on=None, strict=False, collect_only=False, allow_empty=False, quiet=False,
            verbose=False,
    )  # fmt: skip
    words = shlex.split(Reproduction("sweep", common, ("stride", "N"))(cases[0]))
    assert words[5:] == ["--set", "N=3"]
