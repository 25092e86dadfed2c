"""A table of what a process has that user code may change, each with how it is read and how it is put back."""

from __future__ import annotations

import _locale
import gc
import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any

from gradverify.targets.guard import set_filters

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ASPECTS", "Aspect", "stop_timers"]

Aspect = tuple["Callable[[], Any]", "Callable[[Any], object]"]

_ENVIRON = os.environ
# The mapping itself decodes every entry; this is a fiftieth of that, some times a job.
_ENTRIES: dict[Any, Any] = vars(os.environ)["_data"]
# Without the detour over enumerations, which takes twenty times as long.
_handler: Callable[[int], Any] = vars(signal)["_signal"].getsignal
# Those with names; the real-time ones are as many again.
_SIGNALS = [int(number) for number in sorted(signal.valid_signals()) if number < 32]


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  twice a job
    except OSError:  # it was removed
        return None


def _environment() -> tuple[bool, dict[Any, Any]]:
    return os.environ is _ENVIRON, dict(_ENTRIES)


def _set_environment(kept: tuple[bool, dict[Any, Any]]) -> None:
    os.environ = _ENVIRON  # noqa: B003  it is the first one that is put back
    for name in set(_ENTRIES) - set(kept[1]):
        del os.environ[os.fsdecode(name)]
    os.environ.update({os.fsdecode(name): os.fsdecode(value) for name, value in kept[1].items()})


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _handlers() -> list[Any]:
    return list(map(_handler, _SIGNALS))


def _set_handlers(kept: list[Any]) -> None:
    for number, handler in zip(_SIGNALS, kept, strict=True):
        if handler is not None and _handler(number) != handler:
            signal.signal(number, handler)


def _showing() -> list[Any]:
    return [vars(warnings)[name] for name in ("showwarning", "_showwarnmsg_impl")]


def _set_showing(kept: list[Any]) -> None:
    vars(warnings).update(showwarning=kept[0], _showwarnmsg_impl=kept[1])


def _lists() -> list[list[Any]]:
    return [sys.path[:], sys.argv[:], sys.meta_path[:], sys.path_hooks[:]]


def _set_lists(kept: list[list[Any]]) -> None:
    sys.path, sys.argv, sys.meta_path, sys.path_hooks = (part[:] for part in kept)


def _interpreter() -> tuple[Any, ...]:
    return sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits()


def _set_interpreter(kept: tuple[Any, ...]) -> None:
    sys.setrecursionlimit(kept[0])
    sys.setswitchinterval(kept[1])
    sys.set_int_max_str_digits(kept[2])


def _tracing() -> tuple[Any, ...]:
    return sys.gettrace(), sys.getprofile()


def _set_tracing(kept: tuple[Any, ...]) -> None:
    sys.settrace(kept[0])
    sys.setprofile(kept[1])


def _collector() -> tuple[Any, ...]:
    return gc.isenabled(), gc.get_threshold(), gc.get_debug()


def _set_collector(kept: tuple[Any, ...]) -> None:
    (gc.enable if kept[0] else gc.disable)()
    gc.set_threshold(*kept[1])
    gc.set_debug(kept[2])


def _patience() -> float | None:
    """Return the timeout of new sockets, which is none at first."""
    socket = sys.modules.get("socket")
    return socket.getdefaulttimeout() if socket else None


def _set_patience(kept: float | None) -> None:
    sys.modules["socket"].setdefaulttimeout(kept)


def _printing() -> dict[str, Any] | None:
    numpy = sys.modules.get("numpy")
    return numpy.get_printoptions() if numpy else None


def _mask() -> set[Any]:
    return signal.pthread_sigmask(signal.SIG_BLOCK, ())


def _set_mask(kept: set[Any]) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def stop_timers() -> None:
    """Let no alarm of one job strike the next."""
    for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"):
        if hasattr(signal, name):
            signal.setitimer(getattr(signal, name), 0)


def _limits() -> list[tuple[int, int]]:
    """Return the limits on resources; the soft one on data is the job's, and lifted elsewhere."""
    limits = {number: resource.getrlimit(number) for number in _RESOURCES}
    limits[resource.RLIMIT_DATA] = (-1, limits[resource.RLIMIT_DATA][1])
    return list(limits.values())


def _set_limits(kept: list[tuple[int, int]]) -> None:
    for number, limit in zip(_RESOURCES, kept, strict=True):
        if number != resource.RLIMIT_DATA:
            resource.setrlimit(number, limit)


# NumPy's error handling and decimal contexts are missing here: code under test has a context of its own.
ASPECTS: list[Aspect] = [
    (_folder, os.chdir),
    (_environment, _set_environment),
    (_umask, os.umask),
    (_handlers, _set_handlers),
    (lambda: list(warnings.filters), set_filters),
    (_showing, _set_showing),
    (_lists, _set_lists),
    (_interpreter, _set_interpreter),
    (_tracing, _set_tracing),
    (_collector, _set_collector),
    (lambda: _locale.setlocale(_locale.LC_ALL, None), lambda kept: _locale.setlocale(_locale.LC_ALL, kept)),
    (_patience, _set_patience),
    (_printing, lambda kept: sys.modules["numpy"].set_printoptions(**kept)),
]
if sys.platform != "win32":
    _NAMES = ("AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "STACK")
    _RESOURCES = [getattr(resource, f"RLIMIT_{name}") for name in _NAMES if hasattr(resource, f"RLIMIT_{name}")]
    ASPECTS += [(_mask, _set_mask), (_limits, _set_limits)]
if hasattr(os, "sched_setaffinity"):
    ASPECTS.append((lambda: os.sched_getaffinity(0), lambda kept: os.sched_setaffinity(0, kept)))
