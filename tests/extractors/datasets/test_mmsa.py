import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from contracts.features import (
    FeatureInfo,
    feature_info,
    feature_schema,
    read_modality,
    write_modality,
)
from contracts.schemas import MODALITIES, TRANSCRIPTS
from extractors import extraction
from extractors.datasets.mmsa.exporting import export_mmsa
from extractors.datasets.mmsa.importing import Imported, import_mmsa
from extractors.datasets.precomputed import (
    is_precomputed,
    read_precomputed,
    read_precomputed_modality,
)
from extractors.errors import SetupError
from extractors.settings import RunSettings, TextSettings
from extractors.workers.cache import Cache

Import = Callable[[dict[str, Any]], tuple[pa.Table, Imported]]
ReadRows = Callable[[str, str], tuple[np.ndarray, list[bool]]]


def transcripts(manifest: pa.Table) -> pa.Table:
    rows = [
        {"clip_id": row["clip_id"], "text": row["text"], "source": "given", "words": []}
        for row in manifest.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=TRANSCRIPTS)


def test_missingness_is_told_from_padding(
    rows_of: ReadRows, content: dict[str, Any], imported: Import
) -> None:
    split = content["train"]
    split["audio_lengths"][0] = 7
    split["audio"][0] = 1
    split["audio"][0, 7:] = 0  # padding
    split["audio"][0, 2] = 0  # inside the clip: nothing was measured
    split["audio"][0, 3] = [-np.inf, 0, np.nan, 0, 0]
    split["audio"][0, 4, 1] = -np.inf  # one column only
    _, summary = imported(content)
    values, observed = rows_of("audio", "train0/0")
    assert observed == [True, True, False, False, True, True, True]
    assert values.shape == (7, 5)
    np.testing.assert_array_equal(values[4], [1, 0, 1, 1, 1])
    assert summary.bad == {"audio": 3, "vision": 0}
    lengths = sum(sum(content[s]["audio_lengths"]) for s in content)
    assert summary.unobserved["audio"] == (2, lengths)


def test_zeros_at_the_end_of_a_clip_are_missing_and_not_padding(
    rows_of: ReadRows, content: dict[str, Any], imported: Import
) -> None:
    content["test"]["vision_lengths"][1] = 6
    content["test"]["vision"][1] = 0
    imported(content)
    assert rows_of("vision", "test0/1")[1] == [False] * 6


def test_manifest_holds_splits_words_tokens_and_labels(
    content: dict[str, Any], imported: Import
) -> None:
    manifest, summary = imported(content)
    assert is_precomputed(manifest)
    assert summary.clips == {"train": 6, "valid": 3, "test": 3}
    row = next(r for r in manifest.to_pylist() if r["clip_id"] == "train1/4")
    assert (row["split"], row["group"], row["language"]) == ("train", "train1", "en")
    assert row["text"] == content["train"]["raw_text"][4]
    assert row["label"] == content["train"]["regression_labels"][4]
    assert row["label_t"] is None
    ids, mask, _ = content["train"]["text_bert"][4]
    assert row["token_ids"] == ids[mask > 0].tolist()
    assert len(set(manifest["sha256"].to_pylist())) == 12


def test_labels_of_single_modalities_are_kept(content: dict[str, Any], imported: Import) -> None:
    for split in content.values():
        for i, letter in enumerate("TAV"):
            split[f"regression_labels_{letter}"] = np.full(len(split["id"]), 0.1 * (i + 1))
    row = imported(content)[0].to_pylist()[0]
    np.testing.assert_allclose([row[f"label_{m}"] for m in "tav"], [0.1, 0.2, 0.3], rtol=1e-6)


def test_aligned_file_has_a_row_per_token(
    tmp_path: Path, rows_of: ReadRows, aligned: dict[str, Any], imported: Import
) -> None:
    manifest, _ = imported(aligned)
    tokens = {row["clip_id"]: len(row["token_ids"]) for row in manifest.to_pylist()}
    values, _ = rows_of("audio", "train0/0")
    assert len(values) == tokens["train0/0"]
    info = feature_info(read_modality(tmp_path / "toy" / "features" / "audio"))
    assert info.source == "MMSA's aligned features of toy"


@pytest.mark.parametrize("longest", ["text", "audio", "vision"])
def test_aligned_clip_without_tokens_ends_with_its_last_measured_row_of_any_modality(
    rows_of: ReadRows, aligned: dict[str, Any], imported: Import, longest: str
) -> None:
    for split in aligned.values():
        del split["text_bert"]
    split = aligned["test"]
    for modality in MODALITIES:
        split[modality][1] = 1
        split[modality][1, 7 if modality == longest else 5 :] = 0
    split["audio"][1, 2] = np.nan
    split["audio"][1, 8] = np.inf  # padding too
    _, summary = imported(aligned)
    ends = {m: 7 if m == longest else 5 for m in ("audio", "vision")}
    for modality, end in ends.items():
        values, observed = rows_of(modality, "test0/1")
        missing = {2} if modality == "audio" else set()
        assert observed == [i < end and i not in missing for i in range(7)]
        assert len(values) == 7
    assert summary.unobserved["audio"][1] == summary.unobserved["vision"][1]


