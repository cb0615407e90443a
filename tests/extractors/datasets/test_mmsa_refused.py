"""Fields of a pickle of MMSA that do not fit: read where they can be, else refused by name."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from extractors.datasets.mmsa.importing import Imported
from extractors.datasets.mmsa.plain_objects import UnsafePickle

FIELDS = (
    *("raw_text", "text", "text_bert", "audio", "vision", "audio_lengths", "vision_lengths"),
    *("regression_labels", "annotations", "classification_labels"),
)
Import = Callable[[dict[str, Any]], tuple[pa.Table, Imported]]
ReadRows = Callable[[str, str], tuple[np.ndarray, list[bool]]]


@pytest.mark.parametrize(
    ("spoil", "message"),
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
    content: dict[str, Any], imported: Import, spoil: Callable[[Any], Any], message: str
) -> None:
    spoil(content)
    with pytest.raises(UnsafePickle, match=message):
        imported(content)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("empty", [False, True])
def test_field_with_another_number_of_entries_is_refused_by_name(
    content: dict[str, Any], imported: Import, field: str, empty: bool
) -> None:
    content["valid"][field] = content["valid"][field][: 0 if empty else 2]
    with pytest.raises(UnsafePickle, match=rf"valid: {field} has {0 if empty else 2} entries"):
        imported(content)


@pytest.mark.parametrize("field", [name for name in FIELDS if not name.endswith("_lengths")])
def test_field_of_an_aligned_file_has_an_entry_per_clip_too(
    aligned: dict[str, Any], imported: Import, field: str
) -> None:
    aligned["train"][field] = np.concatenate([aligned["train"][field]] * 2)
    with pytest.raises(UnsafePickle, match=f"train: {field} has 12 entries, id has 6"):
        imported(aligned)


def nested(depth: int) -> list[Any]:
    """As many numbers as 2 to the power of its depth, in a few bytes of a pickle."""
    numbers: list[Any] = [0.0, 0.0]
    for _ in range(depth):
        numbers = [numbers, numbers]
    return numbers


@pytest.mark.parametrize(
    ("field", "value", "message"),
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
        ("raw_text", ["a", 1.5, "b"], "holds a float"),
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
    content: dict[str, Any], imported: Import, field: str, value: Any, message: str | None
) -> None:
    content["test"][field] = value
    if message is None:  # a mask of NaN lets nothing through
        assert imported(content)[0]["token_ids"].to_pylist()[:3] == [[], [], []]
    else:
        with pytest.raises(UnsafePickle, match=f"test: {field} {message}"):
            imported(content)


def test_one_long_string_named_for_every_clip_is_refused_before_it_fills_the_memory(
    mmsa: Any, imported: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractors.datasets.mmsa.fields.MAX_TEXT", 5_000_000)
    content = mmsa(("good", "bad"), test=300)
    content["test"]["raw_text"] = ["a" * 1_000_000] * 300
    tracemalloc.start()
    try:
        with pytest.raises(UnsafePickle, match="test: raw_text holds more than 5000000 bytes"):
            imported(content)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("field", ["id", "raw_text", "audio", "vision", "regression_labels"])
def test_field_that_is_missing_is_named(
    content: dict[str, Any], imported: Import, field: str
) -> None:
    del content["valid"][field]
    with pytest.raises(UnsafePickle, match=f"valid: it has no {field}; it has "):
        imported(content)


@pytest.mark.parametrize("kind", [list, lambda labels: np.array(labels, object)])
def test_label_that_is_none_or_nan_is_no_label(
    content: dict[str, Any], imported: Import, kind: Any
) -> None:
    content["test"]["regression_labels"] = kind([None, 0.5, np.float64(np.nan)])
    labels = {row["clip_id"]: row["label"] for row in imported(content)[0].to_pylist()}
    assert [labels[f"test0/{clip}"] for clip in range(3)] == [None, 0.5, None]


def test_odd_forms_of_plain_content_are_read(
    rows_of: ReadRows, content: dict[str, Any], imported: Import
) -> None:
    content["train"]["id"] = np.arange(6)
    content["valid"]["id"] = [6, np.int64(7), 8]
    content["test"]["audio_lengths"][1] = 1000  # the grid was cut
    content["test"]["raw_text"] = ["half \ud800", b"\xff", "whole"]
    content["test"]["regression_labels"] = np.array([[1], [2], [3]])
    for split in content.values():
        split["audio"] = (split["audio"] * 100).astype(np.int64)
        split["vision"] = split["vision"].astype(np.float64)
    content["test"]["vision"][0, 0] = 1e300  # infinite as float32
    manifest, summary = imported(content)
    assert set(manifest["clip_id"].to_pylist()) >= {"0", "5", "7"}
    assert len(rows_of("audio", "test0/1")[0]) == 12
    assert summary.bad["vision"] == 4
    values, _ = rows_of("audio", "0")
    np.testing.assert_array_equal(values, content["train"]["audio"][0])
