"""Feature tables to feature sets: joined by clip, ragged, cut with a warning, never NaN."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnln.data.features import FeatureSet, Lengths
from lnln.data.reading import from_tables, read_features

LABELS = {"v/2": 1.5, "v/1": -1.0, "w/1": 0.0}
LONG = Lengths(text=50, audio=100, vision=100)


@pytest.fixture
def tables(make_tables: Callable[..., dict[str, pa.Table]]) -> dict[str, pa.Table]:
    return make_tables(LABELS)


@pytest.fixture
def folder(tables: dict[str, pa.Table], tmp_path: Path) -> Path:
    for modality, table in tables.items():
        (tmp_path / modality).mkdir()
        pq.write_table(table, tmp_path / modality / "part-0.parquet")
    return tmp_path


def manifest(split: str = "train", **labels: float | None) -> pa.Table:
    known = LABELS | labels
    return pa.table(
        {
            "clip_id": list(known),
            "split": [split] * len(known),
            "label": pa.array(known.values(), pa.float32()),
        }
    )


def edited(table: pa.Table, column: str, change: Callable[[list], None]) -> pa.Table:
    values = table[column].to_pylist()
    change(values)
    index = table.column_names.index(column)
    field = table.schema.field(column)
    return table.set_column(index, field, pa.array(values, field.type))


def test_rows_of_a_clip_are_those_of_its_table(tables: dict[str, pa.Table]) -> None:
    features = from_tables(**tables)
    assert features.clip_ids == ("v/1", "v/2", "w/1")
    for modality, table in tables.items():
        ragged = features.modality(modality)
        for clip, values in enumerate(table["values"].to_pylist()):
            assert np.array_equal(ragged.values[ragged.rows(clip)], np.float32(values))


def test_slices_and_chunks_of_a_table_are_honoured(tables: dict[str, pa.Table]) -> None:
    whole = from_tables(**tables)
    chunked = {
        name: pa.concat_tables([table.slice(2, 1), table.slice(0, 2)])
        for name, table in tables.items()
    }
    again = from_tables(**chunked)
    sliced = from_tables(**{name: table.slice(1, 1) for name, table in tables.items()})
    assert again.clip_ids == whole.clip_ids
    assert np.array_equal(again.audio.values, whole.audio.values)
    assert np.array_equal(again.text.token_ids, whole.text.token_ids)
    assert np.array_equal(sliced.audio.values, whole.audio.values[whole.audio.rows(1)])


def test_split_is_read_with_its_labels(folder: Path) -> None:
    features = read_features(folder, manifest(), "train", LONG)
    assert features.known_labels().tolist() == [-1.0, 1.5, 0.0]


def test_several_parts_are_one_table(folder: Path, tables: dict[str, pa.Table]) -> None:
    pq.write_table(tables["audio"].slice(0, 1), folder / "audio" / "part-0.parquet")
    pq.write_table(tables["audio"].slice(1), folder / "audio" / "part-1.parquet")
    assert len(read_features(folder, manifest(), "train", LONG)) == 3


def test_empty_split_is_an_error(folder: Path) -> None:
    with pytest.raises(ValueError, match="no clip of the manifest is in the split 'test'"):
        read_features(folder, manifest(), "test", LONG)


def test_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="extract the features first"):
        read_features(tmp_path, manifest(), "train", LONG)


def test_clip_without_features_of_a_modality_is_left_out_with_a_warning(folder: Path) -> None:
    with pytest.warns(UserWarning, match="1 clips are left out .* .x/9"):
        features = read_features(folder, manifest(**{"x/9": 1.0}), "train", LONG)
    assert len(features) == 3


def test_long_clips_are_cut_with_one_warning_that_counts_them(folder: Path) -> None:
    whole = read_features(folder, manifest(), "train", LONG)
    limit = int(whole.audio.counts.max()) - 1
    longer = int((whole.audio.counts > limit).sum())
    with pytest.warns(UserWarning, match=f"{longer} of 3 clips .* {limit} rows of audio") as told:
        cut = read_features(folder, manifest(), "train", LONG._replace(audio=limit))
    assert len(told) == 1
    assert cut.audio.counts.max() == limit
    assert np.array_equal(
        cut.audio.values[: cut.audio.counts[0]], whole.audio.values[:limit][: cut.audio.counts[0]]
    )


def test_cut_sentences_keep_both_special_tokens(make_set: Callable[..., FeatureSet]) -> None:
    cut = make_set("train", 10).cut(LONG._replace(text=4)).text
    assert cut.counts.max() == 4
    assert (cut.count(cut.special) == 2).all()
    assert cut.special[cut.offsets[1:] - 1].all()


def test_clip_twice_is_an_error(tables: dict[str, pa.Table]) -> None:
    twice = pa.concat_tables([tables["audio"], tables["audio"].slice(1, 1)])
    with pytest.raises(ValueError, match="audio features have the clip 'v/2' more than once"):
        from_tables(**tables | {"audio": twice})


def test_nan_is_an_error_that_names_clip_and_feature(tables: dict[str, pa.Table]) -> None:
    def spoil(values: list) -> None:
        values[1][2][3] = float("nan")

    with pytest.raises(ValueError, match=r"audio feature 'rms' of the clip 'v/2' is nan"):
        from_tables(**tables | {"audio": edited(tables["audio"], "values", spoil)})


def test_columns_of_other_lengths_are_an_error(tables: dict[str, pa.Table]) -> None:
    short = edited(tables["vision"], "observed", lambda rows: rows[0].pop())
    with pytest.raises(ValueError, match="other row counts in observed"):
        from_tables(**tables | {"vision": short})


def timed(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables with times: rows every 0.5 s from 1 s on, and a word a second, the first unknown.

    As in datasets of features, a step of 0 says that the times of the first clip's sound are not
    known.
    """

    def words(late: float) -> pa.Array:
        clips = [len(tokens) for tokens in tables["text"]["token_ids"].to_pylist()]
        return pa.array([[None, *(i + late for i in range(1, n))] for n in clips])

    steps = {"audio": [0.0, 0.5, 0.5], "vision": [0.5] * 3}
    rows = {
        name: tables[name]
        .append_column("start_s", pa.array([1.0] * 3))
        .append_column("step_s", pa.array(of))
        for name, of in steps.items()
    }
    text = tables["text"].append_column("starts", words(0.0))
    return rows | {"text": text.append_column("ends", words(0.5))}


