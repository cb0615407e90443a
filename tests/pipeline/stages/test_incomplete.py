"""Masks that are kept: what judges a model changes none that choose one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import FeatureInfo
from lnln.data.features import FeatureSet, ModalityFeatures, TextFeatures
from lnln.missing.masks import evaluation_masks
from lnln.missing.patterns import conditions
from pipeline.stages import dataset, incomplete
from pipeline.stages.splits import read_masks

Change = Callable[..., None]


def rows(modality: str, clips: int, each: int) -> ModalityFeatures:
    return ModalityFeatures(
        FeatureInfo(modality=modality, names=("one",)),
        np.arange(clips + 1) * each,
        np.ones((clips * each, 1), np.float32),
        np.ones(clips * each, dtype=bool),
        np.full(clips * each, np.nan),
    )


def clips_of(split: str, clips: int = 3) -> FeatureSet:
    text = rows("text", clips, 6)
    special = np.tile([True, False, False, False, False, True], clips)
    words = TextFeatures(**vars(text), token_ids=np.full(clips * 6, 5), special=special)
    words = replace(words, observed=~special)
    clip_ids = tuple(f"{split}/{i}" for i in range(clips))
    return FeatureSet(clip_ids, words, rows("audio", clips, 30), rows("vision", clips, 12))


@pytest.fixture
def stage(
    project: Path, write_dataset: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, bytes]]:
    """Run the stage on three clips a split; returns the files it wrote."""
    write_dataset([], {})
    dataset.main()

    def read_split(manifest: pa.Table, split: str, _: Any) -> FeatureSet:
        return clips_of(split)

    monkeypatch.setattr(incomplete, "read_manifest", lambda: pa.table({}))
    monkeypatch.setattr(incomplete, "read_split", read_split)

    def run() -> dict[str, bytes]:
        incomplete.main()
        files = (project / "outputs" / "incomplete").iterdir()
        return {file.stem: file.read_bytes() for file in files}

    return run


def test_validation_has_every_rate_in_all_draws_and_complete_clips_once(
    stage: Callable[[], Any], change: Change
) -> None:
    change("masks.valid_rates", [0.0, 0.4])
    stage()
    found = read_masks("valid")
    assert list(found) == conditions(["random"], [0.0, 0.4], draws=3)
    assert len(found) == 1 + 3
    for (pattern, rate, draw), masks in found.items():
        drawn = evaluation_masks(
            clips_of("valid"), rate, seed=0, purpose="valid", pattern=pattern, draw=draw
        )
        assert all(np.array_equal(masks[c].audio, drawn[c].audio) for c in drawn)


def test_test_split_has_every_pattern_at_the_missing_rate(
    stage: Callable[[], Any], change: Change
) -> None:
    change("masks.patterns", ["block", "natural"])
    stage()
    assert list(read_masks("test")) == conditions(["block", "natural"], [0.5], draws=3)


@pytest.mark.parametrize(
    ("key", "value"), [("missing_rate", 0.7), ("masks.patterns", ["random", "synchronous"])]
)
def test_what_models_are_judged_by_leaves_the_masks_of_validation_as_they_are(
    stage: Callable[[], dict[str, bytes]], change: Change, key: str, value: Any
) -> None:
    """Training depends on that file, and is not run again while its bytes are the same."""
    before = stage()
    change(key, value)
    after = stage()
    assert after["valid"] == before["valid"]
    assert after["test"] != before["test"]


def test_validation_rates_leave_the_masks_of_the_test_split_as_they_are(
    stage: Callable[[], dict[str, bytes]], change: Change
) -> None:
    before = stage()
    change("masks.valid_rates", [0.5])
    after = stage()
    assert after["valid"] != before["valid"]
    assert after["test"] == before["test"]
