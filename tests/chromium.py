"""A headless Chromium, spoken to through a pipe: what a page asks for, says and looks like.

``python -m tests.chromium PAGE.html FOLDER`` writes pictures of a page at two widths in both
colour schemes.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS, SCHEMES = (400, 1400), ("light", "dark")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


def executable() -> str | None:
    """The first Chromium of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """One page in a browser of its own. ``events``: all that the browser reported of it.

    ``watched``: requests too, of which pictures within the page are so many that they take time.
    """

    def __init__(self, width: int = 1400, scheme: str = "light", watched: bool = True) -> None:
        self.events: list[dict[str, Any]] = []
        self._profile = tempfile.mkdtemp(prefix="chromium")
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        shell = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._browser = subprocess.Popen(
            ["bash", "-c", shell, executable(), *_FLAGS, f"--user-data-dir={self._profile}"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._number, self._rest, self._session = 0, b"", ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", *(["Network"] if watched else [])):
            self.send(f"{domain}.enable")
        self.send("Performance.enable", timeDomain="threadTicks")
        self.send("Emulation.setScrollbarsHidden", hidden=True)
        self.resize(width)
        self.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._browser.kill()
        self._browser.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._profile, ignore_errors=True)

    def resize(self, width: int, height: int = 900) -> None:
        """Make the window as wide."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser returns."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        reply = self._read(lambda one: one.get("id") == self._number)
        assert "error" not in reply, (method, reply["error"])
        found: dict[str, Any] = reply["result"]
        return found

    def open(self, path: Path) -> float:
        """Load a file; returns the seconds until it is loaded and painted."""
        start = time.perf_counter()
        self.send("Page.navigate", url=path.resolve().as_uri())
        self._read(lambda one: one.get("method") == "Page.loadEventFired")
        painted = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.send("Runtime.evaluate", expression=painted, awaitPromise=True)
        return time.perf_counter() - start

    def processor_s(self) -> float:
        """Seconds of the processor that the page's main thread has taken so far."""
        metrics = self.send("Performance.getMetrics")["metrics"]
        found: float = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
        return found

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.send("Input.insertText", text=text)

    def names(self) -> list[tuple[str, str]]:
        """(role, name) of everything that a reader of screens meets."""
        self.send("Accessibility.enable")
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        return [
            (one.get("role", {}).get("value", ""), one.get("name", {}).get("value", ""))
            for one in nodes
            if not one.get("ignored")
        ]

    def requests(self) -> list[str]:
        """Every URL that was requested, pictures within the page left out."""
        sent = self._of("Network.requestWillBeSent")
        return [url for one in sent if not (url := one["request"]["url"]).startswith("data:")]

    def complaints(self) -> list[str]:
        """What stands in the console as an error or a warning, and exceptions."""
        said = [str(one["exceptionDetails"]) for one in self._of("Runtime.exceptionThrown")]
        said += [
            str(one["args"])
            for one in self._of("Runtime.consoleAPICalled")
            if one["type"] in ("error", "warning", "assert")
        ]
        return said + [one["entry"]["text"] for one in self._of("Log.entryAdded")]

    def picture(self, path: Path, height: int | None = None) -> None:
        """Save a PNG of the page, of its first ``height`` pixels if given."""
        shown = "document.querySelectorAll('.card').forEach(one => one.style.contentVisibility = "
        self.value(shown + "'visible')")  # also what no window shows
        decoded = "Promise.all([...document.images].map(one => one.decode()))"
        self.send("Runtime.evaluate", expression=decoded, awaitPromise=True)
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        tall = min(size["height"], height or 16000)
        clip = {"x": 0, "y": 0, "width": size["width"], "height": tall, "scale": 1}
        shot = self.send("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _of(self, method: str) -> list[dict[str, Any]]:
        return [one["params"] for one in self.events if one.get("method") == method]

    def _read(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message that is wanted; the others are kept as events."""
        while True:
            while b"\0" not in self._rest:
                data = os.read(self._in, 1 << 20)
                assert data, "the browser has ended"
                self._rest += data
            raw, _, self._rest = self._rest.partition(b"\0")
            message: dict[str, Any] = json.loads(raw)
            if "id" not in message:
                self.events.append(message)
            if wanted(message):
                return message


def main(page: Path, folder: Path) -> None:
    """Pictures of ``page`` in every width and colour scheme."""
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in SCHEMES:
        for width in WIDTHS:
            with Chromium(width, scheme) as browser:
                took = browser.open(page)
                browser.picture(folder / f"{page.stem}_{width}_{scheme}.png")
                wide = browser.value("document.documentElement.scrollWidth")
                print(
                    width, scheme, f"{took:.2f} s", wide, browser.complaints(), browser.requests()
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
