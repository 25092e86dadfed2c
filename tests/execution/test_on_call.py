"""Workers on call serve jobs that come one after the other, and lose no more to a crash than others do."""

import os
import shutil
import time

import pytest

from gradverify.execution.jobs import Job, Lost
from gradverify.execution.processes import OnCall

NAMED = "import os\nNAME = {!r}\ndef call(n):\n    return NAME, os.getpid()\n"


@pytest.fixture
def workers():
    """Return a function that makes workers of the errands, closed at the end."""
    made = []

    def make(many=1, function="errands:call"):
        made.append(OnCall(function, many, many))
        return made[-1]

    yield make
    for one in made:
        one.close()


def job(user_code, *payload, **limits):
    return Job(payload, user_code, limits.pop("timeout", 20.0), **limits)


def process_of(outcome):
    return outcome.value[0]


def test_one_worker_serves_job_after_job(workers, user_code):
    crew = workers(2)
    processes = [process_of(crew.outcome(crew.ask(job(user_code, "span", 0.0)))) for _ in range(5)]
    assert len(set(processes)) == 1


def test_jobs_that_wait_are_shared_and_handed_out_in_any_order(workers, user_code):
    crew = workers(2)
    numbers = [crew.ask(job(user_code, "span", 0.2)) for _ in range(6)]
    outcomes = {number: crew.outcome(number) for number in reversed(numbers)}
    assert len({process_of(outcome) for outcome in outcomes.values()}) == 2


def test_every_outcome_is_that_of_its_job(workers, user_code):
    crew = workers(2)
    numbers = {crew.ask(job(user_code, "late", 0.01 * (n % 3), n)): n for n in range(30)}
    assert all(crew.outcome(number).value == n for number, n in numbers.items())


@pytest.mark.parametrize("payload", [("segfault",), ("leave", 0), ("spin",)])
def test_a_crash_costs_one_job_and_the_next_has_another_worker(workers, user_code, payload):
    crew = workers(1)
    before = crew.outcome(crew.ask(job(user_code, "span", 0.0)))
    lost = crew.outcome(crew.ask(job(user_code, *payload, timeout=0.5)))
    after = crew.outcome(crew.ask(job(user_code, "span", 0.0)))
    assert isinstance(lost, Lost)
    assert process_of(before) != process_of(after)


def test_a_worker_that_dies_at_rest_costs_nothing(workers, user_code):
    crew = workers(1)
    process = process_of(crew.outcome(crew.ask(job(user_code, "span", 0.0))))
    os.kill(process, 9)
    time.sleep(0.2)
    assert crew.outcome(crew.ask(job(user_code, "value", 1))).value == 1


def test_rest_has_no_clock(workers, user_code, tmp_path):
    other_code = (str(shutil.copytree(user_code[0], tmp_path / "other")),)
    crew = workers(2)
    process = process_of(crew.outcome(crew.ask(job(user_code, "span", 0.0, timeout=0.3))))
    crew.outcome(crew.ask(job(other_code, "span", 0.6)))
    assert process_of(crew.outcome(crew.ask(job(user_code, "span", 0.0)))) == process


@pytest.mark.parametrize(("many", "kept"), [(1, False), (2, True)])
def test_a_worker_at_rest_makes_room_for_another_folder_where_there_is_none(workers, tmp_path, many, kept):
    paths = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "layers.py").write_text(NAMED.format(name), encoding="utf-8")
        paths.append((str(tmp_path / name),))
    crew = workers(many, "layers:call")
    answers = [crew.outcome(crew.ask(Job(0, paths[n % 2], 20.0))).value for n in range(3)]
    assert [name for name, _ in answers] == ["first", "second", "first"]
    assert (answers[0][1] == answers[2][1]) == kept
    assert len({process for _, process in answers}) == (2 if kept else 3)


def test_closing_abandons_what_runs_and_leaves_no_process(workers, user_code):
    crew = workers(2)
    process = process_of(crew.outcome(crew.ask(job(user_code, "span", 0.0))))
    crew.ask(job(user_code, "spin"))
    started = time.monotonic()
    crew.outcome(crew.ask(job(user_code, "value", 1)))
    crew.close()
    assert time.monotonic() - started < 5
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_memory_is_shared_with_others(user_code, monkeypatch):
    asked = []
    monkeypatch.setattr("gradverify.execution.supervisor.share", lambda sharers: asked.append(sharers) or 4096)
    crew = OnCall("errands:call", 1, 6)
    assert crew.outcome(crew.ask(job(user_code, "value", 1))).value == 1
    crew.close()
    assert asked == [6]
