"""Benchmarks run, on little, and keep what they print; what they measure is nobody's promise."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Imports a benchmark as `python benchmarks/<name>.py` would; results go elsewhere."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name: str) -> ModuleType:
        monkeypatch.setattr(import_module("kept"), "FOLDER", tmp_path)
        return import_module(name)

    return load


def kept(folder: Path, name: str) -> list[str]:
    (file,) = folder.glob(f"*-{name}.md")
    return file.read_text("utf-8").splitlines()


def test_training_compares_equal_losses(load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bench = load("training")
    monkeypatch.setattr(bench, "CASES", [bench.Case("paper", "like MOSI", batches=1)])
    monkeypatch.setattr(bench, "CLIPS", (16,))
    monkeypatch.setattr(bench, "ROWS", (16,))
    monkeypatch.setattr(bench, "RATES", [0.5])
    threads = torch.get_num_threads()
    try:
        bench.main(threads=1, quick=True, rounds=1, clips=8)
    finally:
        torch.set_num_threads(threads)
    rows = [line for line in kept(tmp_path, "training") if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows if "none" in row] == [
        "| paper, like MOSI, BERT: none",
        "| 8 clips at 1 rates, paper, like MOSI, BERT: none",
    ]


def test_pickles_of_both_protocols_are_imported(load, tmp_path: Path):
    load("pickles").main(share=0.0005, only=None)
    assert [line[:4] for line in kept(tmp_path, "pickles") if line[:3] in ("| 2", "| 4")] == [
        "| 2 ",
        "| 4 ",
    ]


def test_cached_clips_are_listed_and_packed(
    load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["cached.py", "--clips", "20"])
    load("cached").main()
    assert "# 20 clips, all in the cache" in kept(tmp_path, "cached")


def test_timelines_are_timed_on_a_video_of_the_asked_length(load, tmp_path: Path):
    from extractors.media.container import probe

    bench = load("timeline")
    assert probe(str(bench.make_video(0.2, tmp_path))).duration_s == pytest.approx(12, abs=0.3)
