"""Taking the rows of some clips out of tables that name them."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.files import replacing
from contracts.quarantine import read_quarantine, write_quarantine


def rows_about(path: Path, clips: Collection[str]) -> int:
    """Count the rows about some clips in a Parquet file, or in a CSV file of rejected clips.

    Raises
    ------
    OSError
        The file cannot be read; pa.ArrowException if it is no Parquet file.
    """
    if path.suffix == ".csv":
        return sum(row.clip_id in clips for row in read_quarantine(path))
    file = pq.ParquetFile(path)
    if "clip_id" not in file.schema_arrow.names:
        return 0
    return int(pc.sum(_about(file.read(["clip_id"]), clips)).as_py() or 0)


def remove_rows(path: Path, clips: Collection[str]) -> None:
    """Replace such a file by one without the rows about some clips; one row group is in memory.

    Raises
    ------
    OSError
        The file cannot be read or written; pa.ArrowException if it is no Parquet file.
    """
    if path.suffix == ".csv":
        write_quarantine([row for row in read_quarantine(path) if row.clip_id not in clips], path)
        return
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    strings = [field.name for field in schema if pa.types.is_string(field.type)]
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, use_dictionary=strings, compression="zstd") as parquet,
    ):
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            kept = table.filter(pc.invert(_about(table, clips)))
            if kept.num_rows:
                parquet.write_table(_without_unused_names(kept))


def _about(table: pa.Table, clips: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(table["clip_id"].cast(pa.string()), pa.array(sorted(clips), pa.string()))


def _without_unused_names(table: pa.Table) -> pa.Table:
    """Encode dictionaries anew: they would keep names that no row has any more."""
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = table[field.name].cast(field.type.value_type)
            table = table.set_column(index, field, plain.cast(field.type))
    return table