def test_rows_have_the_middle_of_their_time(tables: dict[str, pa.Table]) -> None:
    features = from_tables(**timed(tables))
    for clip in range(3):
        audio, vision, text = (
            of.times[of.rows(clip)] for of in (features.audio, features.vision, features.text)
        )
        assert vision == pytest.approx(1.25 + 0.5 * np.arange(len(vision)))
        if clip:
            assert audio == pytest.approx(1.25 + 0.5 * np.arange(len(audio)))
        else:
            assert np.isnan(audio).all()
        assert np.isnan(text[0])
        assert text[1:] == pytest.approx(np.arange(1, len(text)) + 0.25)


def test_times_stay_with_their_rows(tables: dict[str, pa.Table]) -> None:
    features = from_tables(**timed(tables))
    short = features.take([2]).cut(Lengths(text=4, audio=3, vision=2))
    whole = features.text.times[features.text.rows(2)]
    assert short.text.times[1:] == pytest.approx([whole[1], whole[2], whole[-1]])  # [SEP] is kept
    assert short.audio.times == pytest.approx([1.25, 1.75, 2.25])
    assert short.vision.times == pytest.approx([1.25, 1.75])


def test_times_are_unknown_where_a_table_has_none(tables: dict[str, pa.Table]) -> None:
    features = from_tables(**tables)
    for modality in tables:
        rows = features.modality(modality)
        assert len(rows.times) == len(rows.values)
        assert np.isnan(rows.times).all()


def test_times_of_other_lengths_are_an_error(tables: dict[str, pa.Table]) -> None:
    with_times = timed(tables)
    text = edited(with_times["text"], "ends", lambda rows: rows[0].pop())
    with pytest.raises(ValueError, match="other row counts in ends than in starts"):
        from_tables(**with_times | {"text": text})


def test_tables_of_unknown_origin_are_refused(tables: dict[str, pa.Table]) -> None:
    with pytest.raises(ValueError, match="text: not a feature table"):
        from_tables(**tables | {"text": tables["text"].replace_schema_metadata(None)})


def test_observed_shares_count_words_rows_and_frames(
    make_tables: Callable[..., dict[str, pa.Table]],
) -> None:
    missing = {"v/1": ("text", "vision")}
    features = from_tables(**make_tables(LABELS, without=missing))
    shares = features.observed_shares()
    assert shares["text"].tolist() == [0, 1, 1]
    assert shares["vision"][0] == 0 < shares["audio"][0]
    rows = features.audio.rows(1)
    assert shares["audio"][1] == features.audio.observed[rows].mean()


def test_no_clips_is_an_empty_set(tables: dict[str, pa.Table]) -> None:
    assert len(from_tables(**tables, clip_ids=[])) == 0
