"""What the documentation names is there, and the front door stays short."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
CODE = "contracts|extractors|lnln|pipeline|tests|benchmarks|tools|docs|data/sample|data/carrier"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def linked(text: str) -> Iterator[str]:
    """Targets of links and figures, but for the web and for places on the same page."""
    for target in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in target:
            yield target


def named(text: str) -> set[str]:
    """Paths of code in backticks; `<name>` and `*` stand for something."""
    paths = re.findall(rf"`((?:{CODE})/[\w./<>*-]+)`", text)
    return {path for path in paths if not re.search(r"[<*]|docs/tables", path)}


def test_the_front_door_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200


def test_the_front_door_has_the_newest_results():
    table = ROOT / "metrics" / "studies" / "tables" / "short-sample.md"
    front_door = (ROOT / "README.md").read_text("utf-8")
    assert table.read_text("utf-8") in front_door, f"README.md has another table than {table}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    text = page.read_text("utf-8")
    assert [t for t in linked(text) if not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_are_there(page: Path):
    # A model that is an example has no folder.
    paths = {p for p in named(page.read_text("utf-8")) if "mean_audio" not in p}
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def test_the_map_names_every_room():
    """A folder of code that ARCHITECTURE.md does not name is one that nobody finds."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rooms = {
        path.parent.name
        for package in ("contracts", "extractors", "lnln", "pipeline")
        for path in (ROOT / package).glob("*/__init__.py")
    }
    assert sorted(room for room in rooms if f"{room}/" not in text) == []


def test_every_model_has_its_settings_in_the_reference():
    text = (ROOT / "docs" / "reference" / "lnln.md").read_text("utf-8")
    with_settings = {
        path.parent.name
        for path in (ROOT / "lnln" / "models").glob("*/settings.py")
        if "Field(" in path.read_text("utf-8")
    }
    assert sorted(m for m in with_settings if f"lnln.models.{m}.settings." not in text) == []


def test_what_pages_include_is_included():
    """A formatter once broke the marker; the strict build then shows the marker itself."""
    for page in (ROOT / "docs").rglob("*.md"):
        for line in page.read_text("utf-8").splitlines():
            assert not re.match(r"\s*--8 ?< ?--(?! \")", line), f"{page}: {line}"
