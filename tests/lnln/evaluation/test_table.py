"""The long table of predictions: one schema, through Parquet and back, small, cut in slices."""

import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.files import DamagedFile
from contracts.schemas import PREDICTIONS
from lnln.evaluation.table import Condition, Slice, answers, join, read, slices, write
from lnln.models.interface import Scores

MakeRows = Callable[..., pa.Table]


@pytest.fixture
def table(make_rows: MakeRows) -> pa.Table:
    """Two models, two seeds, and conditions out of order."""
    return join(
        make_rows(
            [0.5, -1.0],
            [seed + draw, -rate],
            model=model,
            seed=seed,
            condition=(pattern, rate, draw),
            w=[0.25, 0.75] if model == "lnln" else None,
            completeness=[rate, 1.0],
            observed=[rate < 0.9, True],
            label_t=[None, 0.2],
        )
        for model in ("ridge", "lnln")
        for seed in (11, 7)
        for pattern, rate, draw in (
            ("random", 0.9, 1),
            ("random", 0.9, 0),
            ("only_text", 0.0, 0),
            ("random", 0.0, 0),
        )
    )


def test_rows_follow_the_schema_and_hold_what_was_said(make_rows: MakeRows) -> None:
    table = make_rows(
        [0.5, -1.0], [0.1, 0.2], seed=7, w=[0.3, 0.4], completeness=[1, 0], label_a=[None, 2.0]
    )
    assert table.schema.equals(PREDICTIONS)
    assert table.to_pylist()[1] == {
        "model": "m",
        "seed": 7,
        "pattern": "random",
        "rate": 0.5,
        "draw": 0,
        "clip_id": "b",
        "group": "g",
        "label": -1.0,
        "label_t": None,
        "label_a": 2.0,
        "label_v": None,
        "prediction": pytest.approx(0.2),
        "low": None,
        "high": None,
        "level": None,
        "w": pytest.approx(0.4),
        "completeness": 0.0,
        "observed": True,
    }


def test_w_of_a_model_that_makes_no_such_estimate_is_null(make_rows: MakeRows) -> None:
    table = make_rows([1.0], [1.0])
    assert table["w"].to_pylist() == [None]
    (only,) = slices(table)
    assert np.isnan(only.w).all()


def test_intervals_stand_beside_answers_but_not_where_nothing_was_left(
    make_rows: MakeRows,
) -> None:
    ends = (np.array([-1.0, 0.0]), np.array([2.0, 3.0]), 0.9)
    (found,) = slices(make_rows([1.0, 1.0], [0.5, 2.0], observed=[True, False], intervals=ends))
    assert found.low[0] == -1 and found.high[0] == 2 and found.level[0] == 0.9
    assert np.isnan([found.low[1], found.high[1], found.level[1]]).all()


def test_table_without_intervals_of_an_earlier_version_is_read(
    table: pa.Table, tmp_path: Path
) -> None:
    pq.write_table(table.drop_columns(["low", "high", "level"]), tmp_path / "old.parquet")
    assert read([tmp_path / "old.parquet"]).to_pylist() == table.to_pylist()
    pq.write_table(table.drop_columns(["low", "label"]), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="no table of predictions"):
        read([tmp_path / "other.parquet"])


def test_table_comes_back_from_parquet(table: pa.Table, tmp_path: Path) -> None:
    write(table, tmp_path / "p.parquet")
    back = read([tmp_path / "p.parquet"])
    assert back.schema.equals(PREDICTIONS)
    assert back.to_pylist() == table.to_pylist()


def test_several_files_are_one_table(table: pa.Table, tmp_path: Path) -> None:
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path, part in zip(paths, (table.slice(0, 16), table.slice(16)), strict=True):
        write(part, path)
    assert read(paths).to_pylist() == table.to_pylist()


