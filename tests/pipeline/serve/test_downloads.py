"""Of a video that arrived everybody gets their own, in every form."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.pipeline.serve.asking import VIDEO, Server, wait_until

Serve = Callable[..., Server]


def test_users_do_not_see_each_other(serve: Serve) -> None:
    server = serve()
    ids = [server.ready() for _ in range(2)]
    assert ids[0] != ids[1] and min(map(len, ids)) >= 24
    assert server.ask("GET", "/api/uploads").status == 405  # nobody gets a list
    change = {"clip": 0, "words": [{"word": "bad"}]}
    assert server.ask("PUT", f"/api/uploads/{ids[0]}/words", change).status == 200
    other = server.ask("GET", f"/api/uploads/{ids[1]}/found").json
    assert other["clips"][0]["text"] == "What a good"


def test_video_comes_in_parts_with_a_type_of_ours(serve: Serve) -> None:
    server = serve()
    upload_id = server.ready()
    part = server.ask("GET", f"/api/uploads/{upload_id}/video", headers={"Range": "bytes=4-11"})
    assert (part.status, part.body) == (206, b"ftypmp42")
    assert part.headers["Content-Type"] == "video/mp4"
    page = server.ready(b"<html><script>alert(1)</script>" * 20)
    answer = server.ask("GET", f"/api/uploads/{page}/video")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_damaged_copy_is_a_version_of_its_own(serve: Serve) -> None:
    server = serve()
    upload_id = server.ready()
    at = f"/api/uploads/{upload_id}"
    assert server.ask("POST", f"{at}/damage", {"damages": {"noise": 900}}).status == 400
    assert server.ask("POST", f"{at}/damage", {"damages": {"word_errors": 0.5}}).status == 400
    assert server.ask("POST", f"{at}/damage", {"damages": {"noise": 0}}).status == 202
    assert server.wait(upload_id)["versions"] == ["original", "damaged"]
    scores = [
        server.ask("POST", f"{at}/scores", {"version": version}).json["scores"][0]["prediction"]
        for version in ("original", "damaged")
    ]
    assert scores[0] != scores[1]
    assert server.ask("GET", f"{at}/video?version=damaged").body == VIDEO
    server.ask("DELETE", at)
    assert server.left() == []


def test_features_come_as_extract_writes_them(serve: Serve, tmp_path: Path) -> None:
    import io
    import zipfile

    from extractors import read_features

    server = serve()
    packed = server.ask("GET", f"/api/uploads/{server.ready()}/features.zip")
    assert "attachment" in packed.headers["Content-Disposition"]
    zipfile.ZipFile(io.BytesIO(packed.body)).extractall(tmp_path / "taken")
    features = read_features(tmp_path / "taken" / "features-1")
    assert features.text.num_rows == 1
    assert str(server.folder) not in str(features.manifest.to_pylist())


def test_timeline_comes_in_every_form(serve: Serve) -> None:
    server = serve()
    at = f"/api/uploads/{server.ready()}"
    offered = server.ask("GET", f"{at}/found").json["downloads"]
    assert {"features.zip", "timeline.csv", "timeline.vtt"} <= set(offered)
    assert "picture.svg" not in offered  # the extractors that stand in here gather no frames
    assert server.ask("GET", f"{at}/picture.svg").status == 404
    begins = {"csv": b"recording_id,", "json": b"{", "parquet": b"PAR1", "vtt": b"WEBVTT"}
    begins |= {"srt": b"1\n00:00:00,000", "png": b"\x89PNG", "svg": b"<?xml"}
    for kind, begin in begins.items():
        answer = server.ask("GET", f"{at}/timeline.{kind}")
        assert answer.body.startswith(begin), kind
        assert f'filename="timeline.{kind}"' in answer.headers["Content-Disposition"]
    assert [path for path in server.left() if "timeline" in path] == []


def test_picture_comes_in_every_form_with_the_words_as_they_are_now(serve: Serve) -> None:
    server = serve()
    at = f"/api/uploads/{server.ready(b'a drawing')}"
    offered = server.ask("GET", f"{at}/found").json["downloads"]
    assert {"picture.svg", "picture.png", "picture.html"} <= set(offered)
    words = [{"word": "bad", "start_s": 0.6, "end_s": 1.0}]
    assert server.ask("PUT", f"{at}/words", {"clip": 0, "words": words}).status == 200
    for kind, begin in {"svg": b"<?xml", "png": b"\x89PNG", "html": b"<!doctype html>"}.items():
        answer = server.ask("GET", f"{at}/picture.{kind}")
        assert (answer.status, answer.body[: len(begin)].lower()) == (200, begin.lower()), kind
        assert f'filename="picture.{kind}"' in answer.headers["Content-Disposition"]
        assert kind == "png" or b"bad" in answer.body
    assert [path for path in server.left() if "picture" in path] == []


def test_file_of_a_video_that_is_deleted_meanwhile_is_gone(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    upload_id = server.ready()

    def deletes(*_: object) -> bytes:
        server.service.uploads.delete(upload_id)
        raise FileNotFoundError("the folder is not there")

    monkeypatch.setattr("pipeline.serve.service.made", deletes)
    assert server.ask("GET", f"/api/uploads/{upload_id}/features.zip").status == 404


def test_files_are_made_one_after_the_other_and_hold_up_nothing_else(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, drawing, most = threading.Event(), [], []

    def draws(*_: object) -> bytes:
        drawing.append(0)
        most.append(len(drawing))
        go.wait(20)
        drawing.pop()
        return b"drawn"

    monkeypatch.setattr("pipeline.serve.service.made", draws)
    server = serve()
    at = f"/api/uploads/{server.ready()}"
    with ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(server.ask, "GET", f"{at}/timeline.png") for _ in range(60)]
        wait_until(lambda: bool(drawing))
        try:
            time.sleep(0.2)  # until all have arrived
            assert server.ask("GET", f"{at}/found").status == 200
        finally:
            go.set()
        assert {each.result().body for each in asked} == {b"drawn"}
    assert set(most) == {1}
