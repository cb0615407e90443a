from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.parquet import write_table
from contracts.quarantine import Rejected, read_quarantine, write_quarantine
from contracts.removing import remove_rows, rows_about


def test_rows_and_names_of_the_clips_are_gone_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    names = pa.array(["ann/1", "bob/1", "ann/1", "bob/2"]).dictionary_encode()
    schema = pa.schema(
        [("clip_id", names.type, False), ("x", pa.list_(pa.field("element", pa.float32())))],
        {b"features": b"{}"},
    )
    table = pa.table([names, pa.array([[1.0], [2.0], None, [3.0]])], schema=schema)
    pq.write_table(table, path, row_group_size=1)
    assert rows_about(path, {"ann/1", "eve/1"}) == 2
    remove_rows(path, {"ann/1", "eve/1"})
    left = pq.read_table(path)
    assert left.schema.equals(schema, check_metadata=True)
    assert left["clip_id"].to_pylist() == ["bob/1", "bob/2"]
    assert left["x"].to_pylist() == [[2.0], [3.0]]
    assert b"ann/1" not in path.read_bytes()
    assert rows_about(path, {"ann/1"}) == 0
    remove_rows(path, {"bob/1", "bob/2"})
    assert pq.read_table(path).num_rows == 0


def test_table_without_clips_holds_nothing_of_them(tmp_path: Path) -> None:
    write_table(pa.table({"text": ["ann/1"]}), tmp_path / "sentences.parquet")
    assert rows_about(tmp_path / "sentences.parquet", {"ann/1"}) == 0


def test_clip_is_taken_out_of_the_quarantine(tmp_path: Path) -> None:
    rows = [Rejected("ann/1", "a", "ingest", "why"), Rejected("bob/1", "b", "ingest", "why")]
    write_quarantine(rows, tmp_path / "ingest.csv")
    assert rows_about(tmp_path / "ingest.csv", {"ann/1"}) == 1
    remove_rows(tmp_path / "ingest.csv", {"ann/1"})
    assert read_quarantine(tmp_path / "ingest.csv") == rows[1:]
