import json

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import (
    FeatureInfo,
    clip_values,
    feature_info,
    feature_schema,
    ragged,
    read_modality,
    write_modality,
)
from contracts.files import replacing
from contracts.parquet import read_table
from contracts.quarantine import Rejected, read_quarantine, write_quarantine

INFO = FeatureInfo(
    modality="audio", names=["a", "b"], units=["Hz", "1"], settings={"x": 1}, assets={},
    fingerprint="f" * 64,
)  # fmt: skip


def table(lengths=(3, 0, 2)) -> pa.Table:
    schema = feature_schema(INFO)
    matrices = [np.full((n, 2), n, np.float32) for n in lengths]
    flags = [np.arange(n) % 2 == 0 for n in lengths]
    columns = [
        pa.array([f"clip{i}" for i in range(len(lengths))]),
        ragged(matrices, schema.field("values").type),
        ragged(flags, schema.field("observed").type),
        pa.array([0.0] * len(lengths)),
        pa.array([0.04] * len(lengths)),
        pa.array([["odd"]] * len(lengths), schema.field("warnings").type),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def test_ragged_rows_come_back_as_written(tmp_path):
    write_modality([table()], table().schema, tmp_path / "audio")
    back = read_modality(tmp_path / "audio")
    assert back.schema == table().schema
    back.validate(full=True)
    assert clip_values(back, 0).tolist() == [[3.0, 3.0]] * 3
    assert clip_values(back, 1).shape == (0, 2)
    assert clip_values(back.slice(2), 0).tolist() == [[2.0, 2.0]] * 2
    assert back["observed"].to_pylist() == [[True, False, True], [], [True, False]]


def test_no_clips_make_an_empty_table_of_the_same_schema(tmp_path):
    write_modality([], table().schema, tmp_path / "audio")
    assert read_modality(tmp_path / "audio").schema == table().schema


def test_what_the_columns_are_is_in_the_schema(tmp_path):
    write_modality([table()], table().schema, tmp_path / "audio")
    back = read_modality(tmp_path / "audio")
    assert feature_info(back) == INFO
    assert json.loads(back.schema.metadata[b"features"])["units"] == ["Hz", "1"]
    with pytest.raises(ValueError, match="not a feature table"):
        feature_info(pa.table({"x": [1]}))


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]


def test_quarantine_keeps_any_text(tmp_path):
    rows = [Rejected("видео/1", 'a "b",\nc.mp4', "ingest", "空")]
    write_quarantine(rows, tmp_path / "q.csv")
    assert read_quarantine(tmp_path / "q.csv") == rows
    write_quarantine([], tmp_path / "q.csv")
    assert (tmp_path / "q.csv").read_text() == "clip_id,path,stage,reason\n"


def test_missing_tables_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="extract the features first"):
        read_modality(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such table"):
        read_table(tmp_path / "manifest.parquet")
