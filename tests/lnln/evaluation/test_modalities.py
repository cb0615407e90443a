"""Labels of single modalities: read, and compared with what the network says of that modality."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnln.checkpoints.checkpoint import Checkpoint
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import FrozenLanguageEncoder
from lnln.data.reading import read_features
from lnln.evaluation.metrics import compute
from lnln.evaluation.modalities import by_modality
from lnln.missing.masks import only_modality

Sets = tuple[FeatureSet, FeatureSet]


@pytest.fixture
def sets(make_set: Callable[..., FeatureSet]) -> Sets:
    """The third test clip has no sound, the first no label of its sound."""
    train_set = make_set("train", 6)
    test_set = make_set("test", 5, without={"test/002": ("audio",)})
    own = np.array([np.nan, 1.0, 2.0, -1.0, -2.0], np.float32)
    return (
        replace(train_set, own_labels={"audio": np.full(6, 0.5, np.float32)}),
        replace(test_set, own_labels={"audio": own}),
    )


@pytest.fixture
def checkpoint(sets: Sets, make_checkpoint: Callable[..., Checkpoint]) -> Checkpoint:
    return make_checkpoint(sets[0])


def test_masks_leave_one_modality_and_the_special_tokens(sets: Sets) -> None:
    clips = sets[1]
    for clip, kept in only_modality(clips, "audio").items():
        i = clips.clip_ids.index(clip)
        assert kept.audio.all() and len(kept.audio) == clips.audio.counts[i]
        assert not kept.vision.any()
        assert np.array_equal(kept.text, clips.text.special[clips.text.rows(i)])


def test_clips_without_the_label_or_the_modality_are_not_counted(
    sets: Sets, checkpoint: Checkpoint, language: FrozenLanguageEncoder
) -> None:
    prepared = [checkpoint.prepare(s) for s in sets]
    found = by_modality(checkpoint, *prepared, language)
    assert found.keys() == {"audio"}
    assert found["audio"]["clips"] == 3
    known = prepared[1].take([1, 3, 4])
    labels = known.own_labels["audio"]
    assert labels.tolist() == [1.0, -1.0, -2.0]
    said = checkpoint.score(known).sentiment
    assert found["audio"]["all"] == compute(labels, said, "mosi")
    assert found["audio"]["constant"]["mae"] == pytest.approx(np.abs(labels - 0.5).mean())


def test_answers_to_one_modality_do_not_know_the_others(
    sets: Sets, checkpoint: Checkpoint, language: FrozenLanguageEncoder
) -> None:
    train_set, test_set = (checkpoint.prepare(s) for s in sets)
    before = by_modality(checkpoint, train_set, test_set, language)["audio"]
    seen = replace(test_set.vision, values=test_set.vision.values + 1)
    after = by_modality(checkpoint, train_set, replace(test_set, vision=seen), language)["audio"]
    assert after["alone"] == before["alone"]
    assert after["all"] != before["all"]


def test_nothing_is_told_where_nobody_labelled_modalities(
    make_set: Callable[..., FeatureSet], checkpoint: Checkpoint, language: FrozenLanguageEncoder
) -> None:
    clips = checkpoint.prepare(make_set("test", 3))
    assert by_modality(checkpoint, clips, clips, language) == {}


def test_labels_are_read_from_the_manifest(
    make_tables: Callable[..., dict[str, pa.Table]], tmp_path: Path
) -> None:
    for modality, table in make_tables({"v/1": -1.0, "v/2": 1.0}).items():
        (tmp_path / modality).mkdir()
        pq.write_table(table, tmp_path / modality / "part-0.parquet")
    manifest = pa.table(
        {
            "clip_id": ["v/2", "v/1"],
            "split": ["train", "train"],
            "label": [1.0, -1.0],
            "label_t": [0.5, None],
            "label_v": pa.array([None, None], pa.float32()),
        }
    )
    found = read_features(tmp_path, manifest, "train", Lengths(50, 100, 100))
    assert found.own_labels.keys() == {"text"}
    assert np.array_equal(found.own_labels["text"], np.float32([np.nan, 0.5]), equal_nan=True)
    assert found.take([1]).own_labels["text"].tolist() == [0.5]
