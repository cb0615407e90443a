"""Pickles as MMSA-FET writes them: padded on either side, with gaps among texts and labels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from extractors.datasets.mmsa.importing import Imported, import_mmsa
from extractors.datasets.mmsa.plain_objects import UnsafePickle
from extractors.datasets.precomputed import read_precomputed

Import = Callable[[dict[str, Any]], tuple[pa.Table, Imported]]
ReadRows = Callable[[str, str], tuple[np.ndarray, list[bool]]]


def pad_in_front(content: dict[str, Any], modality: str, lengths: str | None = None) -> None:
    for split in content.values():
        for clip, rows in zip(split[modality], lengths_of(split, modality), strict=True):
            clip[:] = np.roll(clip, len(clip) - rows, axis=0)


def lengths_of(split: dict[str, Any], modality: str) -> list[int]:
    if f"{modality}_lengths" in split:
        return list(split[f"{modality}_lengths"])
    return [int(mask.sum()) for mask in split["text_bert"][:, 1]]


@pytest.mark.parametrize("unseen", [False, True])
def test_rows_padded_in_front_are_those_of_the_clip(
    rows_of: ReadRows, content: dict[str, Any], imported: Import, unseen: bool
) -> None:
    split = content["train"]
    if unseen:  # its first and its last row were not measured
        split["audio"][0, 0] = 0
        split["audio"][0, -1] = 0
        split["audio"][1] = 0
    expected = {
        f"train{clip // 3}/{clip}": split["audio"][clip, :rows].copy()
        for clip, rows in enumerate(split["audio_lengths"])
    }
    pad_in_front(content, "audio")
    _, summary = imported(content)
    for name, values in expected.items():
        np.testing.assert_array_equal(rows_of("audio", name)[0], values)
    assert summary.notes == [
        "padded in front of the rows, and read so (train: audio of 6 of 6 clips; valid: audio of 3 "
        "of 3 clips; test: audio of 3 of 3 clips)"
    ]


@pytest.mark.parametrize("tokens", [True, False])
def test_rows_of_an_aligned_file_padded_in_front_are_those_of_the_clip(
    rows_of: ReadRows, aligned: dict[str, Any], imported: Import, tokens: bool
) -> None:
    for modality in ("audio", "vision"):  # as long as the tokens
        for split in aligned.values():
            for clip, rows in zip(split[modality], lengths_of(split, modality), strict=True):
                clip[:rows] = clip[0] + 1
                clip[rows:] = 0
    expected = aligned["test"]["vision"][1, : lengths_of(aligned["test"], "vision")[1]].copy()
    for modality in ("audio", "vision"):
        pad_in_front(aligned, modality)
    if not tokens:
        for split in aligned.values():
            del split["text_bert"], split["text"]
    imported(aligned)
    np.testing.assert_array_equal(rows_of("vision", "test0/1")[0], expected)


def test_aligned_clip_that_is_longer_than_its_tokens_is_read_to_its_end(
    rows_of: ReadRows, aligned: dict[str, Any], imported: Import
) -> None:
    rows = lengths_of(aligned["test"], "audio")[1]
    aligned["test"]["audio"][1] = 1
    aligned["test"]["audio"][1, rows + 1 :] = 0
    _, summary = imported(aligned)
    assert len(rows_of("audio", "test0/1")[0]) == rows + 1
    note = next(note for note in summary.notes if "test" in note)
    assert note.startswith("measured rows beyond the tokens of a clip")
    assert "; test: audio of 1 clip, such as test0$_$1" in note


def test_rows_that_fit_no_padding_are_refused_with_the_clip(
    content: dict[str, Any], imported: Import
) -> None:
    content["valid"]["vision_lengths"][1] = 4
    content["valid"]["vision"][1] = 0
    content["valid"]["vision"][1, 2:6] = 1
    with pytest.raises(
        UnsafePickle, match=r"valid: vision: valid0\S+1 is said to have 4 of 9 rows"
    ):
        imported(content)


def test_padding_with_noise_is_read_as_mmsa_does_and_told(
    rows_of: ReadRows, content: dict[str, Any], imported: Import
) -> None:
    content["train"]["audio"][:] = 1
    content["train"]["audio_lengths"][1] = 5
    _, summary = imported(content)
    assert len(rows_of("audio", "train0/1")[0]) == 5
    (note,) = summary.notes
    assert note.startswith("rows beyond the length of a clip are not zero")
    assert note.endswith("(train: audio of 6 clips)")


@pytest.mark.parametrize("missing", [None, np.nan, np.float64("nan"), "nan", "None", " NaN "])
def test_missing_transcript_costs_that_transcript_only(
    content: dict[str, Any], imported: Import, missing: Any
) -> None:
    before = {row["clip_id"]: row for row in imported(content)[0].to_pylist()}
    texts = content["train"]["raw_text"].tolist()
    content["train"]["raw_text"] = [missing, *texts[1:]]
    manifest, summary = imported(content)
    after = {row["clip_id"]: row for row in manifest.to_pylist()}
    assert (after["train0/0"]["text"], after["train0/0"]["token_ids"]) == ("", [])
    assert before | {"train0/0": after["train0/0"]} == after
    (note,) = summary.notes
    assert note.startswith("no transcript (raw_text)")
    assert note.endswith("(train: 1 clip, such as train0$_$0)")


def test_labels_of_single_modalities_without_an_entry_are_none(
    content: dict[str, Any], imported: Import
) -> None:
    for split in content.values():
        split |= {f"regression_labels_{letter}": [] for letter in "TAV"}
    manifest, _ = imported(content)
    assert manifest["label_t"].null_count == manifest.num_rows
    assert manifest["label"].null_count == 0


def test_files_that_mmsa_fet_wrote_are_read(faults: Path, tmp_path: Path) -> None:
    for name in ("front_padded", "raw_text_nan"):
        summary = import_mmsa(faults / f"{name}.pkl", tmp_path / name, name=name, language="en")
        assert sum(summary.clips.values()) == 10
        if name == "front_padded":
            assert summary.unobserved == {"audio": (0, 120), "vision": (0, 76)}
        else:
            texts = read_precomputed(tmp_path / name)["text"].to_pylist()
            assert texts.count("") == 3
