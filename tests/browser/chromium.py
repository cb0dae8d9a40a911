"""Drive a headless Chromium over its own protocol; nothing but websockets is needed."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def executable() -> str | None:
    """Find a browser."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._ids = socket, itertools.count(1)
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method and wait for its answer."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=20))
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])
            self.events.append(message)

    def size(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Set the size of the window."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=media)

    def open(self, url: str) -> None:
        """Open a page and wait until it is there."""
        self.events.clear()
        self.send("Page.navigate", url=url)
        ends = time.monotonic() + 20
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            assert time.monotonic() < ends, "the page never loaded"
            self.events.append(json.loads(self._socket.recv(timeout=20)))

    def js(self, expression: str) -> Any:
        """Evaluate an expression, awaiting it if need be; the page's own policy does not bind us."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key."""
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def screenshot(self, path: Path) -> None:
        """Take a picture of the whole page."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def requests(self) -> list[str]:
        """List every address that was asked for."""
        asked = [event["params"]["request"]["url"] for event in self.events if event.get("method") == _ASKED]
        return [url for url in asked if not url.startswith("data:")]

    def complaints(self) -> list[str]:
        """List what the browser complains of: refused resources, errors, dialogs."""
        methods = {"Log.entryAdded", "Runtime.exceptionThrown", "Page.javascriptDialogOpening"}
        return [json.dumps(event) for event in self.events if event.get("method") in methods]


_ASKED = "Network.requestWillBeSent"


@contextmanager
def browser() -> Iterator[Page]:
    """Start a browser with a profile of its own and give its tab."""
    program = executable()
    assert program
    with tempfile.TemporaryDirectory(prefix="bitbylaw-browser-", ignore_cleanup_errors=True) as profile:
        arguments = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        running = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(Path(profile)), max_size=None, compression=None) as socket:
                yield Page(socket)
        finally:
            running.kill()
            running.wait()


def _address(profile: Path) -> str:
    """Wait until the browser says where its tab listens."""
    ends = time.monotonic() + 30
    while True:
        try:
            port = (profile / "DevToolsActivePort").read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                tabs = [each for each in json.load(answer) if each["type"] == "page"]
            return str(tabs[0]["webSocketDebuggerUrl"])
        except (OSError, IndexError, ValueError):
            assert time.monotonic() < ends, "the browser did not start"
            time.sleep(0.05)
