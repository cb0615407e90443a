"""Videos arrive, are bounded, and leave nothing behind."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from tests.pipeline.serve.asking import VIDEO, Server, wait_until

Serve = Callable[..., Server]


def test_upload_is_analysed_scored_and_deleted(serve: Serve) -> None:
    server = serve()
    taken = server.upload()
    assert taken.status == 202
    upload_id = taken.json["id"]
    assert server.wait(upload_id)["versions"] == ["original"]
    found = server.ask("GET", f"/api/uploads/{upload_id}/found").json
    assert [word["word"] for word in found["clips"][0]["words"]] == ["What", "a", "good"]
    assert found["warnings"] == ["the sound is odd"]  # without the name of our own file
    scores = server.ask("POST", f"/api/uploads/{upload_id}/scores", {}).json
    assert -3 <= scores["scores"][0]["prediction"] <= 3
    assert server.left()
    assert server.ask("DELETE", f"/api/uploads/{upload_id}").status == 204
    assert server.left() == []
    for path in ("", "/found", "/video", "/features.zip"):
        answer = server.ask("GET", f"/api/uploads/{upload_id}{path}")
        assert answer.status == 404, path
        assert "deleted" in answer.json["error"]


def test_names_on_disk_are_ours_and_private(serve: Serve) -> None:
    server = serve()
    upload_id = server.upload(
        VIDEO, **{"Content-Disposition": 'attachment; filename="../../x.mp4"'}
    ).json["id"]
    server.wait(upload_id)
    folder, video = sorted(server.folder.rglob("*"))
    assert video.name == "video" and upload_id not in str(video)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "path",
    [
        "/api/uploads/../../etc/passwd/video",
        "/api/uploads/..%2f..%2fetc%2fpasswd/video",
        "/page/..%2f..%2fapp.py",
        "/page/%2e%2e/app.py",
        "/../pyproject.toml",
    ],
)
def test_no_path_leads_out(serve: Serve, path: str) -> None:
    assert serve().ask("GET", path).status == 404


def test_size_that_is_declared_is_refused_before_it_is_sent(serve: Serve) -> None:
    server = serve()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000000\r\n\r\n"
        )
        answer = b""
        while not answer.endswith(b"}"):  # long before the three gigabytes are sent
            answer += connection.recv(10_000)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"larger than 500 MB" in answer
    assert server.left() == []


def test_stream_of_unknown_size_is_bounded(serve: Serve) -> None:
    server = serve(file_bytes=100_000)

    def parts() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    answer = server.upload(parts())
    assert answer.status == 413
    assert "larger than" in answer.json["error"]
    assert server.left() == []
    assert server.upload().status == 202  # its place was given back


def test_empty_and_unreadable_files_are_told_so(serve: Serve) -> None:
    server = serve()
    assert server.upload(b"").status == 400
    upload_id = server.upload(b"a text, which is bad").json["id"]
    state = server.wait(upload_id)
    assert (state["state"], state["error"]) == (
        "failed",
        "This file cannot be used: not a readable video.",
    )
    assert server.left() == []  # with nothing asked for
    assert server.ask("GET", f"/api/uploads/{upload_id}/video").status == 404
    assert server.ask("DELETE", f"/api/uploads/{upload_id}").status == 204
    assert server.left() == []


def test_server_outlives_errors_that_nobody_expected(
    serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    state = server.wait(server.upload(b"a bug").json["id"])
    assert "KeyError" in state["error"]
    assert "a bug" in capfd.readouterr().err  # for whoever runs it
    server.ready()


def test_connection_that_closes_in_the_middle_leaves_nothing(serve: Serve) -> None:
    server = serve(waiting=1)
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(
                b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n"
                + b"x" * 2_000_000
            )
        wait_until(lambda: server.left() == [])
    wait_until(lambda: server.upload().status == 202)  # its place was given back


def test_upload_that_stalls_is_given_up(serve: Serve) -> None:
    server = serve(stall_s=0.1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\nabc"
        )
        assert connection.recv(10_000).startswith(b"HTTP/1.1 408")
    assert server.left() == []


def test_full_disk_is_told(serve: Serve) -> None:
    answer = serve(spare_bytes=10**18).upload()
    assert answer.status == 507
    assert "no room" in answer.json["error"]


HEAD = b"POST /api/uploads HTTP/1.1\r\nHost: localhost\r\n"


def test_upload_that_trickles_is_given_up(serve: Serve) -> None:
    server = serve(waiting=1, arrival_s=0.3)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(HEAD + b"Content-Length: 9000\r\n\r\nabc")
        connection.setblocking(False)
        answer = b""

        def answered() -> bool:
            nonlocal answer
            try:
                answer += connection.recv(10_000)
            except BlockingIOError:
                connection.sendall(b"x")
            return b"}" in answer

        wait_until(answered)
    assert answer.startswith(b"HTTP/1.1 408") and b"as a whole" in answer
    assert server.left() == []
    wait_until(lambda: server.upload().status == 202)  # its place was given back


@pytest.mark.parametrize("declared", [b"Content-Length: 9000", b"Transfer-Encoding: chunked"])
def test_room_is_kept_for_videos_that_are_arriving(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, declared: bytes
) -> None:
    free = SimpleNamespace(free=10_000)
    monkeypatch.setattr("pipeline.serve.uploads.shutil.disk_usage", lambda _: free)
    server = serve(file_bytes=9000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(HEAD + declared + b"\r\n\r\n")
        wait_until(lambda: server.left() != [])
        assert server.upload(b"x" * 2000).status == 507
        assert server.upload(b"x" * 1000).status == 202
    wait_until(lambda: server.upload(b"x" * 2000).status == 202)
    assert server.ask("POST", "/api/uploads", iter([b"x"])).status == 202  # 9000, if it has to be


def test_disk_that_fills_up_meanwhile_is_told(serve: Serve, full_disk: Any) -> None:
    server = serve()
    with full_disk():
        answer = server.upload(VIDEO * 10)
    assert answer.status == 507
    assert server.left() == []


def test_fifty_at_once_get_an_answer_or_are_told_to_come_again(serve: Serve) -> None:
    server = serve(waiting=5, uploads=30)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: server.upload(), range(50)))
    taken = [answer.json["id"] for answer in answers if answer.status == 202]
    refused = [answer for answer in answers if answer.status != 202]
    assert len(taken) >= 5
    for answer in refused:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "try again" in answer.json["error"]
    assert [server.wait(upload_id)["state"] for upload_id in taken] == ["ready"] * len(taken)
    assert server.analyst.done == len(taken)


def test_queue_says_how_many_come_first(serve: Serve) -> None:
    server = serve()
    first = server.upload(b"wait").json["id"]
    server.wait(first, "working")
    others = [server.upload().json["id"] for _ in range(2)]
    states = [server.ask("GET", f"/api/uploads/{upload_id}").json for upload_id in others]
    assert [(state["state"], state["before"]) for state in states] == [
        ("waiting", 1),
        ("waiting", 2),
    ]
    assert server.ask("GET", f"/api/uploads/{others[0]}/found").status == 409
    server.analyst.go.set()
    for upload_id in (first, *others):
        assert server.wait(upload_id)["state"] == "ready"


def test_work_on_what_is_deleted_is_given_up(serve: Serve) -> None:
    server = serve(waiting=2)
    working = server.upload(b"wait").json["id"]
    server.wait(working, "working")
    waiting = server.upload().json["id"]
    assert server.upload().status == 503
    for upload_id in (waiting, working):
        assert server.ask("DELETE", f"/api/uploads/{upload_id}").status == 204
    assert server.left() == []
    assert server.analyst.given_up.is_set()
    server.ready()


def test_videos_are_deleted_when_their_time_is_over(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.serve.service._SWEEP_S", 0.02)
    server = serve(keep_s=0.3)
    upload_id = server.upload().json["id"]
    wait_until(lambda: server.ask("GET", f"/api/uploads/{upload_id}").status == 404)
    assert server.left() == []


def test_most_videos_are_kept_and_no_more(serve: Serve) -> None:
    server = serve(uploads=1)
    upload_id = server.ready()
    answer = server.upload()
    assert (answer.status, "Delete one of yours" in answer.json["error"]) == (503, True)
    server.ask("DELETE", f"/api/uploads/{upload_id}")
    server.ready()


def test_videos_that_failed_take_no_place(serve: Serve) -> None:
    server = serve(uploads=1)
    for _ in range(2):
        assert server.wait(server.upload(b"bad").json["id"])["state"] == "failed"
    server.ready()
    assert server.upload().status == 503


def test_reasons_of_uploads_that_failed_are_bounded(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.serve.uploads._REASONS", 2)
    server = serve()
    ids = [server.upload(b"bad").json["id"] for _ in range(4)]
    assert server.wait(ids[-1])["state"] == "failed"
    statuses = [server.ask("GET", f"/api/uploads/{upload_id}").status for upload_id in ids]
    assert statuses == [404, 404, 200, 200]


def test_error_of_a_deletion_does_not_keep_the_others(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.serve.service._SWEEP_S", 0.02)
    server = serve(keep_s=0.3)
    ids = [server.upload().json["id"] for _ in range(2)]
    delete = server.service.uploads.delete
    failed: list[str] = []

    def fails_once(upload_id: str) -> None:
        if not failed:
            failed.append(upload_id)
            raise PermissionError("a folder that is not ours")
        delete(upload_id)

    monkeypatch.setattr(server.service.uploads, "delete", fails_once)
    asked = [f"/api/uploads/{upload_id}" for upload_id in ids]
    wait_until(lambda: all(server.ask("GET", at).status == 404 for at in asked))
    assert failed and server.left() == []
    assert "a folder that is not ours" in capfd.readouterr().err