def write_text(manifest: pa.Table, folder: Path) -> None:
    """Hidden states of all tokens, 1 to their number."""
    info = FeatureInfo(
        modality="text", names=["a"], units=["1"], settings={}, assets={}, fingerprint=""
    )
    schema = feature_schema(info)
    rows = [
        {
            "clip_id": row["clip_id"],
            "values": [[float(i + 1)] for i in range(len(row["token_ids"]))],
            "observed": [True] * len(row["token_ids"]),
            "starts": [None] * len(row["token_ids"]),
            "ends": [None] * len(row["token_ids"]),
            "token_ids": row["token_ids"],
            "special": [False] * len(row["token_ids"]),
            "warnings": [],
        }
        for row in manifest.to_pylist()
    ]
    write_modality([pa.Table.from_pylist(rows, schema=schema)], schema, folder / "text")


def test_labels_of_single_modalities_with_gaps_come_out_as_they_went_in(
    tmp_path: Path, content: dict[str, Any], imported: Import
) -> None:
    for split in content.values():
        split["regression_labels_T"] = split["regression_labels"] / 2
        split["regression_labels_A"] = split["regression_labels"] / 3
    content["train"]["regression_labels_T"][2] = np.nan
    content["valid"]["regression_labels_A"] = [None] * 3
    content["test"].pop("regression_labels_A")
    content["test"]["regression_labels"][1] = np.nan
    first, _ = imported(content)
    featured = first.filter(pc.not_equal(first["clip_id"], "train0/0"))
    features = tmp_path / "toy" / "features"
    write_text(featured, features)
    summary = export_mmsa(first, features, tmp_path / "out.pkl")
    assert summary.clips == {"train": 5, "valid": 3, "test": 2}
    assert (summary.unlabelled, summary.featureless) == (1, 1)
    with (tmp_path / "out.pkl").open("rb") as file:
        out = pickle.load(file)
    for split in out.values():
        assert {"regression_labels_T", "regression_labels_A"} < split.keys()
        assert "regression_labels_V" not in split
    assert np.isnan(out["train"]["regression_labels_T"]).sum() == 1
    import_mmsa(tmp_path / "out.pkl", tmp_path / "again", name="toy", language="en")
    again = read_precomputed(tmp_path / "again")
    labelled = featured.filter(featured["label"].is_valid())
    for column in ("clip_id", "split", "text", "label", "label_t", "label_a", "label_v"):
        assert again[column].equals(labelled[column]), column


@pytest.mark.parametrize(
    ("texts", "bert", "shared", "kept", "message"),
    [
        (True, True, True, True, "token ids of text_bert, as they came\n"),
        (True, True, False, False, "raw_text, tokenised anew: text_bert is of another vocabulary"),
        (True, False, None, False, "raw_text, tokenised here: no text_bert came with it"),
        (False, True, None, True, "as they came; there is no raw_text to compare them with"),
    ],
)
def test_where_the_words_come_from_is_told_and_tokens_without_text_are_kept(
    content: dict[str, Any],
    imported: Import,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    texts: bool,
    bert: bool,
    shared: bool | None,
    kept: bool,
    message: str,
) -> None:
    for split in content.values():
        if not texts:
            split["raw_text"] = [" "] * len(split["id"])
        if not bert:
            del split["text_bert"]
    manifest, _ = imported(content)
    jobs: list[Any] = []
    monkeypatch.setattr(extraction, "_described", lambda *_: None)
    monkeypatch.setattr(extraction, "feature_schema", lambda _: None)
    monkeypatch.setattr(extraction, "fingerprint", lambda *_, **__: None)
    monkeypatch.setattr(extraction, "_ask", lambda *_: shared)
    monkeypatch.setattr(extraction, "collect", lambda _, __, new, *___: jobs.extend(new))
    settings, run, cache = TextSettings(), RunSettings(), cast(Cache, None)
    extraction.extract_modality("text", manifest, transcripts(manifest), settings, run, cache)
    by_clip = {job.row["clip_id"]: job.task.arguments[2] for job in jobs}
    token_ids = {row["clip_id"]: row["token_ids"] for row in manifest.to_pylist()}
    assert by_clip == (token_ids if kept else dict.fromkeys(token_ids))
    assert message in capsys.readouterr().err


def test_stages_pass_the_tables_on_as_they_are(
    tmp_path: Path, content: dict[str, Any], imported: Import
) -> None:
    manifest, _ = imported(content)
    precomputed = read_precomputed_modality(manifest, transcripts(manifest), "audio")
    passed = pa.concat_tables(precomputed.batches)
    assert passed.equals(read_modality(tmp_path / "toy" / "features" / "audio"))
    assert passed.schema.metadata == precomputed.schema.metadata


def test_tables_that_were_changed_are_refused(
    tmp_path: Path, content: dict[str, Any], imported: Import
) -> None:
    manifest, _ = imported(content)
    folder = tmp_path / "toy" / "features" / "audio"
    table = read_modality(folder)
    all_seen = pa.array([[False] * len(f) for f in table["observed"].to_pylist()])
    column = table.schema.field("observed")
    spoilt = table.set_column(2, column, all_seen.cast(column.type))
    write_modality([spoilt], table.schema, folder)
    with pytest.raises(SetupError, match="an unobserved row is not 0"):
        list(read_precomputed_modality(manifest, transcripts(manifest), "audio").batches)
    write_modality([table.slice(1)], table.schema, folder)
    with pytest.raises(SetupError, match="features of 11 of the 12 clips"):
        list(read_precomputed_modality(manifest, transcripts(manifest), "audio").batches)
