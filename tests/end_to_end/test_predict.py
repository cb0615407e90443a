"""New videos to sentiment, on the command line and from Python."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Answers = subprocess.CompletedProcess[str]
Run = Callable[..., Answers]


@pytest.fixture
def predictions(answers: Answers) -> dict[str, dict[str, Any]]:
    """By the name of the clip, with as many folders as tell it apart."""
    return {row["clip_id"]: row for row in json.loads(answers.stdout)["predictions"]}


def test_complete_clip_gets_a_score_within_the_label_range(predictions: dict) -> None:
    row = predictions["004.mp4"]
    assert -3 <= row["prediction"] <= 3
    assert row["w"] is None  # so small a network has not learned it: "w is not shown"
    assert any(said.startswith("w is not shown") for said in row["warnings"])
    assert row["text"]  # recognised: label.csv is not read
    assert min(row["observed"].values()) > 0.9


@pytest.mark.parametrize(
    ("clip", "missing", "warnings"),
    [
        ("002.mp4", ("audio", "text"), ("no sound", "no words")),  # no audio track
        ("003.mp4", ("vision",), ("no face",)),
        ("013.mp4", ("audio", "text"), ("no sound", "no words")),  # silence
    ],
)
def test_clip_that_lacks_something_gets_a_score_and_is_told_what(
    predictions: dict, clip: str, missing: tuple[str, ...], warnings: tuple[str, ...]
) -> None:
    row = predictions[clip]
    assert -3 <= row["prediction"] <= 3
    assert {modality for modality, share in row["observed"].items() if share == 0} == set(missing)
    for warning in warnings:
        assert any(told.startswith(warning) for told in row["warnings"])


def test_clip_in_which_nothing_was_observed_gets_no_score_and_is_told_so(predictions: dict) -> None:
    row = predictions["nothing.mp4"]
    assert (row["prediction"], row["w"]) == (None, None)
    assert set(row["observed"].values()) == {0.0}
    assert any("nothing was observed" in warning for warning in row["warnings"])


def test_garbage_is_an_error_with_status_1_and_the_others_are_done(
    answers: Answers, predictions: dict
) -> None:
    assert answers.returncode == 1
    assert "error: data/sample/Raw/karl/renamed.mp4: not a readable video" in answers.stderr
    (failed,) = json.loads(answers.stdout)["failed"]
    assert failed["path"] == "data/sample/Raw/karl/renamed.mp4"
    assert len(predictions) == 5


def test_model_of_the_synthetic_corpus_says_so_with_every_answer(
    answers: Answers, predictions: dict
) -> None:
    assert "synthetic" in json.loads(answers.stdout)["notice"]
    for row in predictions.values():
        assert any("synthetic" in warning for warning in row["warnings"])


def test_python_gives_the_same_numbers(
    project: Path, predictions: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    from extractors import extract
    from lnln import load, predict

    monkeypatch.chdir(project)
    model = load("models/lnln")
    clips = [f"data/sample/Raw/{clip}.mp4" for clip in ("adam/004", "karl/013")]
    rows = predict(extract(clips, model.extraction), model)

    for row in rows:
        assert row.prediction == pytest.approx(predictions[row.clip_id]["prediction"], abs=1e-5)
        assert row.observed == predictions[row.clip_id]["observed"]
        assert row.text == predictions[row.clip_id]["text"]


@pytest.mark.slow
def test_written_features_give_the_same_numbers(
    project: Path, run: Run, predictions: dict, tmp_path: Path
) -> None:
    from lnln import load, predict

    clip = "data/sample/Raw/nell/003.mp4"
    done = run(project, "pipeline", "extract", clip, "--out", str(tmp_path), "--offline")
    assert done.returncode == 0, done.stderr
    assert f"1 clips written to {tmp_path}" in done.stdout
    (row,) = predict(tmp_path, load(project / "models" / "lnln"))
    expected = predictions["003.mp4"]
    assert row.prediction == pytest.approx(expected["prediction"], abs=1e-5)
    assert (row.observed, row.text) == (expected["observed"], expected["text"])


@pytest.mark.slow
def test_clip_is_shown_with_its_answer_and_words(
    project: Path, run: Run, predictions: dict, tmp_path: Path
) -> None:
    clip = "data/sample/Raw/adam/004.mp4"
    done = run(project, "pipeline", "show", clip, "--out", str(tmp_path), "--offline")
    assert done.returncode == 0, done.stderr
    assert {file.name for file in tmp_path.iterdir()} == {"clip.html", "clip.svg", "clip.png"}
    page, row = (tmp_path / "clip.html").read_text("utf-8"), predictions["004.mp4"]
    assert f"{row['prediction']:+.2f}" in page and row["text"].split()[0] in page
    assert "Movements that range most" in page and "synthetic" in page


@pytest.mark.slow
def test_error_on_the_command_line_goes_to_stderr(project: Path, run: Run) -> None:
    done = run(project, "pipeline", "predict", "a.mp4", "--model", "models/other", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: models/other/config.json is not there: train a model")


@pytest.mark.slow
def test_table_and_nothing_but_unreadable_files(project: Path, run: Run) -> None:
    done = run(
        project,
        "pipeline",
        "predict",
        "data/sample/Raw/karl/renamed.mp4",
        "absent.mp4",
    )
    assert done.returncode == 1
    assert "prediction" in done.stdout
    assert "This model was trained, for words, on 23,703 sentences" in " ".join(done.stdout.split())
    assert done.stderr.count("error: ") == 2
