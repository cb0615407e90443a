"""The page in a browser, with a real server and real extractors."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.report.browser import CHROMIUM, Browser
from tests.pipeline.serve.browsing import Page
from tests.pipeline.untrained import CLIP, write_untrained

ROOT = Path(__file__).parents[3]
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PROBLEM = "document.getElementById('problem').textContent"
PAINTED = """(overlay => overlay.width > 0 && overlay.getContext('2d')
    .getImageData(0, 0, overlay.width, overlay.height).data.some(Boolean)
)(document.getElementById('overlay'))"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of temporary files of the server."""
    return tmp_path_factory.mktemp("page") / "tmp"


@pytest.fixture(scope="module")
def address(temporary: Path) -> Iterator[str]:
    """A server as people start it; when it has ended, nothing of it is left."""
    temporary.mkdir()
    model, cache = temporary.with_name("model"), temporary.with_name("cache")
    write_untrained(model)
    command = [sys.executable, "-m", "pipeline", "serve", "--model", str(model), "--port", "0"]
    server = subprocess.Popen(
        [*command, "--workers", "1", "--offline"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary), "LNLN_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert found, said
        yield found[0]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    assert list(temporary.iterdir()) == []
    assert not cache.exists()  # a cache that lasts was not used


def test_video_is_looked_at_changed_and_deleted(
    address: str, temporary: Path, tmp_path: Path
) -> None:
    text, huge = tmp_path / "text.mp4", tmp_path / "huge.mp4"
    text.write_text("This is no video, whatever it is called.\n" * 50, "utf-8")
    with huge.open("wb") as file:
        file.truncate(3_000_000_000)
    with Browser(tmp_path / "profile") as browser:
        page = Page(browser, address)
        page.choose(huge)
        page.until(f"{PROBLEM}.includes('larger than 500 MB')")
        page.choose(text)
        page.until(f"{PROBLEM}.includes('not a readable video')")

        page.choose(CLIP)
        other = post(address, CLIP.read_bytes())  # somebody else, at the same time
        shown = "!document.getElementById('progress').hidden"
        assert page.until(f"{shown} && document.getElementById('step').textContent")
        whole = page.score()
        assert page.ask("document.querySelectorAll('#timeline .observed').length") > 10
        assert "pancake" in page.said()
        page.ask("document.getElementById('player').currentTime = 1")
        page.until(PAINTED)  # the face, over the video

        page.ask("document.getElementById('give-audio').click()")
        without_voice = page.other_score(whole)
        assert page.ask("document.querySelectorAll('#timeline .audio .left_out').length") > 0
        page.ask("document.getElementById('give-audio').click()")
        assert page.other_score(without_voice) == whole

        score, took_ms, word = whole, [], "best"
        for instead in ("terrible", "awful", "worst"):
            page.ask("delete document.getElementById('said').dataset.tookMs")
            page.correct(word, instead)
            score = page.other_score(score)
            took_ms.append(page.until("Number(document.getElementById('said').dataset.tookMs)"))
            word = instead
            assert f"{word} pancake" in page.said()
        assert min(took_ms) <= 1500, took_ms

        for width in (390, 1200):
            for dark in (False, True):
                assert page.width(width, dark) <= width

        wait_until_ready(address, other)
        assert page.ask("fetch('/api/uploads/nothing').then(answer => answer.status)") == 404
        page.delete()
        assert ask(address, "DELETE", f"api/uploads/{other}") == 204
        assert files_in(temporary) == []
        requests = {
            event["params"]["request"]["url"]
            for event in browser.events
            if event.get("method") == "Network.requestWillBeSent"
        }
        assert all(url.startswith((address, "data:", "about:")) for url in requests)
        thrown = [e for e in browser.events if e.get("method") == "Runtime.exceptionThrown"]
        assert thrown == []


def test_copy_is_damaged_and_what_is_lost_is_told(
    address: str, temporary: Path, tmp_path: Path
) -> None:
    with Browser(tmp_path / "profile") as browser:
        page = Page(browser, address)
        page.choose(CLIP)
        score = page.score()
        words, voice, face = page.read()
        assert min(words, voice, face) > 0.9
        for kind, severity in (("noise", 0.0), ("black", 1.0)):
            page.damage(kind, severity)
            page.until("document.querySelector('#versions [value=damaged]')?.checked")
            score = page.other_score(score)
            assert "from" in page.ask("document.querySelector('.told').textContent")
            if kind == "noise":  # as loud as the voice
                page.ask("document.querySelector('#versions [value=original]').click()")
                score = page.other_score(score)
        assert page.read()[2] == 0  # the face, in a black picture
        page.delete()
        assert files_in(temporary) == []


@pytest.mark.parametrize("kind", ["video", "sound"])
def test_recording_of_the_browser_is_looked_at(
    address: str, temporary: Path, tmp_path: Path, kind: str
) -> None:
    with Browser(tmp_path / "profile", *FAKE_CAMERA) as browser:
        page = Page(browser, address)
        page.ask(f"document.getElementById('record-{kind}').click()")
        page.until("!document.getElementById('recording').hidden")
        page.until("document.getElementById('recorded').textContent > '0:02'")
        page.ask("document.getElementById('stop').click()")
        page.until("!document.getElementById('look').hidden")
        page.score()  # of beeps, and of a clock that is no face
        assert page.read()[1] > 0
        assert page.ask("[...document.querySelectorAll('#videos button')].length") == 1
        page.delete()
        assert files_in(temporary) == []
        page.ask(f"document.getElementById('record-{kind}').click()")
        page.until("!document.getElementById('recording').hidden")
        page.ask("document.getElementById('discard').click()")
        page.until("document.getElementById('recording').hidden")
        assert page.ask("document.getElementById('preview').srcObject") is None
        assert files_in(temporary) == []


def files_in(temporary: Path) -> list[str]:
    """Files of the server, but for the one that says that its folder is in use."""
    names = {path.name for path in temporary.rglob("*") if path.is_file()}
    return sorted(names - {"in-use.lock"})


def ask(address: str, method: str, path: str, body: bytes | None = None) -> Any:
    import json

    connection = http.client.HTTPConnection(address.split("/")[2], timeout=60)
    connection.request(method, f"/{path}", body)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return json.loads(said) if said else answer.status


def post(address: str, content: bytes) -> str:
    upload_id: str = ask(address, "POST", "api/uploads", content)["id"]
    return upload_id


def wait_until_ready(address: str, upload_id: str) -> None:
    deadline = time.monotonic() + 200
    while (state := ask(address, "GET", f"api/uploads/{upload_id}"))["state"] != "ready":
        assert time.monotonic() < deadline and state["state"] != "failed", state
        time.sleep(0.2)
