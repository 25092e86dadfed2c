"""Whatever a worker does, it costs one job, and every job has its outcome in its place."""

import os
import re
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from gradverify.execution import executor
from gradverify.execution.child import Child
from gradverify.execution.jobs import Done, Job, Lost

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and sessions are POSIX")


def test_no_jobs_no_outcomes(errand):
    assert errand() == []


def test_the_order_is_that_of_the_jobs_whatever_finishes_first(errand):
    outcomes = errand(("late", 0.3, 0), *[("value", number) for number in range(1, 20)], workers=3)
    assert [outcome.value for outcome in outcomes] == list(range(20))
    assert outcomes[0].seconds >= 0.3 > outcomes[1].seconds


@posix_only
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (("segfault",), "the process was killed by SIGSEGV (segmentation fault) ({file}, line N, in segfault)"),
        (("terminate",), "the process was killed by SIGTERM (terminated)"),
        (("leave", 3), "the process ended with exit status 3"),
        (("leave", 0), "the process ended with exit status 0"),
        (("spin",), "timed out after 0.5 s ({file}, line N, in spin)"),
        (("sleep_in_c",), "timed out after 0.5 s ({file}, line N, in sleep_in_c)"),
        (("sleep_with_the_lock",), "timed out after 0.5 s ({file}, line N, in sleep_with_the_lock)"),
        (("stop",), "timed out after 0.5 s: the process was stopped by a signal"),
        (("close_everything",), "the process closed its connection to gradverify"),
    ],
    ids=lambda given: None if isinstance(given, str) else given[0],
)
def test_a_worker_that_ends_costs_one_job(errand, user_code, payload, reason):
    before, lost, after = errand(("value", 1), payload, ("value", 2), timeout=0.5)
    assert (before.value, after.value) == (1, 2)
    assert re.sub(r"line \d+", "line N", lost.reason) == reason.format(file=Path(user_code[0], "errands.py"))


@pytest.mark.parametrize("workers", [1, 2])
def test_many_crashes_among_many_jobs(errand, workers):
    outcomes = errand(*[("leave", 1) if n % 10 == 3 else ("value", n) for n in range(60)], workers=workers)
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Lost)] == [3, 13, 23, 33, 43, 53]
    assert all(outcome.value == n for n, outcome in enumerate(outcomes) if n % 10 != 3)


def test_the_output_of_a_crash_names_the_line(errand):
    crash, exit_, hang = errand(("segfault",), ("leave", 3), ("spin",), timeout=0.5)
    assert "Segmentation fault" in crash.output
    assert "in segfault" in crash.output
    assert exit_.output == "last words"
    assert hang.output.startswith("spinning\n")
    assert "in spin" in hang.output
    assert 0.5 <= hang.seconds < 5


def test_a_late_job_is_noticed_while_others_answer(errand):
    started = time.monotonic()
    outcomes = errand(("spin",), *[("late", 0.01, n) for n in range(150)], workers=2, timeout=0.3)
    assert outcomes[0].reason.startswith("timed out after 0.3 s (")
    assert outcomes[0].seconds < 1
    assert sum(isinstance(outcome, Done) for outcome in outcomes) == 150
    assert time.monotonic() - started < 5


def test_a_slow_caller_makes_nobody_late(user_code):
    jobs = [Job(("late", 0.1, number), user_code, 0.6) for number in range(4)]
    with closing(executor("processes", 2).run("errands:call", jobs)) as outcomes:
        values = [next(outcomes).value]
        time.sleep(0.9)
        values += [outcome.value for outcome in outcomes]
    assert values == [0, 1, 2, 3]


def test_the_clock_runs_from_the_start_of_the_job_with_its_imports(tmp_path):
    (tmp_path / "slow_import.py").write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    [lost] = executor("processes", 1).run("slow_import:call", [Job(None, (str(tmp_path),), 0.2)])
    file = tmp_path / "slow_import.py"
    assert lost.reason == f"timed out after 0.2 s ({file}, line 2, while importing)"
    assert lost.output.splitlines()[-1] == f'  File "{file}", line 2 in <module>'


