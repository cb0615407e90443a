from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from extractors.errors import SetupError
from extractors.features import clip_values, feature_info, read_modality, write_modality
from extractors.given import is_given, read_given, read_given_modality
from extractors.mmsa.importing import Imported, import_mmsa
from extractors.mmsa.unpickling import UnsafePickle
from extractors.tables import TRANSCRIPTS

WORDS = ("good", "bad", "film")
Read = Callable[[dict[str, Any]], tuple[pa.Table, Imported]]


@pytest.fixture
def read(tmp_path: Path, write_pickle: Callable[..., Path]) -> Read:
    """Import a pickle's content into the folder `toy`, and read its manifest."""

    def take(content: dict[str, Any]) -> tuple[pa.Table, Imported]:
        found = import_mmsa(write_pickle(content), tmp_path / "toy", name="toy", language="en")
        return read_given(tmp_path / "toy"), found

    return take


def rows_of(folder: Path, modality: str, clip_id: str) -> tuple[np.ndarray, list[bool]]:
    table = read_modality(folder / "features" / modality)
    index = table["clip_id"].to_pylist().index(clip_id)
    return clip_values(table, index), table["observed"][index].as_py()


def transcripts(manifest: pa.Table) -> pa.Table:
    rows = [
        {"clip_id": row["clip_id"], "text": row["text"], "source": "given", "words": []}
        for row in manifest.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=TRANSCRIPTS)


def test_missingness_is_told_from_padding(tmp_path: Path, mmsa: Any, read: Read) -> None:
    content = mmsa(WORDS)
    split = content["train"]
    split["audio_lengths"][0] = 7
    split["audio"][0] = 1
    split["audio"][0, 7:] = 0  # padding
    split["audio"][0, 2] = 0  # inside the clip: nothing was measured
    split["audio"][0, 3] = [-np.inf, 0, np.nan, 0, 0]
    split["audio"][0, 4, 1] = -np.inf  # one column only
    _, found = read(content)
    values, observed = rows_of(tmp_path / "toy", "audio", "train0/0")
    assert observed == [True, True, False, False, True, True, True]
    assert values.shape == (7, 5)
    np.testing.assert_array_equal(values[4], [1, 0, 1, 1, 1])
    assert found.bad == {"audio": 3, "vision": 0}
    lengths = sum(sum(content[s]["audio_lengths"]) for s in content)
    assert found.unobserved["audio"] == (2, lengths)


def test_zeros_at_the_end_of_a_clip_are_missing_and_not_padding(
    tmp_path: Path, mmsa: Any, read: Read
) -> None:
    content = mmsa(WORDS)
    content["test"]["vision_lengths"][1] = 6
    content["test"]["vision"][1] = 0
    read(content)
    assert rows_of(tmp_path / "toy", "vision", "test0/1")[1] == [False] * 6


def test_manifest_holds_splits_words_tokens_and_labels(mmsa: Any, read: Read) -> None:
    content = mmsa(WORDS)
    manifest, found = read(content)
    assert is_given(manifest)
    assert found.clips == {"train": 6, "valid": 3, "test": 3}
    row = next(r for r in manifest.to_pylist() if r["clip_id"] == "train1/4")
    assert (row["split"], row["group"], row["language"]) == ("train", "train1", "en")
    assert row["text"] == content["train"]["raw_text"][4]
    assert row["label"] == content["train"]["regression_labels"][4]
    assert row["label_t"] is None
    ids, mask, _ = content["train"]["text_bert"][4]
    assert row["token_ids"] == ids[mask > 0].tolist()
    assert len(set(manifest["sha256"].to_pylist())) == 12


def test_labels_of_single_modalities_are_kept(mmsa: Any, read: Read) -> None:
    content = mmsa(WORDS)
    for split in content.values():
        for i, letter in enumerate("TAV"):
            split[f"regression_labels_{letter}"] = np.full(len(split["id"]), 0.1 * (i + 1))
    row = read(content)[0].to_pylist()[0]
    np.testing.assert_allclose([row[f"label_{m}"] for m in "tav"], [0.1, 0.2, 0.3], rtol=1e-6)


def test_aligned_file_has_a_row_per_token(tmp_path: Path, mmsa: Any, read: Read) -> None:
    content = mmsa(WORDS, audio=(10, 5), vision=(10, 4))
    for split in content.values():
        del split["audio_lengths"], split["vision_lengths"]
    manifest, _ = read(content)
    tokens = {row["clip_id"]: len(row["token_ids"]) for row in manifest.to_pylist()}
    values, _ = rows_of(tmp_path / "toy", "audio", "train0/0")
    assert len(values) == tokens["train0/0"]
    info = feature_info(read_modality(tmp_path / "toy" / "features" / "audio"))
    assert info.source == "MMSA's aligned features of toy"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda c: c.pop("valid"), "no file of MMSA: expected were dictionaries train, valid"),
        (lambda c: c["test"].pop("audio"), "test: it has no audio; it has raw_text"),
        (
            lambda c: c["test"].update(vision=np.zeros((3, 4))),
            r"test: vision is an array \(3, 4\) of float64",
        ),
        (
            lambda c: c["train"].update(regression_labels=np.zeros(5)),
            "train: label has 5 entries, id has 6",
        ),
        (lambda c: c["test"]["id"].put(0, "test0$_$1"), "the id 'test0/1' is there 2 times"),
    ],
)
def test_other_layout_is_refused_by_name(
    mmsa: Any, read: Read, spoil: Callable[[Any], Any], told: str
) -> None:
    content = mmsa(WORDS)
    spoil(content)
    with pytest.raises(UnsafePickle, match=told):
        read(content)


def test_stages_pass_the_tables_on_as_they_are(tmp_path: Path, mmsa: Any, read: Read) -> None:
    manifest, _ = read(mmsa(WORDS))
    given = read_given_modality(manifest, transcripts(manifest), "audio")
    passed = pa.concat_tables(given.batches)
    assert passed.equals(read_modality(tmp_path / "toy" / "features" / "audio"))
    assert passed.schema.metadata == given.schema.metadata


def test_tables_that_were_changed_are_refused(tmp_path: Path, mmsa: Any, read: Read) -> None:
    manifest, _ = read(mmsa(WORDS))
    folder = tmp_path / "toy" / "features" / "audio"
    table = read_modality(folder)
    all_seen = pa.array([[False] * len(f) for f in table["observed"].to_pylist()])
    column = table.schema.field("observed")
    spoilt = table.set_column(2, column, all_seen.cast(column.type))
    write_modality([spoilt], table.schema, folder)
    with pytest.raises(SetupError, match="an unobserved row is not 0"):
        list(read_given_modality(manifest, transcripts(manifest), "audio").batches)
    write_modality([table.slice(1)], table.schema, folder)
    with pytest.raises(SetupError, match="features of 11 of the 12 clips"):
        list(read_given_modality(manifest, transcripts(manifest), "audio").batches)
