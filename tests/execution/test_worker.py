"""What user code raises, prints, closes and sees in a worker."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradverify.execution import executor
from gradverify.execution.jobs import Job, Lost

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and sessions are POSIX")

WHERE = "import gradverify, sys\ndef call(p):\n    return [gradverify.__file__, *sys.path]\n"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (("stop_program", SystemExit(3)), "SystemExit: 3 ("),
        (("stop_program", SystemExit()), "SystemExit ("),
        (("stop_program", KeyboardInterrupt()), "KeyboardInterrupt ("),
        (("stop_program", GeneratorExit()), "GeneratorExit ("),
        (("stop_program", MemoryError("too much")), "MemoryError: too much ("),
        (("stop_program", ValueError("x" * 10_000)), "ValueError: " + "x" * 1000 + "... ("),
        (("vicious",), "Vicious: (its message raised RuntimeError) ("),
        (("recurse",), "RecursionError: maximum recursion depth exceeded"),
        (("generator",), "its answer cannot be sent: TypeError: cannot pickle 'generator' object"),
        (("nested",), "its answer cannot be sent: RecursionError: "),
        (("only_here",), "its answer cannot be read: ModuleNotFoundError: No module named 'errands'"),
        (("absent",), "KeyError: 'absent' ("),
    ],
    ids=lambda given: None if isinstance(given, str) else given[0],
)
def test_whatever_is_raised_is_lost_and_the_worker_lives_on(errand, payload, reason):
    before, lost, after = errand(("whoami",), payload, ("whoami",))
    assert isinstance(lost, Lost)
    assert lost.reason.startswith(reason)
    assert before.value[0] == after.value[0]


@pytest.mark.parametrize(
    ("payload", "line", "reason"),
    [
        (("stop_program", ValueError("wrong")), "    raise how", "ValueError: wrong"),
        (("fail_in_a_library",), "    return subprocess.run(", "TypeError: expected str, bytes or os.PathLike object"),
    ],
)
def test_an_error_names_its_place_in_user_code(errand, user_code, payload, line, reason):
    [lost] = errand(payload)
    file = Path(user_code[0], "errands.py")
    lines = file.read_text(encoding="utf-8").splitlines()
    [number] = [number for number, text in enumerate(lines, 1) if text.startswith(line)]
    assert lost.reason.startswith(reason)
    assert lost.reason.endswith(f" ({file}, line {number}, in {payload[0]})")


def test_a_function_that_does_not_exist_loses_every_job():
    outcomes = list(executor("processes", 2).run("no_such_module:call", [Job(1, (), 5.0)] * 3))
    assert [outcome.reason.split(" (")[0] for outcome in outcomes] == [
        "ModuleNotFoundError: No module named 'no_such_module'"
    ] * 3


def test_nothing_user_code_prints_reaches_our_streams(errand, capfd):
    outcomes = errand(("garbage",), ("close_streams",), ("garbage",), ("replace_streams",), ("garbage",))
    assert [outcome.value for outcome in outcomes] == ["fine", "closed", "fine", "replaced", "fine"]
    assert capfd.readouterr() == ("", "")


def test_the_output_is_of_this_job_only(errand):
    text = "".join(f"line {number}\n" for number in range(100))
    printed = ("say", text, "stdout"), ("say", "half", "stderr")
    *_, crash, _, _, error = errand(*printed, ("leave", 1), *printed, ("vicious",))
    assert crash.output == "last words"
    assert error.output == ""


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_an_unfinished_line_before_an_error_is_kept(tmp_path, where):
    text = "".join(f"line {number}\n" for number in range(100))
    source = (
        "import sys\n"
        "def call(text):\n"
        f"    sys.{where}.write(text)\n"
        f"    sys.{where}.write('half')\n"
        "    raise ValueError\n"
    )
    (tmp_path / "talker.py").write_text(source, encoding="utf-8")
    [lost] = executor("processes", 1).run("talker:call", [Job(text, (str(tmp_path),), 5.0)])
    assert lost.output.splitlines() == [f"line {number}" for number in range(91, 100)] + ["half"]


def test_endless_printing_does_not_fill_the_disk(errand):
    [done] = errand(("print_much", 32 * 2**20))
    assert done.value == 0


@posix_only
def test_a_fork_of_user_code_does_not_answer_twice(errand):
    outcomes = errand(("fork",), ("value", 1), ("fork",), ("value", 2))
    assert [outcome.value for outcome in outcomes] == ["parent", 1, "parent", 2]


def test_a_thread_left_behind_holds_nobody_up(errand):
    started = time.monotonic()
    assert [outcome.value for outcome in errand(("leave_thread",), ("value", 1))] == ["left", 1]
    assert time.monotonic() - started < 5


def test_a_megabyte_goes_there_and_back(errand):
    [done] = errand(("value", b"x" * 5_000_000))
    assert len(done.value) == 5_000_000


def test_user_code_sees_a_clean_interpreter(errand, user_code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [done] = errand(("whoami",))
    process, argv, path, folder = done.value
    assert process != os.getpid()
    assert argv == ["-c"]
    assert path[0] == user_code[0]
    assert not {"", str(tmp_path)} & set(path)
    assert folder == str(tmp_path)


def test_the_gradverify_of_a_worker_is_that_of_its_parent_though_it_is_on_no_path(tmp_path):
    shutil.copytree(Path(executor.__code__.co_filename).parents[1], tmp_path / "tree" / "gradverify")
    (tmp_path / "where.py").write_text(WHERE)
    code = (
        "import sys; tree, folder = sys.argv[1:]; sys.path.insert(0, tree)\n"
        "from gradverify.execution import executor\n"
        "from gradverify.execution.jobs import Job\n"
        "print(*next(executor('processes', 1).run('where:call', [Job(0, (folder,), 20.0)])).value, sep='\\n')\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "tree"), str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert found[0] == str(tmp_path / "tree" / "gradverify" / "__init__.py")
    assert found[1] == str(tmp_path)
    assert str(tmp_path / "tree") not in found


def test_one_thread_for_blas_and_buffers_that_stay(errand, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    names = ["OMP", "OPENBLAS", "MKL", "NUMEXPR"]
    variables = [f"{name}_NUM_THREADS" for name in names] + ["VECLIB_MAXIMUM_THREADS"]
    [done] = errand(("environment", *variables, "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"))
    assert done.value == ["1"] * 5 + [str(32 * 2**20), str(2**30)]
    assert os.environ["OMP_NUM_THREADS"] == "8"


def test_what_a_sitecustomize_prints_is_no_answer(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("print('\\n' * 9, 'hello', flush=True)\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [done] = executor("processes", 1).run("operator:neg", [Job(1, (), 5.0)])
    assert done.value == -1


def test_a_module_of_the_user_shadows_none_of_ours(tmp_path):
    (tmp_path / "json.py").write_text("raise RuntimeError('not the real one')\n", encoding="utf-8")
    [done] = executor("processes", 1).run("json:dumps", [Job([1], (str(tmp_path),), 5.0)])
    assert done.value == "[1]"


@posix_only
def test_a_worker_heeds_no_interrupt(errand):
    first, second = errand(("interrupt",), ("interrupt",))
    assert first.value == second.value