def test_writing_twice_gives_the_same_bytes(table: pa.Table, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(table, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_any_reader_of_parquet_sees_names_and_numbers(table: pa.Table, tmp_path: Path) -> None:
    import pandas as pd

    write(table, tmp_path / "p.parquet")
    frame = pd.read_parquet(tmp_path / "p.parquet")
    assert set(frame["model"]) == {"ridge", "lnln"}
    assert frame[frame["model"] == "ridge"]["w"].isna().all()


def test_missing_and_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.parquet is not there: run dvc repro"):
        read([tmp_path / "none.parquet"])
    pq.write_table(pa.table({"clip_id": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match=r"other\.parquet is no table of predictions"):
        read([tmp_path / "other.parquet"])


def test_slices_come_by_model_seed_and_condition_their_clips_in_order(table: pa.Table) -> None:
    found = list(slices(table))
    conditions = [
        Condition("only_text", 0.0, 0),
        Condition("random", 0.0, 0),
        Condition("random", 0.9, 0),
        Condition("random", 0.9, 1),
    ]
    assert [(s.model, s.seed, s.condition) for s in found] == [
        (model, seed, condition)
        for model in ("lnln", "ridge")
        for seed in (7, 11)
        for condition in conditions
    ]
    last = found[3]
    assert last.prediction.tolist() == pytest.approx([7 + 1, -0.9])
    assert last.label.tolist() == [0.5, -1.0]
    assert np.isnan(last.label_t[0]) and last.label_t[1] == pytest.approx(0.2)
    assert np.isnan(last.label_a).all()
    assert last.w.tolist() == [0.25, 0.75]
    assert last.completeness.tolist() == pytest.approx([0.9, 1.0])
    assert last.observed.tolist() == [False, True]


def same(a: Slice, b: Slice) -> bool:
    return a[:3] == b[:3] and all(
        np.array_equal(x, y, equal_nan=x.dtype == float) for x, y in zip(a[3:], b[3:], strict=True)
    )


def test_slices_do_not_depend_on_the_order_of_rows_or_on_chunks(table: pa.Table) -> None:
    mixed = table.take(np.random.default_rng(0).permutation(table.num_rows))
    chunked = pa.concat_tables([mixed.slice(20), mixed.slice(0, 20)])
    expected = list(slices(table))
    for other in (mixed, chunked):
        assert all(same(a, b) for a, b in zip(slices(other), expected, strict=True))


def test_no_rows_are_no_slices() -> None:
    assert list(slices(join([]))) == []


def test_torn_or_cast_predictions_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(PREDICTIONS.empty_table(), path)
    whole = path.read_bytes()
    assert read([path]).num_rows == 0
    index = PREDICTIONS.get_field_index("label")
    texts = PREDICTIONS.set(index, pa.field("label", pa.string())).empty_table()
    sink = pa.BufferOutputStream()
    pq.write_table(texts, sink)
    for content in (b"", whole[:40], whole[:-9], sink.getvalue().to_pybytes()):
        path.write_bytes(content)
        with pytest.raises(DamagedFile, match=r"p\.parquet is no .*run dvc repro"):
            read([path])


@pytest.mark.slow
def test_two_million_predictions_stay_small(tmp_path: Path) -> None:
    """12 models x 5 seeds x 10 rates x 5 draws x 700 clips; w of half of the models."""
    random, count = np.random.default_rng(0), 700
    letters = np.array(list(string.ascii_letters))
    videos = ["".join(random.choice(letters, 11)) for _ in range(90)]
    clips = pa.table(
        {
            "clip_id": sorted(f"{videos[i % 90]}/{i // 90}" for i in range(count)),
            "group": [videos[i % 90] for i in range(count)],
            "label": random.uniform(-3, 3, count).round(1).astype(np.float32),
            **{name: pa.nulls(count, pa.float32()) for name in ("label_t", "label_a", "label_v")},
        }
    )
    words = random.integers(3, 40, count)

    def rows() -> pa.Table:
        for model in range(12):
            for seed in range(5):
                for rate in range(10):
                    for draw in range(5):
                        w = random.random(count) if model % 2 else None
                        yield answers(
                            f"model_{model}",
                            1111 + seed,
                            Condition("random", rate / 10, draw),
                            clips,
                            Scores(random.normal(size=count), w),
                            random.binomial(words, 1 - rate / 10) / words,
                            np.ones(count, bool),
                        )

    table = join(rows())
    assert table.num_rows == 2_100_000
    write(table, tmp_path / "p.parquet")
    # Random numbers hardly become smaller: almost 4 bytes a prediction, 2 for every other w.
    assert (tmp_path / "p.parquet").stat().st_size < 8 * table.num_rows
    back = read([tmp_path / "p.parquet"])
    assert back["prediction"].equals(table["prediction"])
    assert sum(1 for _ in slices(back)) == 12 * 5 * 10 * 5
