"""`lnln show` refuses what cannot be one picture, in one line that says what to do."""

from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from contracts.quarantine import Rejected
from pipeline.commands.main import app


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What extraction says of a clip of 300 s; no model is loaded and nothing is extracted."""
    monkeypatch.chdir(tmp_path)
    long = pa.table({"duration_s": [300.0]})
    found = SimpleNamespace(manifest=long, quarantine=[], warnings=["a.mp4: odd"])
    model = SimpleNamespace(extraction={})
    monkeypatch.setattr("extractors.datasets.listing.probe_files", lambda *_, **__: found)
    monkeypatch.setattr("pipeline.commands.model.load_with_language", lambda *_, **__: model)
    monkeypatch.setattr("pipeline.commands.model.load_reader", lambda *_, **__: None)
    monkeypatch.setattr("extractors.extract", lambda *_, **__: found)
    return found


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["show", *arguments])
    return result.exit_code, result.output


def test_recording_is_told_to_be_cut_before_anything_is_extracted(
    listed: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractors.extract", lambda *_, **__: pytest.fail("it was extracted"))
    code, said = run("a.mp4")
    assert code == 1
    assert "error: a.mp4: 300 s long, and one picture shows 120 s at most" in said


def test_folder_is_refused_before_any_work(listed: SimpleNamespace, tmp_path: Path) -> None:
    code, said = run(str(tmp_path))
    assert code == 1 and "is a folder: name one video in it" in said
    assert not (tmp_path / "picture").exists()


def test_file_that_cannot_be_read_is_told_with_the_reason(listed: SimpleNamespace) -> None:
    listed.manifest = listed.manifest.slice(0, 0)
    listed.quarantine.append(Rejected("a.mp4", "a.mp4", "ingest", "the file is empty"))
    code, said = run("a.mp4")
    assert code == 1 and "error: a.mp4: the file is empty" in said


def test_name_that_is_empty_is_refused() -> None:
    assert run("")[0] == 2
