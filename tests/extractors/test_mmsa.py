import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from extractors import extraction
from extractors.cache import Cache
from extractors.errors import SetupError
from extractors.features import (
    FeatureInfo,
    clip_values,
    feature_info,
    feature_schema,
    read_modality,
    write_modality,
)
from extractors.given import GIVEN, is_given, read_given, read_given_modality
from extractors.mmsa import importing
from extractors.mmsa.exporting import export_mmsa
from extractors.mmsa.importing import Imported, import_mmsa
from extractors.mmsa.unpickling import UnsafePickle
from extractors.settings import RunSettings, TextSettings
from extractors.tables import MODALITIES, TRANSCRIPTS, write_table

WORDS = ("good", "bad", "film")
FIELDS = (
    *("raw_text", "text", "text_bert", "audio", "vision", "audio_lengths", "vision_lengths"),
    *("regression_labels", "annotations", "classification_labels"),
)
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


@pytest.fixture
def aligned(mmsa: Any) -> dict[str, Any]:
    """A file without lengths, and a row of every modality per token."""
    content: dict[str, Any] = mmsa(WORDS, audio=(10, 5), vision=(10, 4))
    for split in content.values():
        del split["audio_lengths"], split["vision_lengths"]
    return content


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


def test_aligned_file_has_a_row_per_token(
    tmp_path: Path, aligned: dict[str, Any], read: Read
) -> None:
    manifest, _ = read(aligned)
    tokens = {row["clip_id"]: len(row["token_ids"]) for row in manifest.to_pylist()}
    values, _ = rows_of(tmp_path / "toy", "audio", "train0/0")
    assert len(values) == tokens["train0/0"]
    info = feature_info(read_modality(tmp_path / "toy" / "features" / "audio"))
    assert info.source == "MMSA's aligned features of toy"


@pytest.mark.parametrize("longest", ["text", "audio", "vision"])
def test_aligned_clip_without_tokens_ends_with_its_last_measured_row_of_any_modality(
    tmp_path: Path, aligned: dict[str, Any], read: Read, longest: str
) -> None:
    for split in aligned.values():
        del split["text_bert"]
    split = aligned["test"]
    for modality in MODALITIES:
        split[modality][1] = 1
        split[modality][1, 7 if modality == longest else 5 :] = 0
    split["audio"][1, 2] = np.nan
    split["audio"][1, 8] = np.inf  # padding too
    _, found = read(aligned)
    ends = {m: 7 if m == longest else 5 for m in ("audio", "vision")}
    for modality, end in ends.items():
        values, seen = rows_of(tmp_path / "toy", modality, "test0/1")
        missing = {2} if modality == "audio" else set()
        assert seen == [i < end and i not in missing for i in range(7)]
        assert len(values) == 7
    assert found.unobserved["audio"][1] == found.unobserved["vision"][1]


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
            "train: regression_labels has 5 entries, id has 6",
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


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("empty", [False, True])
def test_field_with_another_number_of_entries_is_refused_by_name(
    mmsa: Any, read: Read, field: str, empty: bool
) -> None:
    content = mmsa(WORDS)
    content["valid"][field] = content["valid"][field][: 0 if empty else 2]
    with pytest.raises(UnsafePickle, match=rf"valid: {field} has {0 if empty else 2} entries"):
        read(content)


@pytest.mark.parametrize("field", [name for name in FIELDS if not name.endswith("_lengths")])
def test_field_of_an_aligned_file_has_an_entry_per_clip_too(
    aligned: dict[str, Any], read: Read, field: str
) -> None:
    aligned["train"][field] = np.concatenate([aligned["train"][field]] * 2)
    with pytest.raises(UnsafePickle, match=f"train: {field} has 12 entries, id has 6"):
        read(aligned)


