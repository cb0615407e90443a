"""The one thread that works outlives whatever its work does."""

import contextlib
import io
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from pipeline.serve.jobs import Jobs
from pipeline.serve.refusals import Busy
from tests.pipeline.serve.asking import Server


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    jobs = Jobs(1)
    yield jobs
    jobs.close()
    jobs.join(10)


def test_work_that_fails_is_reported_and_gives_its_place_back(
    jobs: Jobs, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise KeyError("a bug")

    done = threading.Event()
    jobs.take_place()
    jobs.put("first", fails)
    for _ in range(1000):
        with contextlib.suppress(Busy):
            jobs.take_place()
            break
        done.wait(0.01)
    jobs.put("second", done.set)
    assert done.wait(10)
    assert "a bug" in capsys.readouterr().err


def test_closed_terminal_does_not_end_the_work(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    state = server.wait(server.upload(b"a bug").json["id"])
    assert "KeyError" in state["error"]
    server.ready()


def test_rest_that_cannot_be_deleted_does_not_end_the_work(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()

    def fails() -> None:
        raise PermissionError("a folder that is not ours")

    monkeypatch.setattr(server.analyst, "tidy", fails)
    working = server.upload(b"wait").json["id"]
    server.wait(working, "working")
    assert server.ask("DELETE", f"/api/uploads/{working}").status == 204
    assert server.ask("GET", f"/api/uploads/{server.ready()}").json["before"] == 0
