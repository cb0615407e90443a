"""A headless Chromium that says what a page does."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class Browser:
    """One Chromium with one tab; use as a context manager.

    Messages are JSON that ends with a zero byte: the browser reads them from file 3 and writes
    them to file 4 (https://chromedevtools.github.io/devtools-protocol/).
    """

    def __init__(self, profile: Path, *more_flags: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._number, self._session, self._rest = 0, "", b""
        its_input, self._output = os.pipe()
        self._input, its_output = os.pipe()
        # The shell makes them 3 and 4, whatever their numbers are here.
        command = 'a=$1; b=$2; shift 2; exec "$@" 3<&"$a" 4>&"$b"'
        flags = [*FLAGS, *more_flags, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            ["bash", "-c", command, "-", str(its_input), str(its_output), CHROMIUM, *flags],
            pass_fds=(its_input, its_output),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_input)
        os.close(its_output)

    def __enter__(self) -> "Browser":
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        os.close(self._output)
        os.close(self._input)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol; what happens meanwhile goes to `events`."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def wait(self, method: str) -> None:
        """Wait for an event."""
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self._next())

    def evaluate(self, expression: str) -> Any:
        """Evaluate JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._input, 1 << 20)
            assert read, "Chromium has ended"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


@dataclass
class Seen:
    """What a page did.

    Attributes
    ----------
    requests : list of str
        Addresses, but for the page's own and what is in it.
    complaints : list of str
        Errors of the console; vega warns of specifications of an older one, which DVC's are.
    evaluate : callable
        Evaluates JavaScript in the page.
    screenshot : callable
        Writes a PNG of the whole page.
    """

    requests: list[str]
    complaints: list[str]
    evaluate: Callable[[str], Any] = field(repr=False)
    screenshot: Callable[[Path], None] = field(repr=False)


def look(browser: Browser, page: Path, width: int = 1200, dark: bool = False) -> Seen:
    """Open a page and wait until it is complete."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.call("Emulation.setEmulatedMedia", features=[scheme])
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=False,
    )
    browser.events.clear()
    browser.call("Page.navigate", url=page.as_uri())
    browser.wait("Page.loadEventFired")
    # What scripts draw, and ask for, comes after the load.
    browser.call(
        "Runtime.evaluate",
        expression="new Promise(done => setTimeout(done, 1000))",
        awaitPromise=True,
    )

    def screenshot(path: Path) -> None:
        shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    return Seen(
        [
            url
            for url in _of(browser, "Network.requestWillBeSent", "request", "url")
            if not url.startswith(("file:", "data:"))
        ],
        [
            str(event["params"])
            for event in browser.events
            if event.get("method") == "Runtime.exceptionThrown"
            or (
                event.get("method") == "Log.entryAdded"
                and event["params"]["entry"]["level"] == "error"
            )
            or (
                event.get("method") == "Runtime.consoleAPICalled"
                and event["params"]["type"] in ("error", "assert")
            )
        ],
        browser.evaluate,
        screenshot,
    )


def _of(browser: Browser, method: str, *keys: str) -> list[str]:
    found = []
    for event in browser.events:
        if event.get("method") == method:
            value: Any = event["params"]
            for key in keys:
                value = value[key]
            found.append(value)
    return found
