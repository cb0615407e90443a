"""`lnln cache`: what is kept is shown, and deleted."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from extractors.workers.cache import Cache
from pipeline.commands.main import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_cache_is_shown_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "LNLN_CACHE" in run("cache").output
    monkeypatch.setenv("LNLN_CACHE", str(tmp_path / "kept"))
    cache = Cache(str(tmp_path / "kept"))
    cache.write("audio-f00d", "ab12", pa.table({"x": [1]}))
    cache.count("audio-f00d", asked=4, hits=3)
    shown = run("cache").output
    assert all(word in shown for word in ("audio", "f00d", "75%"))
    assert run("cache", "prune", "--days", "1").output.count("f00d") == 0
    assert "deleted" in run("cache", "prune", "--days", "0").output
    assert cache.uses() == []


def test_states_of_interrupted_trainings_are_shown_and_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("params.yaml", "datasets.yaml"):
        shutil.copyfile(Path(__file__).parents[3] / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    state = tmp_path / ".cache" / "training" / "f00d.state"
    state.parent.mkdir(parents=True)
    state.write_bytes(bytes(2_000_000))
    assert "1 interrupted trainings, 2.0 MB" in " ".join(run("cache").output.split())
    assert "deleted" in run("cache", "prune", "--days", "0").output
    assert not state.exists()
    (tmp_path / "params.yaml").write_text("missing_rate: 7\n")
    monkeypatch.setenv("LNLN_CACHE", str(tmp_path / "kept"))
    result = run("cache", "prune", "--days", "0")
    assert result.exit_code == 1 and "states of interrupted trainings" in result.output
