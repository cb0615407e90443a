"""`lnln extract`: the project's settings, and one message for what is wrong."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.quarantine import Rejected, read_quarantine
from extractors.errors import MissingAsset
from extractors.settings import ExtractorSettings
from pipeline.commands.main import app
from tests.pipeline.commands.conftest import Extractor


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_extract_uses_the_project_s_settings_and_needs_no_dataset(
    project: Path, change: Any, extractor: Extractor
) -> None:
    change("vision.fps", 5)
    result = run("extract", "a.mp4", "--out", "features", "--workers", "3", "--offline")
    assert result.exit_code == 0, result.output
    assert extractor.settings.vision.fps == 5
    assert extractor.settings.text.max_tokens == 40
    assert (extractor.settings.run.workers, extractor.settings.run.offline) == (3, True)
    assert (project / "features" / "features" / "vision" / "part-0.parquet").is_file()


def test_extract_uses_the_defaults_outside_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extractor: Extractor
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("extract", "a.mp4", "--out", "features").exit_code == 0
    assert extractor.settings == ExtractorSettings()


def test_extract_does_the_others_when_a_file_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extractor: Extractor
) -> None:
    monkeypatch.chdir(tmp_path)
    extractor.rejected = [Rejected("b.mp4", "b.mp4", "ingest", "the file is empty")]
    extractor.warnings = ["clips/: no video in this folder"]
    result = run("extract", "b.mp4", "clips", "--out", "features")
    assert result.exit_code == 1
    assert "error: b.mp4: the file is empty" in result.stderr
    assert "warning: clips/: no video" in result.stderr
    assert read_quarantine(tmp_path / "features" / "quarantine.csv") == extractor.rejected


def test_extract_refuses_bad_params_before_any_work(
    project: Path, change: Any, extractor: Extractor
) -> None:
    change("vision.fps", 0)
    result = run("extract", "a.mp4", "--out", "features")
    assert (result.exit_code, extractor.settings) == (1, None)
    assert "error: params.yaml:\n  vision.fps: 0 is not allowed" in result.output


def test_extract_refuses_a_file_in_the_place_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extractor: Extractor
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("features").touch()
    result = run("extract", "a.mp4", "--out", "features")
    assert (result.exit_code, extractor.settings) == (1, None)
    assert "error: " in result.output
    assert "features" in result.output


def test_missing_asset_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extractor: Extractor
) -> None:
    monkeypatch.chdir(tmp_path)
    extractor.error = MissingAsset("minilm: not found. Get it: pip install this")
    result = run("extract", "a.mp4", "--out", "features")
    assert result.exit_code == 1
    assert result.output == "error: minilm: not found. Get it: pip install this\n"
