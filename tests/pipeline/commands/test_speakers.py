"""`lnln predict --speaker-pattern`: who speaks, as the names of files say."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from extractors.clips import Clips
from pipeline.commands.main import app
from pipeline.commands.speakers import speakers_of
from pipeline.timeline.answering import Answers

Predict = Callable[..., Result]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reached `transcribed` and `answer`, which have stand-ins."""
    reached: list[Any] = []

    def transcribed(paths: list[str], *_: Any) -> Clips:
        reached.append(paths)
        empty = pa.table({"clip_id": pa.array([], pa.string())})
        names = [Path(path).name for path in paths]
        manifest = pa.table({"clip_id": names, "path": paths, "group": names})
        return Clips(manifest, empty, empty, [], [])

    def answer(clips: Clips, *_: Any) -> Answers:
        reached.append(clips.manifest.to_pydict())
        return Answers([], [], [])

    monkeypatch.setattr("extractors.api.transcribed", transcribed)
    monkeypatch.setattr("pipeline.timeline.answering.answer", answer)
    return reached


@pytest.fixture
def predict(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> Predict:
    def run(*arguments: str, by_speaker: bool = True) -> Result:
        config = SimpleNamespace(notice=None, label_range=(-3, 3), intervals=None, w_withheld=None)
        model = SimpleNamespace(config=config, extraction={}, by_speaker=by_speaker)
        monkeypatch.setattr("pipeline.commands.model.load_with_language", lambda *_, **__: model)
        return CliRunner().invoke(app, ["predict", *arguments])

    return run


def test_first_group_of_the_file_s_name_is_the_speaker(predict: Predict, asked: list[Any]) -> None:
    videos = ["a/ann_1.mp4", "b/ann_2.mp4", "ben_1.mp4"]
    result = predict(*videos, "--speaker-pattern", "^([a-z]+)_")
    assert result.exit_code == 0, result.output
    assert asked[1]["group"] == ["ann", "ann", "ben"]
    assert asked[1]["clip_id"] == ["ann_1.mp4", "ann_2.mp4", "ben_1.mp4"]


def test_without_a_pattern_every_file_is_its_own_speaker(
    predict: Predict, asked: list[Any]
) -> None:
    assert predict("ann_1.mp4", "ann_2.mp4").exit_code == 0
    assert asked[1]["group"] == ["ann_1.mp4", "ann_2.mp4"]


@pytest.mark.parametrize("pattern", ["^([0-9]+)_", "^ben(_x)?"])
def test_name_without_a_speaker_is_told_before_the_work(
    predict: Predict, asked: list[Any], tmp_path: Path, pattern: str
) -> None:
    for name in ("7_a.mp4", "ben_1.mp4"):
        (tmp_path / name).touch()
    result = predict(str(tmp_path), "--speaker-pattern", pattern)
    assert result.exit_code == 1
    assert f"--speaker-pattern {pattern!r} finds no speaker in the name" in result.output
    assert not asked


@pytest.mark.parametrize(
    ("pattern", "message"), [("ann_", "has no group"), ("(ann", "is no regular expression")]
)
def test_pattern_that_cannot_find_a_speaker_is_refused(
    predict: Predict, asked: list[Any], pattern: str, message: str
) -> None:
    result = predict("ann_1.mp4", "--speaker-pattern", pattern)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())
    assert not asked


def test_model_that_does_not_ask_who_speaks_says_so(predict: Predict, asked: list[Any]) -> None:
    result = predict("a_1.mp4", "--speaker-pattern", "^(a)_", by_speaker=False)
    assert result.exit_code == 1
    assert "does not ask who speaks" in result.output
    assert not asked


def test_speaker_is_found_in_the_last_part_of_a_url() -> None:
    assert speakers_of(["s3://01_bucket/x/02_a.mp4"], "^([0-9]+)_") == ["02"]