def test_a_job_that_cannot_be_sent_is_lost(errand):
    lost, done = errand(("value", lambda: None), ("value", 1))
    assert lost.reason.startswith("the job cannot be sent: ")
    assert done.value == 1


@posix_only
def test_a_dead_worker_is_noticed_when_a_fork_holds_its_pipe(errand):
    lost, done = errand(("die_behind_a_fork",), ("value", 1))
    assert lost.reason == "the process ended with exit status 5"
    assert lost.seconds < 3
    assert done.value == 1


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_two_folders_with_one_package_name_never_meet(tmp_path, workers):
    source = "import os\nNAME = {!r}\nSEEN = []\n\ndef call(n):\n    SEEN.append(n)\n    return NAME, os.getpid()\n"
    paths = []
    for name in ("first", "second", "third"):
        package = tmp_path / name / "layers"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(source.format(name), encoding="utf-8")
        paths.append((str(package.parent),))
    jobs = [Job(n, paths[n % 3], 20.0) for n in range(30)]
    outcomes = list(executor("processes", workers).run("layers:call", jobs))
    assert [outcome.value[0] for outcome in outcomes] == ["first", "second", "third"] * 10
    processes = {outcome.value for outcome in outcomes}
    assert len({process for _, process in processes}) == len(processes)


@pytest.mark.parametrize("workers", [1, 2])
def test_never_more_workers_than_asked_for(errand, workers):
    spans = [outcome.value for outcome in errand(*[("span", 0.1)] * 6, workers=workers)]
    assert len({process for process, _, _ in spans}) == workers
    most = max(sum(begun <= moment < ended for _, begun, ended in spans) for _, moment, _ in spans)
    assert most == workers


def test_never_more_workers_than_jobs(errand, monkeypatch):
    started = []

    def start(*arguments):
        started.append(Child(*arguments))
        return started[-1]

    monkeypatch.setattr("gradverify.execution.crew.Child", start)
    outcomes = errand(("span", 0.1), ("span", 0.1), workers=8)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert len(started) == 2


def test_the_first_worker_starts_with_the_call_of_run(user_code):
    jobs = [Job(("value", 1), user_code, 5.0)] * 2
    with closing(executor("processes", 2).run("errands:call", jobs)) as outcomes:
        [child] = outcomes.gi_frame.f_locals["supervisor"]._crew.children
        assert not child.is_dead()


def test_a_worker_outlives_the_thread_that_started_it(user_code):
    jobs = [Job(("span", 0.1), user_code, 20.0)] * 3
    begun = []

    def begin():
        begun.append((run := executor("processes", 1).run("errands:call", jobs), next(run).value[0]))

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    [(outcomes, process)] = begun
    assert [outcome.value[0] for outcome in outcomes] == [process] * 2


def test_a_thousand_tiny_jobs_take_well_under_a_second(errand):
    errand(("value", 0))
    started = time.monotonic()
    outcomes = errand(*[("value", number) for number in range(1000)], workers=2)
    assert [outcome.value for outcome in outcomes] == list(range(1000))
    assert time.monotonic() - started < 5  # 0.2 on an idle machine


def test_a_worker_that_cannot_start_says_what_it_printed(tmp_path, monkeypatch):
    (tmp_path / "pickle.py").write_text("raise RuntimeError('not the real one')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    outcomes = list(executor("processes", 1).run("operator:neg", [Job(1, (), 5.0)] * 2))
    assert [outcome.reason for outcome in outcomes] == ["the process ended with exit status 1"] * 2
    assert outcomes[0].output.endswith("RuntimeError: not the real one")


def test_a_worker_that_never_gets_ready_takes_one_job(tmp_path, monkeypatch):
    (tmp_path / "pickle.py").write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("gradverify.execution.child.BOOT_SECONDS", 0.3)
    outcomes = list(executor("processes", 1).run("operator:neg", [Job(1, (), 5.0)] * 2))
    assert [outcome.reason for outcome in outcomes] == ["a worker process was not ready within 0.3 s"] * 2
