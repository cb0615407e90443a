"""Trained models in the manner of Hugging Face: by folder, or by hub id out of a cache."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lnln
from lnln.checkpoints.checkpoint import Checkpoint, load
from lnln.checkpoints.config import CheckpointError
from lnln.checkpoints.hub import find
from lnln.data.features import FeatureSet
from lnln.models.interface import Model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Make = Callable[..., Checkpoint]


@pytest.fixture
def folder(make_checkpoint: Make, clips: FeatureSet, tmp_path: Path) -> Path:
    make_checkpoint(clips).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def fetched(hub: Path, folder: Path) -> str:
    """The id of a model that was fetched before."""
    repository = hub / "models--me--lnln"
    shutil.copytree(folder, repository / "snapshots" / COMMIT)
    for revision in ("main", "v1"):
        reference = repository / "refs" / revision
        reference.parent.mkdir(exist_ok=True)
        reference.write_text(COMMIT)
    return "me/lnln"


def same_weights(a: Model, b: Model) -> bool:
    mine, yours = a.state_dict(), b.state_dict()
    return mine.keys() == yours.keys() and all(torch.equal(mine[n], yours[n]) for n in mine)


def test_checkpoint_comes_back_as_it_was_saved(folder: Path, tmp_path: Path) -> None:
    first = Checkpoint.from_pretrained(folder)
    first.save_pretrained(tmp_path / "copy")
    second = lnln.Checkpoint.from_pretrained(str(tmp_path / "copy"))
    assert same_weights(first.model, second.model)
    assert second.config == first.config
    assert not second.model.training
    for name in ("model.safetensors", "config.json", "README.md"):
        assert (folder / name).read_bytes() == (tmp_path / "copy" / name).read_bytes()


def test_changed_weights_are_those_that_are_saved(folder: Path, tmp_path: Path) -> None:
    checkpoint = Checkpoint.from_pretrained(folder)
    with torch.no_grad():
        checkpoint.model.regressor.bias.add_(1)
    checkpoint.save_pretrained(tmp_path / "copy")
    assert same_weights(checkpoint.model, load(tmp_path / "copy").model)


@pytest.mark.usefixtures("no_network")
def test_hub_id_is_found_offline_once_it_was_fetched(
    fetched: str, folder: Path, clips: FeatureSet
) -> None:
    here, there = lnln.load(folder), lnln.load(fetched, offline=True)
    scores = [m.predict(m.prepare(clips)).prediction for m in (here, there)]
    assert np.array_equal(*scores)
    assert same_weights(
        here.model, Checkpoint.from_pretrained(fetched, revision="v1", offline=True).model
    )


@pytest.mark.usefixtures("hub", "no_network")
def test_hub_id_that_was_never_fetched_is_not_fetched_offline() -> None:
    with pytest.raises(FileNotFoundError, match=r"me/other is no folder .*fetched before.*offline"):
        lnln.load("me/other", offline=True)


def test_unknown_revision_is_refused(fetched: str) -> None:
    with pytest.raises(FileNotFoundError, match="me/lnln is no folder here"):
        find(fetched, revision="v2", offline=True)


def test_only_weights_config_and_card_are_asked_of_the_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def download(repository: str, **options: Any) -> str:
        asked.update(options, repository=repository)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(FileNotFoundError, match=r"config.json is not there"):
        lnln.load("me/pickles", revision="v1")
    assert asked == {
        "repository": "me/pickles",
        "revision": "v1",
        "local_files_only": False,
        "allow_patterns": ["model.safetensors", "config.json", "README.md"],
    }


def test_hub_out_of_reach_is_one_message(monkeypatch: pytest.MonkeyPatch, hub: Path) -> None:
    def download(*_: Any, **__: Any) -> str:
        raise ConnectionError("Got: no route to host\nand much more")

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    with pytest.raises(FileNotFoundError, match=r"hub \(Got: no route to host\): train a model"):
        lnln.load("me/lnln")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    "source", ["models/lnln", "./me/lnln", "/me/lnln", "lnln", "a/b/c", "../x"]
)
def test_path_that_is_not_there_is_never_looked_for_on_the_hub(
    source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"config.json is not there: train a model first"):
        Checkpoint.from_pretrained(source)


@pytest.mark.usefixtures("no_network")
def test_folder_comes_before_the_hub(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, tmp_path / "me" / "lnln")
    assert find("me/lnln") == Path("me/lnln")


def test_model_of_foreign_features_does_not_read_video(
    make_checkpoint: Make, clips: FeatureSet
) -> None:
    own = make_checkpoint(clips)
    foreign = {
        m: info.model_copy(update={"source": "MMSA's features"})
        for m, info in own.config.features.items()
    }
    model = Checkpoint(own.model, own.config.model_copy(update={"features": foreign}))
    with pytest.raises(CheckpointError, match=r"cannot read video: .* on MMSA's features, which"):
        _ = model.extraction
    with pytest.raises(CheckpointError, match=r"on MMSA's features, this text is of lnln extract"):
        model.prepare(clips)


def test_model_that_is_a_step_of_the_pipeline_says_how_to_get_one_for_new_clips(
    make_checkpoint: Make, clips: FeatureSet
) -> None:
    with pytest.raises(CheckpointError, match=r"-S model.name=lnln makes one .* models/lnln"):
        _ = make_checkpoint(clips).extraction


def test_importing_fetches_nothing() -> None:
    check = (
        "import socket\n"
        "def refuse(*_): raise SystemExit('a connection was opened')\n"
        "socket.socket.connect = refuse\n"
        "import lnln.checkpoints.checkpoint, lnln.checkpoints.importing\n"
        "import lnln.checkpoints.hub"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
