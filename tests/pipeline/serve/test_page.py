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
import torch

from tests.pipeline.report.browser import CHROMIUM, Browser
from tests.pipeline.serve.browsing import Page

ROOT = Path(__file__).parents[3]
CLIP = ROOT / "data" / "sample" / "Raw" / "adam" / "004.mp4"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A network that learned nothing, for features of real clips."""
    from contracts.schemas import MODALITIES
    from extractors import extract
    from extractors.settings import ExtractorSettings, RunSettings
    from lnln.checkpoints.checkpoint import Checkpoint
    from lnln.checkpoints.config import Config
    from lnln.data.normalisation import Normalisation
    from lnln.data.reading import from_tables
    from lnln.models.registry import find
    from lnln.settings import Shapes

    settings = ExtractorSettings(run=RunSettings(workers=1, offline=True))
    features = extract(CLIP, settings)
    clips = from_tables(features.text, features.audio, features.vision)
    kind = find("robust")
    widths = {f"{m}_dim": clips.modality(m).values.shape[1] for m in MODALITIES}
    shapes = Shapes(**widths, text_length=40, audio_length=150, vision_length=60)
    torch.manual_seed(0)
    network = kind.load()(kind.settings(), shapes, None)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    config = Config(
        model="robust",
        settings=kind.settings(),
        shapes=shapes,
        normalisation=Normalisation.fit(clips),
        features={m: clips.modality(m).info for m in MODALITIES},
        transcription={"language": "en", "speech": settings.speech.model_dump()},
        metric_set="mosi",
        label_range=(-1000, 1000),  # so that no answer is cut off
        dataset="toy",
    )
    Checkpoint(network, config).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def address(model: Path, tmp_path: Path) -> Iterator[str]:
    """A server as people start it; when it has ended, nothing of it is left."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "pipeline", "serve", "--model", str(model), "--port", "0"]
    server = subprocess.Popen(
        [*command, "--workers", "1", "--offline"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary), "LNLN_CACHE": str(tmp_path / "cache")},
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
    assert not (tmp_path / "cache").exists()  # a cache that lasts was not used


@pytest.mark.slow
def test_video_is_looked_at_changed_and_deleted(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with Browser(tmp_path / "profile") as browser:
        page = Page(browser, address)
        page.choose(ROOT / "README.md")  # whatever it is called
        assert "not a readable video" in page.until(
            "document.getElementById('problem').textContent"
        )

        page.choose(CLIP)
        other = post(address, CLIP.read_bytes())  # somebody else, at the same time
        shown = "!document.getElementById('progress').hidden"
        assert page.until(f"{shown} && document.getElementById('step').textContent")
        whole = page.score()
        assert page.ask("document.querySelectorAll('#timeline .observed').length") > 10
        said = "[...document.querySelectorAll('[data-word]')].map(word => word.value).join(' ')"
        assert "pancakes" in page.ask(said)

        page.ask("document.getElementById('give-audio').click()")
        without_voice = page.other_score(whole)
        assert page.ask("document.querySelectorAll('#timeline .audio .left_out').length") > 0
        page.ask("document.getElementById('give-audio').click()")
        assert page.other_score(without_voice) == whole

        page.ask(
            "(word => { word.value = 'terrible';"
            "word.dispatchEvent(new Event('change', {bubbles: true})) })"
            "([...document.querySelectorAll('[data-word]')].find(word => word.value === 'best'))"
        )
        page.other_score(whole)
        assert "terrible pancakes" in page.ask(said)
        took_ms = page.until("document.getElementById('said').dataset.tookMs")
        with capsys.disabled():
            print(f"\na corrected word was scored after {took_ms} ms")

        for width in (390, 1200):
            for dark in (False, True):
                assert page.width(width, dark) <= width

        wait_until_ready(address, other)
        assert page.ask("fetch('/api/uploads/nothing').then(answer => answer.status)") == 404
        page.ask("document.getElementById('delete').click()")
        page.until("document.getElementById('look').hidden")
        assert ask(address, "DELETE", f"api/uploads/{other}") == 204
        left = [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()]
        assert [path.name for path in left] == ["in-use.lock"]
        requests = {
            event["params"]["request"]["url"]
            for event in browser.events
            if event.get("method") == "Network.requestWillBeSent"
        }
        assert all(url.startswith((address, "data:", "about:")) for url in requests)
        thrown = [e for e in browser.events if e.get("method") == "Runtime.exceptionThrown"]
        assert thrown == []


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
