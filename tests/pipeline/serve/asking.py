"""A server that runs, and how tests ask it."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.serve.service import Service

VIDEO = b"\x00\x00\x00\x18ftypmp42 not really a video " * 20


@dataclass
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A server that runs, and how to ask it."""

    port: int
    folder: Path
    analyst: Any
    service: Service

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {**(headers or {})}
        if isinstance(body, (dict, list)):
            body, sent["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def upload(self, content: Any = VIDEO, **headers: str) -> Answer:
        return self.ask("POST", "/api/uploads", content, headers)

    def wait(self, upload_id: str, *states: str) -> dict[str, Any]:
        """Wait until an upload is in one of some states."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            state = self.ask("GET", f"/api/uploads/{upload_id}").json
            if state["state"] in (states or ("ready", "failed")) and not state["damaging"]:
                return state
            time.sleep(0.01)
        raise AssertionError(f"still {state}")

    def ready(self, content: Any = VIDEO) -> str:
        """The name of an upload that is ready."""
        upload_id: str = self.upload(content).json["id"]
        assert self.wait(upload_id)["state"] == "ready"
        return upload_id

    def left(self) -> list[str]:
        """What is on disk of anybody's."""
        return sorted(path.name for path in self.folder.rglob("*"))


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, at most 10 s."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
