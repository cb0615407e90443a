"""`lnln predict`: what it hands on, what it writes, and one message for what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.quarantine import Rejected
from extractors.clips import Clips
from extractors.errors import TranscriptError
from lnln.checkpoints.intervals import Intervals
from lnln.prediction import Prediction
from pipeline.commands.main import app
from pipeline.timeline.answering import Answers
from tests.pipeline.commands.conftest import Extractor

Say = Callable[[list[Prediction]], list[float]]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Has `predict` answer with what it is given; returns the confidences that it is asked for."""

    def answering(predictions: list[Prediction]) -> list[float]:
        asked: list[float] = []

        def answer(clips: Clips, _: Any, __: Any, ___: Any, least: float, ____: Any) -> Answers:
            asked.append(least)
            return Answers(predictions, clips.quarantine, clips.warnings)

        monkeypatch.setattr("pipeline.timeline.answering.answer", answer)
        return asked

    return answering


@pytest.fixture
def model_without_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SimpleNamespace(notice=None, label_range=(-3, 3), intervals=None, w_withheld=None)
    model = SimpleNamespace(config=config, extraction={})
    monkeypatch.setattr("pipeline.commands.model.load_with_language", lambda *_, **__: model)


def test_predict_takes_a_hub_id_and_stays_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    result = run("predict", "a.mp4", "--model", "me/lnln", "--offline")
    assert result.exit_code == 1
    assert "error: me/lnln is no folder here, and no model of that id" in result.output


@pytest.mark.parametrize("arguments", [["a.mp4"], ["a.mp4", "--model", "models/other"]])
def test_predict_without_a_model_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("predict", *arguments)
    folder = arguments[-1] if len(arguments) > 1 else "models/lnln"
    assert result.exit_code == 1
    assert f"error: {folder}/config.json is not there: train a model first" in result.output


def test_predict_with_a_damaged_model_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"settings": {}}))
    (tmp_path / "model.safetensors").touch()
    result = run("predict", "a.mp4", "--model", ".")
    assert result.exit_code == 1
    assert "error: config.json is no config of this program" in result.output


@pytest.mark.usefixtures("model_without_intervals")
def test_json_holds_the_warnings_and_the_failures(extractor: Extractor, say: Say) -> None:
    say([])
    extractor.rejected = [Rejected("b.mp4", "b.mp4", "ingest", "the file is empty")]
    extractor.warnings = ["a.mp4: the sound breaks off early"]
    result = run("predict", "a.mp4", "b.mp4", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["warnings"] == extractor.warnings
    assert [row["reason"] for row in found["failed"]] == ["the file is empty"]


@pytest.mark.usefixtures("model_without_intervals")
def test_confidence_is_asked_for_before_any_work_is_done(extractor: Extractor) -> None:
    extractor.error = AssertionError("clips were extracted")
    result = run("predict", "a.mp4", "--min-confidence", "0.5")
    assert result.exit_code == 1
    assert "does not know how sure it is" in result.output
    result = run("predict", "a.mp4", "--min-confidence", "1.5")
    assert result.exit_code == 2


def test_withheld_answers_are_no_failure(
    extractor: Extractor, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    intervals = Intervals(level=0.8, edges=(), half_widths=(2.0,), clips=(50,))
    config = SimpleNamespace(notice=None, label_range=(-3, 3), intervals=intervals, w_withheld="no")
    model = SimpleNamespace(config=config, extraction={})
    monkeypatch.setattr("pipeline.commands.model.load_with_language", lambda *_, **__: model)
    asked = say([Prediction("a.mp4", None, None, {"text": 1.0, "audio": 1.0, "vision": 1.0})])
    result = run("predict", "a.mp4", "--min-confidence", "0.5", "--json")
    assert result.exit_code == 0 and asked == [0.5]
    found = json.loads(result.stdout)
    assert found["interval_level"] == 0.8
    assert found["predictions"][0]["prediction"] is None


@pytest.mark.usefixtures("model_without_intervals")
def test_answers_are_written_as_a_table_that_others_can_read(
    extractor: Extractor, say: Say, tmp_path: Path
) -> None:
    import datasets
    import pandas
    import polars

    shares = {"text": 1.0, "audio": 0.5, "vision": 0.0}
    answers = [
        Prediction("a.mp4", -1.5, 0.25, shares, "no", ["no face observed"]),
        Prediction("b.mp4", None, None, dict.fromkeys(shares, 0.0)),
    ]
    say(answers)
    path = tmp_path / "new" / "answers.parquet"
    result = run("predict", "a.mp4", "b.mp4", "--out", str(path))
    assert result.exit_code == 0, result.output
    frame = pandas.read_parquet(path)
    assert frame["clip_id"].tolist() == ["a.mp4", "b.mp4"]
    assert frame["prediction"][0] == -1.5 and pandas.isna(frame["prediction"][1])
    assert frame["w"][0] == 0.25 and pandas.isna(frame["w"][1])
    assert polars.read_parquet(path)["observed_audio"].to_list() == [0.5, 0.0]
    result = run("predict", "a.mp4", "--out", str(tmp_path))
    assert result.exit_code == 1 and "is a folder: --out names a file" in result.output
    table = datasets.load_dataset(
        "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert table[0]["warnings"] == ["no face observed"]


def test_transcripts_are_handed_on_and_nothing_is_recognised_where_that_is_asked_for(
    project: Path, extractor: Extractor, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = SimpleNamespace(notice=None, label_range=(-3, 3), intervals=None, w_withheld=None)
    model = SimpleNamespace(config=config, extraction={"speech": {"beam_size": 2}})
    monkeypatch.setattr("pipeline.commands.model.load_with_language", lambda *_, **__: model)
    say([])
    assert run("predict", "a.mp4").exit_code == 0
    assert extractor.transcripts is None  # files beside videos are not read unasked
    assert extractor.settings.speech.model == "whisper-tiny.en"
    for command in (["predict", "a.mp4"], ["extract", "a.mp4", "--out", "features"]):
        assert run(*command, "--transcripts", "beside", "--no-speech").exit_code == 0
        assert (extractor.transcripts, extractor.settings.speech.model) == ("beside", "none")
    assert extractor.settings.vision.fps == 10


@pytest.mark.usefixtures("model_without_intervals")
def test_transcript_that_is_not_there_is_one_message(extractor: Extractor) -> None:
    extractor.error = TranscriptError("a.srt: no such file or folder")
    result = run("predict", "a.mp4", "--transcripts", "a.srt")
    assert (result.exit_code, result.output) == (1, "error: a.srt: no such file or folder\n")


def test_predict_refuses_a_path_that_cannot_be_looked_at(
    extractor: Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SimpleNamespace(extraction={}, config=SimpleNamespace(intervals=None))
    monkeypatch.setattr("pipeline.commands.model.load_with_language", lambda *_, **__: model)
    extractor.error = PermissionError(13, "Permission denied", "private/a.mp4")
    result = run("predict", "private/a.mp4")
    assert result.exit_code == 1
    assert "error: " in result.output
    assert "private/a.mp4" in result.output
