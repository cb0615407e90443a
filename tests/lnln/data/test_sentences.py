"""The table of sentences as clips, and sets joined."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contracts.parquet import write_table
from contracts.schemas import TRAINING_SENTENCES
from lnln.data.features import FeatureSet
from lnln.data.joining import join
from lnln.data.sentences import read_sentences


def write(path: Path, *rows: tuple[str, str, str, float, str], made_by: str = "f") -> Path:
    """Write sentences `(corpus, id, text, label, split)`, each cut into [CLS], its words, [SEP]."""
    table = pa.Table.from_pylist(
        [
            {
                "corpus": corpus,
                "sentence_id": number,
                "source": "tweets",
                "text": text,
                "label": label,
                "split": split,
                "token_ids": [2, *(5 + len(word) for word in text.split()), 3],
                "special": [True, *(False for _ in text.split()), True],
            }
            for corpus, number, text, label, split in rows
        ],
        schema=TRAINING_SENTENCES,
    )
    info = {"modality": "text", "names": ["h0"], "fingerprint": made_by}
    write_table(table.replace_schema_metadata({"features": json.dumps(info)}), path)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(
        tmp_path / "sentences.parquet",
        ("a", "1", "so good", 2.5, "train"),
        ("b", "1", "no", -1.0, "train"),
        ("a", "2", "not for training", 0.5, "test"),
        ("a", "3", "bad", -2.0, "train"),
    )


def test_sentences_are_clips_of_which_only_words_are_known(table: Path, clips: FeatureSet) -> None:
    (a, b) = read_sentences(table, {"a": 0.5, "b": 2}, clips)
    assert (a.name, a.clips.clip_ids, a.share) == ("a", ("a/1", "a/3"), 0.5)
    assert b.clips.clip_ids == ("b/1",)
    assert a.clips.known_labels().tolist() == [2.5, -2.0]
    assert a.clips.text.token_ids.tolist() == [2, 7, 9, 3, 2, 8, 3]
    assert a.clips.text.observed.tolist() == [False, True, True, False, False, True, False]
    assert a.clips.text.info == clips.text.info
    assert a.clips.text.values.shape == (7, 0)
    for modality in ("audio", "vision"):
        ours, theirs = a.clips.modality(modality), clips.modality(modality)
        assert ours.values.shape == (2, theirs.values.shape[1])
        assert not ours.values.any() and not ours.observed.any()


def test_nothing_is_read_where_no_corpus_is_named(clips: FeatureSet, tmp_path: Path) -> None:
    assert read_sentences(tmp_path / "not-there.parquet", {}, clips) == []


def test_word_pieces_of_another_text_model_are_refused(clips: FeatureSet, tmp_path: Path) -> None:
    other = write(tmp_path / "other.parquet", ("a", "1", "good", 1.0, "train"), made_by="g")
    with pytest.raises(ValueError, match=r"other\.parquet.* other text features \(g\).*\(f\)"):
        read_sentences(other, {"a": 1}, clips)


def test_a_corpus_without_sentences_to_train_with_is_refused(
    table: Path, clips: FeatureSet
) -> None:
    with pytest.raises(ValueError, match="no sentence of c is in the split 'train'"):
        read_sentences(table, {"a": 1, "c": 1}, clips)


def test_a_sentence_by_the_name_of_a_clip_is_refused(clips: FeatureSet, tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", ("test", "000", "good", 1.0, "train"))
    with pytest.raises(ValueError, match="'test/000' is a clip and a sentence"):
        read_sentences(path, {"test": 1}, clips)


def test_an_epoch_has_at_least_one_sentence(table: Path, clips: FeatureSet) -> None:
    (a,) = read_sentences(table, {"a": 0.001}, clips)
    assert [a.per_epoch(clips) for clips in (10, 10_000)] == [1, 10]


def test_joined_clips_are_those_that_were_joined(make_set: Callable[..., FeatureSet]) -> None:
    whole = make_set("test", 7)
    parts = join([whole.take([0, 1]), whole.take([]), whole.take([2, 3, 4, 5, 6])])
    assert parts.clip_ids == whole.clip_ids
    for modality in ("text", "audio", "vision"):
        ours, theirs = parts.modality(modality), whole.modality(modality)
        assert np.array_equal(ours.offsets, theirs.offsets)
        assert np.array_equal(ours.values, theirs.values)
        assert np.array_equal(ours.observed, theirs.observed)
    assert np.array_equal(parts.known_labels(), whole.known_labels())
    assert join([whole, replace(whole, labels=None)]).labels is None
