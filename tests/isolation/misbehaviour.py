"""User code that misbehaves in every way we know, each with what must become of its case."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Misbehaviour:
    """One module, and what is reported about the case that uses it.

    ``code`` defines what differs from HONEST; ``reason`` is a regular expression for the first line of the reason, and
    ``output`` for some later lines; ``keys`` are further keys of the case.
    """

    code: str
    verdict: str = "error"
    reason: str = ""
    output: str = ""
    keys: str = ""

    @property
    def module(self) -> str:
        return HONEST + dedent(self.code)


HONEST = """\
import ctypes, os, signal, subprocess, sys, threading, time, warnings
import numpy as np

def forward(x):
    return x * x, x

def backward(dout, x):
    return 2 * x * dout

"""

# Sees whether it finds what it would find in a fresh process.
WATCHFUL = '''\
import decimal, gc, locale, os, random, signal, socket, sys, threading, warnings
import numpy as np

DOT, SUM = np.dot, sum


def surroundings():
    """Return everything that a case before this one might have left here."""
    mask = os.umask(0o022)
    os.umask(mask)
    return {
        "folder": os.getcwd(),
        "environment": sorted(os.environ.items() - {("GRADVERIFY_WORKER", os.environ["GRADVERIFY_WORKER"])}),
        "umask": mask,
        "handlers": [signal.getsignal(number) for number in range(1, 32)],
        "blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "filters": warnings.filters[:],
        "numpy": (np.geterr(), np.geterrcall(), np.get_printoptions(), np.dot.__module__, np.linalg.norm.__module__),
        "path": sys.path[:],
        "arguments": sys.argv[:],
        "recursion": sys.getrecursionlimit(),
        "collector": (gc.isenabled(), gc.get_threshold()),
        "tracing": (sys.gettrace(), sys.getprofile()),
        "hooks": (sys.excepthook is sys.__excepthook__, threading.excepthook is threading.__excepthook__),
        "precision": decimal.getcontext().prec,
        "locale": locale.setlocale(locale.LC_ALL),
        "patience": socket.getdefaulttimeout(),
        "random": (random.random(), np.random.random()),
        "threads": [thread.name for thread in threading.enumerate() if not thread.daemon],
        "streams": (sys.stdout.closed, sys.stderr.closed, sys.stdin.read()),
        "names": (sum(map(len, ["ab", "c"])), float(np.dot([1.0], [2.0])), np.max([1, 2])),
    }


def forward(x, who):
    if not os.path.exists(f"{who}.seen"):
        with open(f"{who}.seen", "w") as file:
            file.write("\\n".join(f"{name}: {value}" for name, value in surroundings().items()))
    return x * x


def backward(dout, x, who):
    return 2 * x * dout
'''

MISBEHAVIOURS = {
    "raises": Misbehaviour(
        "def backward(dout, x):\n    print('just before')\n    return 1 / 0",
        reason=r"ZeroDivisionError: division by zero \(.*raises.py, line 12, in backward\)",
        output="just before",
    ),
    "raises_at_import": Misbehaviour("raise OSError('no weights')", reason=r"OSError: no weights \(.*, in <module>\)"),
    "prints": Misbehaviour(
        """
        print('{"json": true}' * 200_000)
        def forward(x):
            os.write(1, b"x" * 5_000_000)
            print("y" * 5_000_000, file=sys.stderr)
            return x * x, x
        """,
        verdict="pass",
    ),
    "leaves_at_once": Misbehaviour(
        "def forward(x):\n    print('last words', flush=True)\n    os._exit(0)",
        reason="the process ended with exit status 0",
        output="last words",
    ),
    "exits": Misbehaviour("def forward(x):\n    sys.exit('enough')", reason=r"SystemExit: enough \(.*, in forward\)"),
    "crashes": Misbehaviour(
        "def backward(dout, x):\n    print('before it', flush=True)\n    ctypes.string_at(0)",
        reason=r"the process was killed by SIGSEGV \(segmentation fault\) \(.*crashes.py, line 12, in backward\)",
        output="before it",
    ),
    "corrupts_its_heap": Misbehaviour(
        """
        def forward(x):
            libc = ctypes.CDLL(None)
            libc.free.argtypes = [ctypes.c_void_p]
            block = ctypes.create_string_buffer(4096)
            libc.free(ctypes.addressof(block) + 64)
            return x * x, x
        """,
        reason=r"the process was killed by SIG(ABRT|SEGV) \(.*\) \(.*, in forward\)",
    ),
    "overwrites_its_heap": Misbehaviour(
        """
        def forward(x):
            ctypes.memset(id(x) - 4096, 0x41, 65536)
            return x * x, x
        """,
        reason="(the process was killed by SIG(SEGV|ABRT|BUS|ILL)|.*Error)",
    ),
    "hangs": Misbehaviour(
        "def forward(x):\n    print('on and on')\n    while True:\n        pass",
        reason=r"timed out after 0.5 s \(.*hangs.py, line 1[23], in forward\)",
        output="on and on",
        keys="timeout: 0.5",
    ),
    "hangs_in_c": Misbehaviour(
        "def forward(x):\n    ctypes.CDLL(None).pause()",
        reason=r"timed out after 0.5 s \(.*hangs_in_c.py, line 11, in forward\)",
        keys="timeout: 0.5",
    ),
    "hangs_with_the_lock": Misbehaviour(
        "import re\ndef forward(x):\n    re.match('(a*)*b', 'a' * 64)",
        reason=r"timed out after 0.5 s \(.*hangs_with_the_lock.py, line 12, in forward\)",
        keys="timeout: 0.5",
    ),
    "stops_itself": Misbehaviour(
        "def forward(x):\n    os.kill(os.getpid(), signal.SIGSTOP)",
        reason="timed out after 0.5 s: the process was stopped by a signal",
        keys="timeout: 0.5",
    ),
    "trains_at_import": Misbehaviour(
        "def train():\n    time.sleep(60)\ntrain()",
        reason=r"timed out after 0.5 s \(.*trains_at_import.py, line 11, in train, while importing\)",
        keys="timeout: 0.5",
    ),
    "eats_memory": Misbehaviour(
        "def forward(x):\n    return np.ones(2**30), x",
        reason=r"MemoryError: Unable to allocate 8.00 GiB .*\(.*, line 11, in forward\); "
        "the case may use 500 MiB of memory",
        keys="memory: 500",
    ),
    "eats_memory_bit_by_bit": Misbehaviour(
        "def forward(x):\n    kept = []\n    while True:\n        kept.append(bytearray(100_000))",
        reason=r"MemoryError \(.*, line 13, in forward\); the case may use 500 MiB of memory",
        keys="memory: 500",
    ),
    "aborts_without_memory": Misbehaviour(
        """
        def forward(x):
            libc = ctypes.CDLL(None)
            libc.malloc.restype = ctypes.c_void_p
            if libc.malloc(ctypes.c_size_t(2**30)) is None:
                os.write(2, b"out of memory\\n")
                libc.abort()
            return x * x, x
        """,
        reason=r"the process was killed by SIGABRT \(aborted\) \(.*, in forward\)",
        output="out of memory",
        keys="memory: 500",
    ),
    "eats_shared_memory": Misbehaviour(
        """
        import mmap
        def forward(x):
            kept = mmap.mmap(-1, 700 * 2**20)
            for place in range(0, len(kept), 4096):
                kept[place] = 1
            time.sleep(60)
        """,
        reason=r"the case used more than 500 MiB of memory \(.*, in forward\)",
        keys="memory: 500",
    ),
    "closes_streams": Misbehaviour(
        """
        def forward(x):
            sys.stdout.close()
            sys.stderr.close()
            sys.stdin.close()
            for descriptor in (0, 1, 2):
                os.close(descriptor)
            return x * x, x
        def backward(dout, x):
            return 2 * x * dout
        """,
        reason="OSError",  # the second time there is nothing to close
    ),
    "closes_streams_once": Misbehaviour(
        """
        os.close(1)
        sys.stdout.close()
        sys.stdout = sys.stderr = sys.stdin = None
        """,
        verdict="pass",
    ),
    "closes_everything": Misbehaviour(
        "def forward(x):\n    os.closerange(0, 1000)\n    time.sleep(60)",
        reason="the process closed its connection to gradverify",
    ),
    "replaces_numpy_at_import": Misbehaviour(
        """
        def nothing(*arguments, **options):
            return 0.0
        np.abs = np.dot = np.max = np.isfinite = np.linalg.norm = nothing
        def forward(x):
            assert np.dot is nothing
            return x * x, x
        def backward(dout, x):
            assert np.dot is nothing
            return 3 * x * dout
        """,
        verdict="fail",
        reason="dx: ",
    ),
    "replaces_numpy_in_a_call": Misbehaviour(
        """
        def nothing(*arguments, **options):
            return 0.0
        calls = []
        def forward(x):
            calls.append(np.dot is nothing)
            assert calls == [False] + [True] * (len(calls) - 1)
            np.abs = np.dot = np.max = nothing
            return x * x, x
        def backward(dout, x):
            return 3 * x * dout
        """,
        verdict="fail",
        reason="dx: ",
    ),
    "replaces_numpy_late": Misbehaviour(
        """
        calls = []
        def forward(x):
            calls.append(1)
            if len(calls) == 5:
                np.dot, np.abs = np.matmul, np.negative
            return x * x, x
        """,
        reason="the code replaced numpy.abs, numpy.dot after its first calls: nothing computed since then is certain",
    ),
    "replaces_builtins": Misbehaviour(
        "import builtins\nbuiltins.sum = builtins.max = builtins.abs = lambda *given, **options: 0",
        verdict="pass",
    ),
    "lets_numpy_raise": Misbehaviour("np.seterr(all='raise')\nwarnings.simplefilter('error')", verdict="pass"),
    "changes_everything": Misbehaviour(
        """
        import decimal, gc, locale, random, socket
        def forward(x):
            os.chdir("/")
            os.environ["ANYTHING"] = "changed"
            os.environ.pop("PATH", None)
            os.umask(0o777)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGSEGV, signal.SIGUSR1):
                signal.signal(number, lambda *_: None)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
            signal.alarm(2)
            warnings.simplefilter("error")
            np.seterr(all="ignore")
            np.set_printoptions(precision=1)
            sys.path.clear()
            sys.argv[:] = ["other"]
            sys.setrecursionlimit(150)
            gc.disable()
            sys.setprofile(lambda *_: None)
            decimal.getcontext().prec = 3
            locale.setlocale(locale.LC_ALL, "C.UTF-8")
            socket.setdefaulttimeout(1.0)
            random.seed(99)
            np.random.seed(99)
            sys.stdout = sys.stdin = open(os.devnull)
            return x * x, x
        """,
        verdict="pass",
    ),
    "replaces_hooks": Misbehaviour(
        """
        def forward(x):
            sys.excepthook = threading.excepthook = print
            os.getcwd = time.sleep = warnings.warn = None
            return x * x, x
        """,
        verdict="pass",
    ),
    "changes_much_at_import": Misbehaviour(
        """
        os.environ["MINE"] = "1"
        os.chdir("/")
        sys.path.insert(0, "/nowhere")
        sys.setrecursionlimit(5000)
        def forward(x):
            assert os.environ["MINE"] == "1" and os.getcwd() == "/" and sys.path[0] == "/nowhere"
            return x * x, x
        """,
        verdict="pass",
    ),
    "leaves_a_thread": Misbehaviour(
        """
        def forward(x):
            if threading.active_count() < 4:
                threading.Thread(target=time.sleep, args=(60,), name="left").start()
            return x * x, x
        """,
        verdict="pass",
    ),
    "leaves_processes": Misbehaviour(
        """
        from multiprocessing import get_context
        def forward(x):
            if os.environ.get("STARTED") is None:
                os.environ["STARTED"] = "1"
                subprocess.Popen(["sleep", "MARK"])
                subprocess.Popen(["sleep", "MARK"], start_new_session=True)
                subprocess.run(["sh", "-c", "setsid sleep MARK & exit"])
                get_context("fork").Process(target=os.execvp, args=("sleep", ["sleep", "MARK"])).start()
            return x * x, x
        """,
        verdict="pass",
    ),
    "crashes_beside_processes": Misbehaviour(
        """
        def forward(x):
            subprocess.Popen(["sleep", "MARK"], start_new_session=True)
            os.abort()
        """,
        reason=r"the process was killed by SIGABRT \(aborted\)",
    ),
    "lowers_limits": Misbehaviour(
        """
        import resource
        def forward(x):
            resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
            resource.setrlimit(resource.RLIMIT_DATA, (2**28, 2**28))
            return x * x, x
        """,
        verdict="pass",
    ),
    "forks": Misbehaviour(
        "def forward(x):\n    os.fork()\n    return x * x, x", verdict="pass", keys="checks: [contracts]"
    ),
    "raises_what_cannot_be_shown": Misbehaviour(
        """
        class Vicious(Exception):
            def __str__(self):
                raise RuntimeError
            def __reduce__(self):
                raise RuntimeError
        def forward(x):
            raise Vicious
        """,
        reason=r"Vicious: \(its message raised RuntimeError\)",
    ),
    "recurses": Misbehaviour("def forward(x):\n    return forward(x)", reason="RecursionError: maximum recursion"),
    "interrupts_itself": Misbehaviour(
        "def forward(x):\n    raise KeyboardInterrupt", reason=r"KeyboardInterrupt \(.*, in forward\)"
    ),
}
