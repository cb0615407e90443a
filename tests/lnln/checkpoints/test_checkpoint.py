"""Checkpoints: a round trip gives the same answers, and what cannot be used says why."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from lnln.checkpoints.checkpoint import Checkpoint, language_config, load, save
from lnln.checkpoints.config import CheckpointError
from lnln.checkpoints.intervals import Intervals
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.missing.dropping import drop
from lnln.missing.masks import Masks
from lnln.models.lnln.settings import VARIANTS, LNLNSettings, Variant


@pytest.mark.parametrize("variant", VARIANTS)
def test_round_trip_gives_the_same_answers(
    make_checkpoint: Callable[..., Checkpoint],
    clips: FeatureSet,
    language: FrozenLanguageEncoder,
    tiny: LNLNSettings,
    tmp_path: Path,
    variant: Variant,
) -> None:
    settings = tiny.model_copy(update={"variant": variant})
    before = make_checkpoint(clips, settings, language if variant == "official" else None)
    save(tmp_path / "model", before)
    after = load(tmp_path / "model", language)
    assert not after.model.training
    for a, b in zip(
        before.predict(before.prepare(clips)), after.predict(after.prepare(clips)), strict=True
    ):
        assert np.array_equal(a, b)
    assert after.config.model_copy(update={"weights_sha256": ""}) == before.config


def test_saving_twice_writes_the_same_bytes(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, tmp_path: Path
) -> None:
    checkpoint = make_checkpoint(clips)
    save(tmp_path / "a", checkpoint)
    save(tmp_path / "b", checkpoint)
    files = ["config.json", "model.safetensors"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == files


def test_intervals_come_back_and_a_checkpoint_without_them_is_read(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, tmp_path: Path
) -> None:
    intervals = Intervals(level=0.9, edges=(0.4,), half_widths=(2.25, 1.1), clips=(31, 52))
    save(tmp_path, make_checkpoint(clips, intervals=intervals))
    assert load(tmp_path).config.intervals == intervals
    config = json.loads((tmp_path / "config.json").read_text())
    del config["intervals"]  # of an earlier version
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert load(tmp_path).config.intervals is None


def test_checkpoint_written_before_features_had_a_source_is_read(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, tmp_path: Path
) -> None:
    save(tmp_path, make_checkpoint(clips))
    config = json.loads((tmp_path / "config.json").read_text())
    for info in config["features"].values():
        del info["source"]
    del config["normalisation"]["prior_rows"]  # came later still
    (tmp_path / "config.json").write_text(json.dumps(config))
    after = load(tmp_path)
    assert np.isfinite(after.predict(after.prepare(clips)).prediction).all()


def test_finetuned_language_is_stored_and_comes_back(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, bert: Path, tmp_path: Path
) -> None:
    encoder = LanguageEncoder.from_folder(bert)
    with torch.no_grad():
        next(encoder.parameters()).mul_(2)
    before = make_checkpoint(clips, language=encoder)
    save(tmp_path, before)
    after = load(tmp_path)
    assert np.array_equal(before.predict(clips).prediction, after.predict(clips).prediction)
    assert str(bert) not in (tmp_path / "config.json").read_text()


def test_frozen_language_is_not_stored_and_official_asks_for_it(
    make_checkpoint: Callable[..., Checkpoint],
    clips: FeatureSet,
    language: FrozenLanguageEncoder,
    tiny: LNLNSettings,
    tmp_path: Path,
) -> None:
    official = tiny.model_copy(update={"variant": "official"})
    before = make_checkpoint(clips, settings=official, language=language)
    save(tmp_path, before)
    stored = safetensors.torch.load_file(tmp_path / "model.safetensors")
    assert not any(name.startswith("language") for name in stored)
    with pytest.raises(CheckpointError, match=r"load.folder, language="):
        load(tmp_path).predict(clips)
    after = load(tmp_path, language)
    assert np.array_equal(before.predict(clips).prediction, after.predict(clips).prediction)


def test_masked_clips_are_scored_with_the_encoders_states(
    make_checkpoint: Callable[..., Checkpoint],
    clips: FeatureSet,
    masks_at: Callable[..., Masks],
    language: FrozenLanguageEncoder,
) -> None:
    checkpoint = make_checkpoint(clips)
    scores = checkpoint.predict(drop(checkpoint.prepare(clips), masks_at(clips), language))
    assert np.isfinite(scores.prediction).all()
    assert ((scores.w > 0) & (scores.w < 1)).all()


def test_no_checkpoint_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config.json is not there: train a model first"):
        load(tmp_path / "nothing")


def test_damaged_weights_are_noticed(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, tmp_path: Path
) -> None:
    save(tmp_path, make_checkpoint(clips))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(CheckpointError, match=r"is not the file that .*config.json was written"):
        load(tmp_path)


def test_config_of_another_program_is_refused(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, tmp_path: Path
) -> None:
    save(tmp_path, make_checkpoint(clips))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(CheckpointError, match="no config of this program"):
        load(tmp_path)


def test_weights_of_another_shape_are_named(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, tmp_path: Path
) -> None:
    save(tmp_path, make_checkpoint(clips))
    config = json.loads((tmp_path / "config.json").read_text())
    config["settings"]["width"] = 4
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"has the shape \[.*\] in float32, the model of its"):
        load(tmp_path)


def test_config_names_no_language_model_when_it_was_frozen(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet
) -> None:
    assert language_config(make_checkpoint(clips).model) is None
