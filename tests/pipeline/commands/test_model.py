"""What a checkpoint from elsewhere names is not fetched on its word."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.features import FeatureInfo
from extractors.errors import MissingAsset
from lnln.checkpoints.checkpoint import CheckpointError
from pipeline.commands.model import load_reader, load_with_language

KNOWN = {"text": "minilm-rated", "vision": "face_landmarker", "speech": "whisper-tiny.en"}


def checkpoint(models: dict[str, Any], text: str = "states") -> Any:
    """Stands in for one whose config names these models."""
    features = {
        modality: FeatureInfo(modality=modality, names=("x",), settings={"model": models[modality]})
        for modality in ("text", "vision")
        if modality in models
    }
    speech = {"model": models["speech"]} if "speech" in models else {}
    config = SimpleNamespace(features=features, transcription={"speech": speech})
    return SimpleNamespace(
        config=config, model=SimpleNamespace(layout=SimpleNamespace(text=text), language=None)
    )


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Repositories that are asked for beyond this machine."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked: list[str] = []

    def download(repository: str, *, local_files_only: bool = False, **_: Any) -> str:
        if not local_files_only:
            asked.append(repository)
        raise LocalEntryNotFoundError("nothing here")

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.chdir(tmp_path)
    return asked


@pytest.mark.parametrize("text", ["states", "ids"])
@pytest.mark.parametrize("part", KNOWN)
@pytest.mark.parametrize("name", ["evil/model", "evil", "~nobody-of-this-name/model", 7])
def test_model_that_is_not_known_is_not_fetched_unasked(
    part: str, name: Any, text: str, hub: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = checkpoint(KNOWN | {part: name}, text)
    monkeypatch.setattr("pipeline.commands.model.load", lambda *_, **__: theirs)
    with pytest.raises(MissingAsset, match="theirs asks for a model that is not known here") as e:
        load_with_language("theirs", offline=False)
    if name == "evil/model":
        assert "Get it: hf download evil/model" in str(e.value)
    assert hub == []


def test_models_that_are_known_or_here_or_not_needed_are_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "recognizer").mkdir()
    for models, no_speech in (
        (KNOWN, False),
        (KNOWN | {"speech": "none"}, False),
        (KNOWN | {"speech": str(tmp_path / "recognizer")}, False),
        (KNOWN | {"speech": "evil/model"}, True),
        ({}, False),
    ):
        mine = checkpoint(models)
        monkeypatch.setattr("pipeline.commands.model.load", lambda *_, mine=mine, **__: mine)
        assert load_with_language("mine", offline=False, no_speech=no_speech) is mine


def test_checkpoint_that_names_no_text_model_where_it_needs_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nameless = checkpoint({}, "ids")
    monkeypatch.setattr("pipeline.commands.model.load", lambda *_, **__: nameless)
    for ask in (
        lambda: load_with_language("theirs", offline=False),
        lambda: load_reader(nameless, offline=False),
    ):
        with pytest.raises(CheckpointError, match="does not say which text model"):
            ask()
