"""Reading and writing tables as Parquet files."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.files import REMEDY, DamagedFile, replacing

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


def read_table(
    path: str | Path, columns: list[str] | None = None, schema: pa.Schema | None = None
) -> pa.Table:
    """Read a Parquet file, or only some of its columns.

    Parameters
    ----------
    path : path
    columns : list of str, optional
        Columns to read; all by default.
    schema : pa.Schema, optional
        Columns that have to be there, with their types, and with a value in every row where they
        are not nullable; others may stand beside them.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    DamagedFile
        It is no Parquet file or a torn one, or lacks a column or a value.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such table; run the stage that writes it")
    try:
        types = {field.name: field.type for field in pq.read_schema(path)}
        lacking = [name for name in columns or [] if name not in types]
        if not lacking:
            table = pq.read_table(path, columns=columns, partitioning=None)
            table.validate(full=True)  # lists that end elsewhere, strings that are no text
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise DamagedFile(f"{path} is no Parquet file, or torn ({reason}): {REMEDY}") from error
    if lacking:
        raise DamagedFile(f"{path} has no column {lacking[0]}: another table is there; {REMEDY}")
    for field in schema or []:
        if types.get(field.name) != field.type:
            raise DamagedFile(
                f"{path}: its column {field.name} is of {types.get(field.name, 'nothing')}, not of "
                f"{field.type}: another table is there; {REMEDY}"
            )
        if not field.nullable and field.name in table.column_names and table[field.name].null_count:
            raise DamagedFile(f"{path}: its column {field.name} lacks values: {REMEDY}")
    return table


def sorted_rows(manifest: pa.Table) -> list[dict[str, Any]]:
    """Rows of a manifest as dictionaries, sorted by clip_id."""
    return sorted(manifest.to_pylist(), key=lambda row: row["clip_id"])
