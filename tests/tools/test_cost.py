"""The costs that the documentation names are computed from the kept benchmarks."""

from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("cost")


def test_the_page_has_what_the_kept_results_give(cost):
    assert cost.PAGE.read_text("utf-8") == cost.page(), "run: python benchmarks/cost.py"


def test_the_newest_result_counts(cost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(cost, "FOLDER", tmp_path)
    for day, seconds in (("2026-01-31", 4), ("2026-02-01", 2)):
        text = f"# 10 clips\n\n| step | seconds |\n|---|---|\n| list | {seconds}.0 |\n"
        (tmp_path / f"{day}-cached.md").write_text(text, "utf-8")
    assert cost.newest("cached").rows["list"] == [2.0]


def test_a_result_that_is_not_there_is_named(cost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(cost, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="training"):
        cost.newest("training")


@pytest.mark.parametrize(
    ("value", "text"), [(0.00514, "0.0051"), (3.21, "3.2"), (185.3, "190"), (18530, "19,000")]
)
def test_figures_have_two_digits_that_count(cost, value: float, text: str):
    assert cost.figure(value) == text
