"""The executor that runs here."""

import sys

import pytest

from gradverify.execution import executor
from gradverify.execution.jobs import Done, Job


def test_values_and_errors_in_order(user_code):
    payloads = [("value", 1), ("stop_program", ValueError("wrong")), ("stop_program", SystemExit(3)), ("value", 2)]
    jobs = [Job(payload, user_code, 5.0) for payload in payloads]
    first, error, stop, last = executor("serial", 1).run("errands:call", jobs)
    assert (first.value, last.value) == (1, 2)
    assert error.reason.startswith("ValueError: wrong (")
    assert error.reason.endswith(", in stop_program)")
    assert stop.reason.startswith("SystemExit: 3 (")
    assert (error.output, stop.output) == ("", "")
    assert error.seconds >= 0
    sys.modules.pop("errands")


def test_a_missing_function_loses_its_jobs():
    outcomes = executor("serial", 1).run("operator:no_such_name", [Job(1, (), 5.0)] * 2)
    assert [outcome.reason.split(" (")[0] for outcome in outcomes] == [
        "AttributeError: module 'operator' has no attribute 'no_such_name'"
    ] * 2


def test_the_search_path_is_in_front_during_the_job_only(tmp_path):
    before = sys.path[:]
    run = executor("serial", 1).run("sys:path.__class__", [])
    assert list(run) == []
    (tmp_path / "looks_at_path.py").write_text("import sys\ndef call(p):\n    return sys.path[0]\n")
    run = executor("serial", 1).run("looks_at_path:call", [Job(None, (str(tmp_path),), 5.0)] * 2)
    assert next(run).value == str(tmp_path)
    assert sys.path == before
    assert next(run).value == str(tmp_path)
    assert sys.path == before
    assert sys.modules.pop("looks_at_path")


def test_an_interrupt_goes_to_the_caller(user_code):
    run = executor("serial", 1).run("errands:call", [Job(("stop_program", KeyboardInterrupt()), user_code, 5.0)])
    with pytest.raises(KeyboardInterrupt):
        next(run)
    sys.modules.pop("errands")


def test_jobs_run_when_they_are_asked_for(capsys):
    run = executor("serial", 1).run("builtins:print", [Job("one", (), 5.0), Job("two", (), 5.0)])
    assert isinstance(next(run), Done)
    assert capsys.readouterr().out == "one\n"
