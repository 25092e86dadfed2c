"""However a run ends, no process, thread, descriptor or file stays behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from gradverify.execution import executor
from gradverify.execution.jobs import Job

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and sessions are POSIX")

ROOT = Path(__file__).resolve().parents[2]

HEAD = """
import sys, threading, time
from gradverify.execution import executor
from gradverify.execution.jobs import Job

folder, notes, then, where = sys.argv[1:]
"""

# Notes the processes of its workers in a file; its own end is up to the test.
PARENT = (
    HEAD
    + """
payloads = [("value", 1), ("value", 2), ("note", notes, (then,)), ("note", notes, (then,))]

def work():
    try:
        run = executor("processes", 2).run("errands:call", [Job(p, (folder,), 60.0) for p in payloads])
        for outcome in run:
            print(outcome.value, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)

if where == "thread":
    threading.Thread(target=work).start()
else:
    work()
"""
)


@pytest.fixture
def parent(user_code, tmp_path, wait_for):
    """Start a program with two busy workers; return it with the numbers of the workers."""
    notes = tmp_path / "notes"
    (tmp_path / "parent.py").write_text(PARENT, encoding="utf-8")
    (tmp_path / "temporary").mkdir()

    started = []

    def start(then, where="main"):
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "parent.py"), *user_code, str(notes), then, where],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "temporary")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        wait_for(lambda: notes.exists() and len(notes.read_text().split()) == 2)
        return process, [int(number) for number in notes.read_text().split()]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
    for worker in notes.read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(worker), signal.SIGKILL)


@pytest.mark.parametrize(
    ("then", "where"),
    [("spin", "main"), ("sleep_in_c", "main"), ("sleep_with_the_lock", "main"), ("spin", "thread")],
)
def test_busy_workers_die_with_a_killed_parent(parent, is_alive, wait_for, then, where):
    if then == "sleep_with_the_lock" and sys.platform != "linux":
        pytest.skip("only the kernel reaches C code that holds the interpreter's lock")
    process, workers = parent(then, where)
    assert all(map(is_alive, workers))
    process.kill()
    process.communicate()
    wait_for(lambda: not any(map(is_alive, workers)))


def test_idle_workers_die_with_a_killed_parent(user_code, tmp_path, is_alive, wait_for):
    source = HEAD + (
        "run = executor('processes', 1).run('errands:call', [Job(('whoami',), (folder,), 60.0)] * 3)\n"
        "print(next(run).value[0], flush=True)\n"
        "time.sleep(60)\n"
    )
    (tmp_path / "idle.py").write_text(source, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "idle.py"), *user_code, "", "", ""],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    worker = int(process.stdout.readline())
    assert is_alive(worker)
    process.kill()
    process.communicate()
    wait_for(lambda: not is_alive(worker))


@pytest.fixture
def killed_in_the_middle(user_code, tmp_path, wait_for):
    """Start a program whose worker starts processes that no signal to a session reaches; return all their numbers."""
    notes = tmp_path / "notes"
    source = HEAD + (
        "import os\n"
        "run = executor('processes', 1).run('errands:call', [Job(('start_family', notes), (folder,), 60.0)])\n"
        "print(os.getpid(), flush=True)\n"
        "next(run)\n"
    )
    (tmp_path / "parent.py").write_text(source, encoding="utf-8")

    def start(*before):
        command = [*before, sys.executable, str(tmp_path / "parent.py"), *user_code, str(notes), "", ""]
        process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
        process.stdout.readline()
        wait_for(lambda: notes.exists() and len(notes.read_text().split()) == 2, 20.0)
        return process, [int(number) for number in notes.read_text().split()]

    return start


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows who carries the token")
def test_what_workers_started_dies_with_a_killed_parent_and_so_does_the_keeper(
    killed_in_the_middle, is_alive, wait_for
):
    process, family = killed_in_the_middle()
    keepers = [number for number in children(process.pid) if b"keeper.py" in command_of(number)]
    assert len(keepers) == 1
    assert all(map(is_alive, [*family, *keepers]))
    process.kill()
    process.communicate()
    wait_for(lambda: not any(map(is_alive, [*family, *keepers])))


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are of Linux")
def test_it_runs_as_the_first_process_of_a_container(user_code):
    unshare = ["unshare", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("this user may not make namespaces")
    source = HEAD + (
        "import os\n"
        "assert os.getpid() == 1\n"
        "payloads = ('value', 1), ('leave', 3), ('whoami',)\n"
        "run = executor('processes', 2).run('errands:call', [Job(p, (folder,), 20.0) for p in payloads])\n"
        "print([getattr(outcome, 'value', 'lost') for outcome in run][:2])\n"
        "print(sorted(name for name in os.listdir('/proc') if name.isdigit()))\n"
    )
    command = [*unshare, sys.executable, "-c", source, *user_code, "", "", ""]
    ran = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=20, check=True
    )
    assert ran.stdout == "[1, 'lost']\n['1']\n"


def children(process):
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def command_of(process):
    return Path(f"/proc/{process}/cmdline").read_bytes()


def test_an_interrupt_reaches_the_caller_at_once_and_keeps_what_it_has(parent, is_alive, tmp_path):
    process, workers = parent("spin")
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    assert time.monotonic() - started < 2
    assert output == "1\n2\ninterrupted\n"
    assert process.returncode == 0
    assert not any(map(is_alive, workers))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_program_that_ends_without_closing_the_run_ends(user_code, is_alive):
    source = HEAD + (
        "jobs = [Job((name,), (folder,), 60.0) for name in ('whoami', 'spin', 'spin')]\n"
        "run = executor('processes', 2).run('errands:call', jobs)\n"
        "print(next(run).value[0], flush=True)\n"
    )
    command = [sys.executable, "-W", "error", "-c", source, *user_code, "", "", ""]
    ended = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=10, check=True
    )
    assert ended.stderr == ""
    assert not is_alive(int(ended.stdout))


@pytest.mark.parametrize("how", ["close", "drop", "raise"])
def test_stopping_early_kills_the_workers_and_what_they_started(user_code, tmp_path, is_alive, wait_for, how):
    notes = tmp_path / "notes"
    payloads = [("value", 1), ("start_sleeper", str(notes)), ("spin",)]
    run = executor("processes", 2).run("errands:call", [Job(p, user_code, 30.0) for p in payloads])
    assert next(run).value == 1
    wait_for(lambda: notes.exists() and len(notes.read_text().split()) == 2)
    processes = [int(number) for number in notes.read_text().split()]
    assert all(map(is_alive, processes))
    started = time.monotonic()
    if how == "raise":
        with pytest.raises(ZeroDivisionError):
            run.throw(ZeroDivisionError)
    elif how == "close":
        run.close()
    del run
    assert time.monotonic() - started < 1
    # The second is no child of ours: whoever adopts it collects it.
    wait_for(lambda: not any(map(is_alive, processes)))


def test_a_run_that_is_never_asked_for_an_outcome_leaves_nothing(user_code):
    run = executor("processes", 2).run("errands:call", [Job(("value", 1), user_code, 5.0)])
    [child] = run.gi_frame.f_locals["supervisor"]._crew.children
    del run
    assert child.is_dead()


def test_nothing_is_left_behind(errand, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    threads, descriptors = threading.active_count(), open_descriptors()
    errand(("segfault",), ("leave", 0), ("garbage",), ("spin",), ("value", 1), workers=2, timeout=0.3)
    assert list(folder.iterdir()) == []
    assert threading.active_count() == threads
    assert open_descriptors() == descriptors


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
