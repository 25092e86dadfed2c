"""A real browser for tests: Chromium without a window, driven by its DevTools protocol over a pair of pipes.

The protocol needs no package: messages are JSON that ends with a zero byte, commands carry a number that their answer
repeats, and events carry none. Only what the tests of pages need is here; names of methods are those of the protocol.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["Page", "chromium", "open_page"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 60.0
_OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--force-color-profile=srgb",
)


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome, or ``None`` where there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Page:
    """One page: commands in, answers out, events kept."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer, self._number, self._session = b"", 0, None
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer to one command; what is told meanwhile goes to the events."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def open(self, path: Path, *, scripts: bool = True, width: int = 1280, dark: bool = False) -> None:
        """Open a file, and wait until it is loaded."""
        self.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.look(width=width, dark=dark)
        self.events.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def look(self, *, width: int, dark: bool = False, media: str = "screen") -> None:
        """Set the width of the window and the colours that its user prefers."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def value(self, expression: str) -> Any:
        """Return what JavaScript gives, also where the page itself may run none."""
        return self.send("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press and release one key, as someone at a keyboard does."""
        text = {"text": key} if len(key) == 1 else {}
        named = {"key": key, "code": {" ": "Space"}.get(key, key), "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", **named, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **named)

    def tree(self) -> list[tuple[str, str, str]]:
        """Return role, name and description of everything that assistive software is told of."""
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        told = [node for node in nodes if not node["ignored"]]
        return [tuple(node.get(part, {}).get("value", "") for part in ("role", "name", "description")) for node in told]

    def screenshot(self, path: Path, selector: str = "html", scale: float = 1.0) -> None:
        """Write a picture of the first element that a selector finds, all of it."""
        box = self.value(
            f"(r => ({{x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: r.height}}))"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        taken = self.send("Page.captureScreenshot", clip=box | {"scale": scale}, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _read(self) -> dict[str, Any]:
        end = time.monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            assert select.select([self._answers], [], [], max(0.0, end - time.monotonic()))[0], "no answer in time"
            read = os.read(self._answers, 1 << 20)
            assert read, "the browser has ended"
            self._buffer += read
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)


@contextmanager
def open_page():
    """Start a browser with a profile of its own, and end it afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        (read_commands, commands), (answers, write_answers) = os.pipe(), os.pipe()
        # It reads commands from descriptor 3 and answers on 4; copies far above keep the two from each other's place.
        high = [_copied(descriptor) for descriptor in (read_commands, write_answers)]
        actions = [(os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4)]
        actions += [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
        program = [chromium(), *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        process = os.posix_spawn(program[0], program, os.environ, file_actions=actions, setsid=True)
        for descriptor in (read_commands, write_answers, *high):
            os.close(descriptor)
        try:
            yield Page(commands, answers)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(commands)
            os.close(answers)


def _copied(descriptor: int) -> int:
    import fcntl  # noqa: PLC0415  there is none on Windows, where these tests are skipped

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 100)
