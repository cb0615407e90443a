"""What models need beside their weights is there before the page is open."""

from dataclasses import replace
from pathlib import Path

import pytest

from extractors.errors import MissingAsset
from lnln.checkpoints.checkpoint import Checkpoint
from pipeline.serve.video import sides
from pipeline.serve.video.sides import Side, sides_of


@pytest.fixture
def fetched(side: Side, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Names of what is asked for, and whether it may be downloaded; all of it is there."""
    asked: list[tuple[str, bool]] = []

    def fetch(name: str, *, offline: bool = False) -> Path:
        asked.append((name, offline))
        return Path(side.settings.text.model)

    monkeypatch.setattr(sides, "fetched", fetch)
    return asked


def speaking(side: Side, model: str) -> Checkpoint:
    transcription = {"language": "en", "speech": {"model": model, "beam_size": 1}}
    config = side.checkpoint.config.model_copy(update={"transcription": transcription})
    return replace(side.checkpoint, config=config)


def test_everything_is_fetched_before_the_first_video(
    side: Side, fetched: list[tuple[str, bool]]
) -> None:
    sides_of({"a": speaking(side, "org/large")}, offline=True)
    expected = {side.settings.text.model, side.settings.vision.model, "org/large"}
    assert set(fetched) == {(name, True) for name in expected}


def test_speech_model_is_one_setting_for_all_models(
    side: Side, fetched: list[tuple[str, bool]]
) -> None:
    checkpoints = {name: speaking(side, "org/small") for name in ("a", "b")}
    found = sides_of(checkpoints, offline=False, speech_model="org/large")
    assert [each.settings.speech.model for each in found] == ["org/large"] * 2
    assert "org/small" not in {name for name, _ in fetched}
    deaf = sides_of(checkpoints, offline=False, speech_model="none")
    assert deaf[0].settings.speech.model == "none"
    assert "none" not in {name for name, _ in fetched}


def test_model_that_is_missing_is_told_before_anything_is_sent(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(MissingAsset, match=r"org/large: not found.* no download \(offline\)"):
        sides_of({"a": speaking(side, "org/large")}, offline=True)


def test_models_are_told_apart_and_share_their_encoder(
    side: Side, fetched: list[tuple[str, bool]]
) -> None:
    checkpoints = {name: speaking(side, "none") for name in ("runs/robust", "x/one", "y/one")}
    found = sides_of(checkpoints, offline=True)
    assert [each.name for each in found] == ["robust", "one (robust) 2", "one (robust) 3"]
    assert len({id(each.reader) for each in found}) == 1
