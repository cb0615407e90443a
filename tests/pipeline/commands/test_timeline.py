"""`lnln timeline` takes one recording; of several it would make one timeline of mixed rows."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from pipeline.commands.main import app


@pytest.fixture(autouse=True)
def nothing_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        pytest.fail("a model was loaded")

    monkeypatch.setattr("pipeline.commands.model.load_with_language", load)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["timeline", *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", [".", ""])
def test_folder_is_refused_before_any_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = run(name, "--out", "out")
    assert code == 1 and "error: . is a folder: name one video in it" in said
    assert not (tmp_path / "out").exists()


def test_url_of_several_videos_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["s3://talks/a.mp4", "s3://talks/b.mp4"]
    monkeypatch.setattr("extractors.datasets.listing.find_videos", lambda _: found)
    code, said = run("s3://talks", "--out", str(tmp_path / "out"))
    assert code == 1 and "error: s3://talks has 2 videos: name one of them" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--no-speech", "--speech-model", "a/b"), "exclude each other"),
        (("--speech-model", ""), "the name is empty"),
    ],
)
def test_wishes_about_speech_that_contradict_are_refused(
    options: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SimpleNamespace(extraction={}, config=None)
    monkeypatch.setattr("pipeline.commands.model.load_with_language", lambda *_, **__: model)
    monkeypatch.setattr("lnln.prediction.check_confidence", lambda *_: None)
    monkeypatch.setattr("extractors.datasets.listing.find_videos", lambda found: found)
    code, told = run("a.mp4", "--out", str(tmp_path / "out"), *options)
    assert code == 2 and said in " ".join(told.split())