def nested(depth: int) -> list[Any]:
    """As many numbers as 2 to the power of its depth, in a few bytes of a pickle."""
    found: list[Any] = [0.0, 0.0]
    for _ in range(depth):
        found = [found, found]
    return found


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("audio", [np.ones((2, 5)), np.ones((3, 5)), np.ones((2, 5))], "is a list, not one array"),
        ("audio", [nested(60)] * 3, "is a list, not one array"),
        ("audio", np.zeros((3, 10**9, 0)), r"is an array \(3, 1000000000, 0\)"),
        ("audio", np.zeros((3, 0, 10**9)), r"is an array \(3, 0, 1000000000\)"),
        ("vision", np.array([None, 1.0, "a"], object), "is an array .* of object"),
        ("vision", None, "is a NoneType"),
        ("audio_lengths", [1, -1, 2], "holds -1"),
        ("audio_lengths", [1, 0.5, 2], "holds 0.5"),
        ("audio_lengths", [1, None, 2], "holds nan"),
        ("audio_lengths", [1, [2], 2], "holds a list, not only numbers"),
        ("vision_lengths", 3, "is a int"),
        ("regression_labels", [nested(60)] * 3, "holds a list"),
        ("regression_labels", [1, "2", 3], "holds a str"),
        ("regression_labels", [1, 2**2000, 3], "holds a number too large"),
        ("regression_labels", np.zeros((3, 2)), r"is an array \(3, 2\)"),
        ("regression_labels", np.array(["1", "2", "3"]), "is an array of <U1"),
        ("raw_text", ["a", None, "b"], "holds a NoneType"),
        ("raw_text", np.full(3, 0x110000, np.uint32).view("U1"), "holds what is no text"),
        ("raw_text", {"a": 1}, "is a dict"),
        ("id", [1.0, 2.0, 3.0], "holds a float"),
        ("id", np.zeros((3, 2)), r"is an array \(3, 2\)"),
        ("text_bert", np.full((3, 3, 4), np.nan), None),
        ("text_bert", np.full((3, 3, 4), 0.5), "holds 0.5"),
        ("text_bert", np.full((3, 3, 4), 2**40), "holds 1099511627776"),
    ],
)
def test_odd_content_is_refused_by_field(
    mmsa: Any, read: Read, field: str, value: Any, told: str | None
) -> None:
    content = mmsa(WORDS)
    content["test"][field] = value
    if told is None:  # a mask of NaN lets nothing through
        assert read(content)[0]["token_ids"].to_pylist()[:3] == [[], [], []]
    else:
        with pytest.raises(UnsafePickle, match=f"test: {field} {told}"):
            read(content)


def test_one_long_string_named_for_every_clip_is_refused_before_it_fills_the_memory(
    mmsa: Any, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractors.mmsa.layout.TEXT", 5_000_000)
    content = mmsa(WORDS, test=300)
    content["test"]["raw_text"] = ["a" * 1_000_000] * 300
    tracemalloc.start()
    try:
        with pytest.raises(UnsafePickle, match="test: raw_text holds more than 5000000 characters"):
            read(content)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("field", ["id", "raw_text", "audio", "vision", "regression_labels"])
def test_field_that_is_missing_is_named(mmsa: Any, read: Read, field: str) -> None:
    content = mmsa(WORDS)
    del content["valid"][field]
    with pytest.raises(UnsafePickle, match=f"valid: it has no {field}; it has "):
        read(content)


@pytest.mark.parametrize("kind", [list, lambda labels: np.array(labels, object)])
def test_label_that_is_none_or_nan_is_no_label(mmsa: Any, read: Read, kind: Any) -> None:
    content = mmsa(WORDS)
    content["test"]["regression_labels"] = kind([None, 0.5, np.float64(np.nan)])
    labels = {row["clip_id"]: row["label"] for row in read(content)[0].to_pylist()}
    assert [labels[f"test0/{clip}"] for clip in range(3)] == [None, 0.5, None]


def test_odd_forms_of_plain_content_are_read(tmp_path: Path, mmsa: Any, read: Read) -> None:
    content = mmsa(WORDS)
    content["train"]["id"] = np.arange(6)
    content["valid"]["id"] = [6, np.int64(7), 8]
    content["test"]["audio_lengths"][1] = 1000  # the grid was cut
    content["test"]["raw_text"] = ["half \ud800", b"\xff", "whole"]
    content["test"]["regression_labels"] = np.array([[1], [2], [3]])
    for split in content.values():
        split["audio"] = (split["audio"] * 100).astype(np.int64)
        split["vision"] = split["vision"].astype(np.float64)
    content["test"]["vision"][0, 0] = 1e300  # infinite as float32
    manifest, found = read(content)
    assert set(manifest["clip_id"].to_pylist()) >= {"0", "5", "7"}
    assert len(rows_of(tmp_path / "toy", "audio", "test0/1")[0]) == 12
    assert found.bad["vision"] == 4
    values, _ = rows_of(tmp_path / "toy", "audio", "0")
    np.testing.assert_array_equal(values, content["train"]["audio"][0])


def test_pickle_without_clips_is_told_at_import(tmp_path: Path, mmsa: Any, read: Read) -> None:
    content = mmsa(WORDS)
    empty = {
        name: {field: values[:0] for field, values in split.items()}
        for name, split in content.items()
    }
    with pytest.raises(SetupError, match=r"unaligned\.pkl holds no clips"):
        read(empty)
    write_table(GIVEN.empty_table(), tmp_path / "old" / "manifest.parquet")
    with pytest.raises(SetupError, match="holds no clips"):
        read_given(tmp_path / "old")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_import_that_breaks_half_way_leaves_the_old_dataset_whole(
    tmp_path: Path, mmsa: Any, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(mmsa(WORDS))
    before = contents(tmp_path / "toy")

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    for name in ("write_table", "_rows"):
        with monkeypatch.context() as patch:
            patch.setattr(importing, name, full)
            with pytest.raises(OSError, match="no space left"):
                read(mmsa(WORDS, train=9))
    assert contents(tmp_path / "toy") == before
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        return full() if path.name == "new" else rename(path, target)  # type: ignore[func-returns-value]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(OSError, match="no space left"):
            read(mmsa(WORDS, train=9))
    assert contents(tmp_path / "toy") == before
    assert {path.name for path in tmp_path.iterdir()} == {"toy", "unaligned.pkl"}
    assert read(mmsa(WORDS, train=9))[1].clips["train"] == 9
    assert len(read_modality(tmp_path / "toy" / "features" / "audio")) == 15
    assert {path.name for path in tmp_path.iterdir()} == {"toy", "unaligned.pkl"}


def test_linked_dataset_stays_where_it_is_linked_to(tmp_path: Path, mmsa: Any, read: Read) -> None:
    (tmp_path / "disk" / "toy").mkdir(parents=True)
    (tmp_path / "toy").symlink_to(tmp_path / "disk" / "toy")
    read(mmsa(WORDS))
    assert (tmp_path / "toy").is_symlink()
    assert (tmp_path / "disk" / "toy" / "manifest.parquet").is_file()


@pytest.mark.parametrize("name", ["label.csv", "unaligned_50.pkl", "Raw"])
def test_what_is_no_dataset_of_features_is_not_replaced(
    tmp_path: Path, mmsa: Any, read: Read, name: str
) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / name).write_text("mine", "utf-8")
    with pytest.raises(SetupError, match=f"toy holds {name} already: move it away first"):
        read(mmsa(WORDS))
    assert (tmp_path / "toy" / name).read_text("utf-8") == "mine"


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
    tmp_path: Path, mmsa: Any, read: Read
) -> None:
    content = mmsa(WORDS)
    for split in content.values():
        split["regression_labels_T"] = split["regression_labels"] / 2
        split["regression_labels_A"] = split["regression_labels"] / 3
    content["train"]["regression_labels_T"][2] = np.nan
    content["valid"]["regression_labels_A"] = [None] * 3
    content["test"].pop("regression_labels_A")
    content["test"]["regression_labels"][1] = np.nan
    first, _ = read(content)
    featured = first.filter(pc.not_equal(first["clip_id"], "train0/0"))
    features = tmp_path / "toy" / "features"
    write_text(featured, features)
    told = export_mmsa(first, features, tmp_path / "out.pkl")
    assert told.clips == {"train": 5, "valid": 3, "test": 2}
    assert (told.unlabelled, told.featureless) == (1, 1)
    with (tmp_path / "out.pkl").open("rb") as file:
        out = pickle.load(file)
    for split in out.values():
        assert {"regression_labels_T", "regression_labels_A"} < split.keys()
        assert "regression_labels_V" not in split
    assert np.isnan(out["train"]["regression_labels_T"]).sum() == 1
    import_mmsa(tmp_path / "out.pkl", tmp_path / "again", name="toy", language="en")
    again = read_given(tmp_path / "again")
    labelled = featured.filter(featured["label"].is_valid())
    for column in ("clip_id", "split", "text", "label", "label_t", "label_a", "label_v"):
        assert again[column].equals(labelled[column]), column


