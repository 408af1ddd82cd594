"""A headless Chromium for tests of pages, by its DevTools protocol over two pipes."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path

#: Names under which systems have it.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find() -> str | None:
    """Return the browser's program, or None; IMA_CHROMIUM names another."""
    return os.environ.get("IMA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one page; a context that ends it.

    `requests` has every address that was asked for, `problems` what the console complained of.

    Args:
        program: of `find`.
        folder: for its profile, which is not kept.
    """

    def __init__(self, program: str, folder: Path):
        self.requests: list[str] = []
        self.problems: list[str] = []
        self._numbers, self._waiting = itertools.count(1), b""
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        command = [
            *(program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--disable-quic", "--remote-debugging-pipe", "--hide-scrollbars"),
            f"--user-data-dir={folder}",
            "about:blank",
        ]
        # Chromium reads commands from descriptor 3 and writes to 4. High ones, that are neither.
        high = [fcntl.fcntl(theirs, fcntl.F_DUPFD, 10) for theirs in (theirs_in, theirs_out)]
        actions = [
            *((os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)),
            *((os.POSIX_SPAWN_DUP2, fd, wanted) for fd, wanted in zip(high, (3, 4), strict=True)),
        ]
        self._pid = os.posix_spawn(program, command, os.environ, file_actions=actions)
        for fd in (theirs_in, theirs_out, *high):
            os.close(fd)
        self._session = None
        pages = self.send("Target.getTargets")["targetInfos"]
        page = next(target for target in pages if target["type"] == "page")
        attach = {"targetId": page["targetId"], "flatten": True}
        self._session = self.send("Target.attachToTarget", **attach)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.send(f"{domain}.enable")
        # Else the keyboard waits for a window that nobody has clicked on.
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGTERM)
        end = time.monotonic() + 10
        while os.waitpid(self._pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > end:
                os.kill(self._pid, signal.SIGKILL)
            time.sleep(0.05)
        os.close(self._in), os.close(self._out)

    def send(self, method: str, seconds: float = 300, **params: object) -> dict:
        """Return the answer to a command of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while True:
            answer = self._receive(end - time.monotonic())
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _receive(self, seconds: float) -> dict:
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._in], [], [], max(seconds, 0))
            assert ready, "the browser did not answer in time"
            part = os.read(self._in, 1 << 20)
            assert part, "the browser has ended"
            self._waiting += part
        whole, _, self._waiting = self._waiting.partition(b"\0")
        message = json.loads(whole)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, about: dict) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(about["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.problems.append(json.dumps(about["args"]))
        elif event == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.problems.append(about["entry"]["text"])

    def open(self, file: Path, width: int, height: int = 900) -> None:
        """Open a file in a window of so many CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **metrics)
        self.send("Page.navigate", url=file.resolve().as_uri())
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> object:
        """Return the value of an expression on the page; a promise's, once it is there."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition: str, seconds: float = 300) -> None:
        """Wait until an expression on the page is true."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"never: {condition}"
            time.sleep(0.05)

    def press(self, key: str, code: int) -> None:
        """Press a key, by its name and its number as Windows has it."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            about = {"key": key, "code": key, "windowsVirtualKeyCode": code, **text}
            self.send("Input.dispatchKeyEvent", type=kind, **about)

    def hover(self, x: float, y: float) -> None:
        """Move the pointer to a place of the window."""
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, path: Path, whole: bool = False) -> None:
        """Write what the window shows, or the whole page, as PNG."""
        more = {"captureBeyondViewport": True} if whole else {}
        data = self.send("Page.captureScreenshot", format="png", **more)["data"]
        path.write_bytes(base64.b64decode(data))
