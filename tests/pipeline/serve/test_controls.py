"""What people do on the page, with extractors that stand in for themselves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.report.browser import CHROMIUM, Browser
from tests.pipeline.serve.asking import VIDEO, Server
from tests.pipeline.serve.browsing import Page

Serve = Callable[..., Server]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]


def at(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}/"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video in which a word is not believed, and of which there is a picture."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(VIDEO + b"doubt drawing")
    return path


def test_everything_can_be_done_with_the_keyboard(serve: Serve, clip: Path, tmp_path: Path) -> None:
    server = serve()
    with Browser(tmp_path / "profile") as browser:
        page = Page(browser, at(server))
        page.choose(clip)
        whole = page.score()
        reached = set()
        for _ in range(80):
            page.press("Tab")
            reached.add(page.focused())
        controls = {"file", "record-video", "delete", "Time in the video", "0-0"}
        controls |= {"give-text", "rate", "from", "to", "of", "all-back", "kind", "severity"}
        assert controls <= reached
        assert any("Press to believe it" in name for name in reached)
        assert "Timeline (CSV)" in reached

        page.ask("document.querySelector('#timeline svg').focus()")
        page.press("Home")
        page.press("ArrowRight")
        for _ in range(3):
            page.press("ArrowRight", shift=True)
        assert page.until("document.getElementById('chosen').textContent").startswith("0:00.5 to")
        while page.focused() != "Leave it out":
            page.press("Tab")
        page.press("Enter")
        without = page.other_score(whole)
        assert page.ask("document.querySelectorAll('#timeline .left_out').length") > 0
        assert "from" in page.ask("document.querySelector('.told').textContent")
        while page.focused() != "rate":
            page.press("Tab")
        page.press("End")
        page.until("document.querySelector('.big').textContent === 'no score'")
        while page.focused() != "all-back":
            page.press("Tab")
        page.press("Enter")
        assert page.other_score(without) == whole


def test_words_that_are_not_believed_are_grey_until_somebody_believes_them(
    serve: Serve, clip: Path, tmp_path: Path
) -> None:
    server = serve(models=2)
    with Browser(tmp_path / "profile") as browser:
        page = Page(browser, at(server))
        page.choose(clip)
        whole = page.score()
        scores = "[...document.querySelectorAll('[data-score]')].map(each => each.dataset.score)"
        assert len(set(page.ask(scores))) == 2  # models side by side
        colour = "getComputedStyle(document.querySelector('{}')).color"
        grey = page.ask(colour.format("p.hint"))
        assert page.ask(colour.format("button.doubted")) == grey
        assert page.ask(colour.format("input.unsure")) == grey
        assert page.ask(colour.format("input.word:not(.unsure)")) != grey
        page.ask("document.querySelector('button.doubted').click()")
        page.other_score(whole)
        assert page.ask("document.querySelector('button.doubted')") is None
        assert page.said() == "What a good thanks"
        assert "from" in page.ask("document.querySelector('.told').textContent")

        links = page.ask("[...document.querySelectorAll('#downloads a')].map(each => each.href)")
        assert len(links) == 11
        for link in links:
            answer = server.ask("GET", link.removeprefix(at(server).rstrip("/")))
            assert answer.status == 200 and answer.body, link

        with Browser(tmp_path / "other") as elsewhere:
            second = Page(elsewhere, at(server))
            assert not second.shown("look") and not second.shown("videos")
            assert second.ask("document.querySelectorAll('#videos button').length") == 0


def test_second_video_that_fails_leaves_the_first_in_reach(serve: Serve, tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    first.write_bytes(VIDEO)
    second.write_bytes(b"bad")
    server = serve()
    with Browser(tmp_path / "profile") as browser:
        page = Page(browser, at(server))
        page.choose(first)
        page.score()
        assert page.ask("document.getElementById('videos').hidden")
        page.choose(second)
        page.until("document.getElementById('problem').textContent.includes('readable')")
        listed = "[...document.querySelectorAll('#videos button')].map(each => each.textContent)"
        assert page.ask(listed) == ["first.mp4"]
        assert not page.ask("document.getElementById('videos').hidden")
        page.ask("document.querySelector('#videos button').click()")
        page.until("!document.getElementById('look').hidden")
        page.score()
        page.ask("document.getElementById('delete').click()")
        page.until("document.getElementById('look').hidden")
        assert server.left() == []
