"""In which state a job leaves its worker, told by whether the next one finds the same process."""

import os
import resource
import sys
from contextlib import closing

import pytest

from gradverify.execution import executor
from gradverify.execution.jobs import Done, Job

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits and sessions are POSIX")


@pytest.fixture
def homes(user_code):
    """Run errands, each with the home of its job, on one worker."""

    def run(*pairs):
        jobs = [Job(payload, user_code, 20.0, home=home) for home, payload in pairs]
        with closing(executor("processes", 1).run("errands:call", jobs)) as outcomes:
            return [outcome.value for outcome in outcomes]

    return run


@pytest.mark.parametrize(
    "payload",
    [
        ("replace", "builtins", "sum"),
        ("replace", "os", "getcwd"),
        ("replace", "signal", "getsignal"),
        ("replace", "threading", "excepthook"),
        ("leave_thread",),
        ("leave_process",),
        ("tell", "replaced"),
        ("limit", resource.RLIMIT_DATA, True),
    ],
    ids=lambda payload: "-".join(map(str, payload)),
)
def test_a_worker_with_what_cannot_be_undone_is_replaced(errand, payload):
    before, done, after, again = errand(("whoami",), payload, ("whoami",), ("whoami",))
    assert isinstance(done, Done)
    assert before.value[0] != after.value[0] == again.value[0]


def test_what_can_be_undone_keeps_the_worker(errand):
    number = resource.RLIMIT_NOFILE
    first, *_, soft, cores, other_cores, hooks, other_hooks, last = errand(
        ("limits", number), ("limit", number, False), ("limits", number), ("cores", {0}), ("cores", None),
        ("hooks",), ("hooks",), ("whoami",),
    )  # fmt: skip
    assert soft.value == first.value
    assert cores.value == other_cores.value
    assert hooks.value == other_hooks.value
    assert first.value[0] == last.value[0]


def test_imports_that_leave_nothing_leave_the_worker_to_every_home(homes):
    assert len(set(homes(("a", ("load", False)), ("b", ("load", False)), ("", ("tell", "begin"))))) == 1


@pytest.mark.parametrize("payload", [("load", True), ("environ", "MINE", "1"), ("hook_at_import",)])
def test_what_imports_leave_is_for_jobs_of_that_home(homes, payload):
    loads, again, other, back = homes(("a", payload), ("a", ("load", False)), ("b", ("load", False)), ("a", payload))
    assert loads == again
    assert len({again, other, back}) == 2 + (other != back)
    assert other != again


def test_what_imports_set_stays_while_calls_are_undone(homes):
    values = homes(
        ("a", ("environ", "MINE", "1")), ("a", ("environment", "MINE")), ("b", ("environment", "MINE"))
    )  # fmt: skip
    assert values[1:] == [["1"], [None]]


def test_sets_have_one_order_in_every_worker(errand, monkeypatch):
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    first, _, second = errand(("hash_of", "text"), ("leave", 1), ("hash_of", "text"))
    assert first.value == second.value


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no limit on data")
def test_the_limit_on_memory_is_that_of_the_job_and_lifted_after_it(user_code):
    sizes = [(400, 300), (400, None), (100, 300), (400, 0)]
    jobs = [Job(("hog", size * 2**20), user_code, 20.0, memory=memory) for size, memory in sizes]
    jobs.append(Job(("limits", resource.RLIMIT_DATA), user_code, 20.0, memory=77))
    with closing(executor("processes", 1).run("errands:call", jobs)) as outcomes:
        lost, *done, limits = outcomes
    assert lost.reason.startswith("MemoryError (")
    assert lost.reason.endswith(", in hog); the case may use 300 MiB of memory")
    assert [outcome.value for outcome in done] == [400 * 2**20, 100 * 2**20, 400 * 2**20]
    assert limits.value[1][0] == 77 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no limit on data")
def test_a_limit_that_python_itself_exceeds_is_an_error_like_any_other(user_code):
    jobs = [Job(("hog", 2**20), user_code, 20.0, memory=memory) for memory in (1, None)]
    with closing(executor("processes", 1).run("errands:call", jobs)) as outcomes:
        lost, done = outcomes
    assert lost.reason.startswith("MemoryError")
    assert done.value == 2**20
