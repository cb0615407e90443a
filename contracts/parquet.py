"""Reading and writing tables as Parquet files."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.files import replacing

ROW_GROUP_BYTES = 64 * 1024 * 1024  # uncompressed


def write_table(table: pa.Table, path: str | Path) -> None:
    """Write a table as Parquet, in row groups of about 64 MB."""
    rows = table.num_rows
    if table.nbytes > ROW_GROUP_BYTES:
        rows = max(1, int(rows * ROW_GROUP_BYTES / table.nbytes))
    strings = [f.name for f in table.schema if pa.types.is_string(f.type)]
    with replacing(Path(path)) as temporary:
        pq.write_table(
            table,
            temporary,
            row_group_size=max(1, rows),
            use_dictionary=strings,
            compression="zstd",
        )


def read_table(path: str | Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file, or only some of its columns.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such table; run the stage that writes it")
    return pq.read_table(path, columns=columns, partitioning=None)


def sorted_rows(manifest: pa.Table) -> list[dict[str, Any]]:
    """Rows of a manifest as dictionaries, sorted by clip_id."""
    return sorted(manifest.to_pylist(), key=lambda row: row["clip_id"])