@pytest.mark.parametrize(
    ("texts", "bert", "shared", "kept", "told"),
    [
        (True, True, True, True, "token ids of text_bert, as they came\n"),
        (True, True, False, False, "raw_text, tokenised anew: text_bert is of another vocabulary"),
        (True, False, None, False, "raw_text, tokenised here: no text_bert came with it"),
        (False, True, None, True, "as they came; there is no raw_text to compare them with"),
    ],
)
def test_where_the_words_come_from_is_told_and_tokens_without_text_are_kept(
    mmsa: Any,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    texts: bool,
    bert: bool,
    shared: bool | None,
    kept: bool,
    told: str,
) -> None:
    content = mmsa(WORDS)
    for split in content.values():
        if not texts:
            split["raw_text"] = [" "] * len(split["id"])
        if not bert:
            del split["text_bert"]
    manifest, _ = read(content)
    jobs: list[Any] = []
    monkeypatch.setattr(extraction, "_described", lambda *_: None)
    monkeypatch.setattr(extraction, "feature_schema", lambda _: None)
    monkeypatch.setattr(extraction, "fingerprint", lambda *_, **__: None)
    monkeypatch.setattr(extraction, "_ask", lambda *_: shared)
    monkeypatch.setattr(extraction, "collect", lambda _, __, found, *___: jobs.extend(found))
    settings, run, cache = TextSettings(), RunSettings(), cast(Cache, None)
    extraction.extract_modality("text", manifest, transcripts(manifest), settings, run, cache)
    by_clip = {job.row["clip_id"]: job.task.arguments[2] for job in jobs}
    given = {row["clip_id"]: row["token_ids"] for row in manifest.to_pylist()}
    assert by_clip == (given if kept else dict.fromkeys(given))
    assert told in capsys.readouterr().err


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
