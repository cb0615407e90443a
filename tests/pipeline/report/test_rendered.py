"""The report as a browser shows it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.report.page.build import build
from pipeline.report.page.run import Run

SIZES = (
    "[...document.querySelectorAll('main > section > figure svg')]"
    ".map(e => e.getBoundingClientRect()).map(r => [r.width, r.height])"
)


@pytest.fixture
def page(make_run: Callable[..., Run], tmp_path: Path) -> Path:
    path = tmp_path / "index.html"
    path.write_text(build(make_run(words="<script>document.title = 'hacked'</script>")), "utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("dark", [False, True])
def test_page_opens_offline_at_every_width(
    page: Path, browse: Callable[..., Any], width: int, dark: bool
) -> None:
    seen = browse(page, width=width, dark=dark)
    assert seen.requests == []
    assert seen.complaints == []
    assert seen.evaluate("document.title") == "lnln on tiny"
    sizes = seen.evaluate(SIZES)
    assert sizes and all(w > 100 and h > 50 for w, h in sizes)
    # Wide tables scroll in themselves, and the page does not.
    assert seen.evaluate("document.documentElement.scrollWidth") <= width
    ground = seen.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
