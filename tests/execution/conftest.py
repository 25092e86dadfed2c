"""User code that misbehaves in every way we know, and what runs it."""

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from gradverify.execution import executor
from gradverify.execution.jobs import Job

ERRANDS = r'''
import ctypes, os, signal, subprocess, sys, threading, time


class Vicious(Exception):
    """Can be made, but neither shown nor pickled nor unpickled."""

    def __init__(self, first, second):
        super().__init__(first)

    def __str__(self):
        raise RuntimeError("no text")

    def __reduce__(self):
        raise RuntimeError("no pickle")


class OnlyHere:
    """Pickles by reference to a module that the parent cannot import."""


def call(payload):
    name, *arguments = payload
    return globals()[name](*arguments)


def value(given):
    return given


def late(seconds, given):
    time.sleep(seconds)
    return given


def segfault():
    ctypes.string_at(0)


def leave(status):
    print("last words", flush=True)
    os._exit(status)


def spin():
    print("spinning")
    while True:
        pass


def sleep_in_c():
    ctypes.CDLL(None).sleep(60)


def stop():
    os.kill(os.getpid(), signal.SIGSTOP)


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def stop_program(how):
    raise how


def fail_in_a_library():
    return subprocess.run(["no", "such", "program"], cwd=3.5)


def vicious():
    raise Vicious(1, 2)


def nested():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep


def generator():
    return (number for number in range(3))


def only_here():
    return OnlyHere()


def recurse():
    return recurse()


def say(text, where):
    getattr(sys, where).write(text)


def garbage():
    for descriptor in (1, 2):
        os.write(descriptor, bytes(range(256)) * 1000)
    os.system("echo from a shell")
    print(sys.stdin.read() if not sys.stdin.closed else "", "x" * 5_000_000)
    return "fine"


def close_streams():
    sys.stdout.close()
    sys.stderr.close()
    sys.stdin.close()
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    return "closed"


def replace_streams():
    sys.stdout = sys.stderr = None
    return "replaced"


def close_everything():
    os.closerange(0, 256)
    time.sleep(60)


def fork():
    return "child" if os.fork() == 0 else "parent"


def die_behind_a_fork():
    if os.fork() == 0:
        time.sleep(60)
    os._exit(5)


def start_sleeper(path):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open(path, "w") as file:
        file.write(f"{os.getpid()} {process.pid}")
    time.sleep(60)


def start_family(path):
    """Start what killing a session misses: one in a session of its own, and one whose parent has left."""
    sleep = "import os, time; open({!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(60)".format(path)
    subprocess.Popen([sys.executable, "-c", sleep], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", sleep])
        os._exit(0)
    time.sleep(60)


def leave_thread():
    threading.Thread(target=time.sleep, args=(60,)).start()
    return "left"


def leave_process():
    subprocess.Popen(["sleep", "60"])
    return os.getpid()


def replace(module, name):
    setattr(sys.modules[module], name, print)
    return os.getpid()


def limit(number, hard):
    import resource

    before = resource.getrlimit(number)
    resource.setrlimit(number, (100, 100 if hard else before[1]))
    return os.getpid()


def limits(number):
    import resource

    return os.getpid(), resource.getrlimit(number)


def cores(wanted):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted or before)
    return os.getpid(), before


def hooks():
    found = os.getpid(), len(sys.meta_path), len(sys.path_hooks), sys.stdin.read()
    sys.meta_path.clear()
    sys.path_hooks.append(None)
    sys.stdin = None
    return found


def tell(what, *given, **named):
    from gradverify.targets.guard import WITNESSES

    getattr(WITNESSES[0], what)(*given, **named)
    return os.getpid()


def load(left):
    return tell("imported", left=left)


def hook_at_import():
    sys.excepthook = print
    return load(False)


def environ(name, text):
    os.environ[name] = text
    return load(False)


def hash_of(text):
    return hash(text)


def hog(size):
    return len(bytearray(size))


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    return os.getpid()


def print_much(size):
    os.write(1, b"x" * size)
    time.sleep(0.8)
    return os.fstat(1).st_size


def sleep_with_the_lock():
    ctypes.PyDLL(None).sleep(60)


def note(path, then):
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    return call(then)


def environment(*names):
    return [os.environ.get(name) for name in names]


def whoami():
    return os.getpid(), sys.argv, sys.path, os.getcwd()


def span(seconds):
    begun = time.monotonic()
    time.sleep(seconds)
    return os.getpid(), begun, time.monotonic()
'''

ENDLESS = {"spin", "stop", "sleep_in_c", "sleep_with_the_lock", "close_everything"}


@pytest.fixture
def user_code(tmp_path):
    """Return a folder with the module errands, as a search path."""
    folder = tmp_path / "user"
    folder.mkdir()
    (folder / "errands.py").write_text(ERRANDS, encoding="utf-8")
    return (str(folder),)


@pytest.fixture
def errand(user_code):
    """Run errands, each a name with arguments, and return what became of them.

    The timeout is that of the endless ones; a loaded machine shall not make the others late.
    """

    def run(*payloads, workers=1, timeout=20.0):
        jobs = [Job(payload, user_code, timeout if payload[0] in ENDLESS else 20.0) for payload in payloads]
        with closing(executor("processes", workers).run("errands:call", jobs)) as outcomes:
            return list(outcomes)

    return run


@pytest.fixture
def is_alive():
    """Say whether a process runs; one that only waits for its parent to collect it does not."""

    def look(process: int) -> bool:
        status = Path(f"/proc/{process}/stat")
        try:
            os.kill(process, 0)
            return not (status.exists() and status.read_text().rpartition(") ")[2].startswith("Z"))
        except (ProcessLookupError, FileNotFoundError):
            return False

    return look


@pytest.fixture
def wait_for():
    """Wait until something holds."""

    def wait(condition, seconds=5.0):
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit, "it did not happen in time"
            time.sleep(0.01)

    return wait
