"""The table of executors."""

import subprocess
import sys

import pytest

from gradverify.errors import UsageError
from gradverify.execution import EXECUTORS, executor
from gradverify.execution.jobs import Done, Job


@pytest.mark.parametrize("name", EXECUTORS)
def test_every_executor_keeps_the_contract(name):
    jobs = [Job(number, (), 20.0) for number in (3, "text", 5)]
    first, second, third = executor(name, 2).run("operator:neg", jobs)
    assert (first.value, third.value) == (-3, -5)
    assert isinstance(first, Done)
    assert first.seconds >= 0
    assert second.reason.startswith("TypeError: bad operand type for unary -: 'str' (")


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(UsageError, match=r"no executor is called 'proceses': did you mean 'processes'\?"):
        executor("proceses", 1)


@pytest.mark.parametrize("workers", [0, -1])
def test_there_must_be_a_worker(workers):
    with pytest.raises(UsageError, match=f"{workers} workers cannot run anything: expected at least 1"):
        executor("processes", workers)


def test_the_table_loads_nothing_heavy():
    code = "import sys, gradverify.execution; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "subprocess", "tempfile", "multiprocessing", "gradverify.execution.processes"} & set(loaded)
    code = "import sys, gradverify.execution.worker; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "subprocess", "tempfile", "dataclasses", "inspect"} & set(loaded)
