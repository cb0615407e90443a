"""The Arrow tables that leave this package: their schemas, and how they are read and written.

Files are replaced atomically: a reader sees the old table or the new one, never half of one.
"""

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import pyarrow as pa
import pyarrow.parquet as pq

Modality = Literal["text", "audio", "vision"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)

SPLITS = ("train", "valid", "test")

MANIFEST = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("duration_s", pa.float64(), nullable=False),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("fps", pa.float64()),
        pa.field("has_audio", pa.bool_(), nullable=False),
        pa.field("has_video", pa.bool_(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("group", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("label", pa.float32()),
        pa.field("label_t", pa.float32()),
        pa.field("label_a", pa.float32()),
        pa.field("label_v", pa.float32()),
    ]
)

WORD = pa.struct(
    [
        pa.field("word", pa.string()),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("probability", pa.float64()),
    ]
)

TRANSCRIPTS = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # given | asr | none
        pa.field("words", pa.list_(pa.field("element", WORD)), nullable=False),
    ]
)

ROW_GROUP_BYTES = 64 * 1024 * 1024


class Rejected(NamedTuple):
    """A clip that could not be used, the stage that found out, and why."""

    clip_id: str
    path: str
    stage: str
    reason: str


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Temporary path beside `path` that takes its place if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
    """Read one Parquet file, or some of its columns.

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


def write_quarantine(rows: Iterable[Rejected], path: str | Path) -> None:
    """Write rejected clips as CSV, header included even if there are none."""
    with replacing(Path(path)) as temporary, temporary.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(Rejected._fields)
        writer.writerows(rows)


def read_quarantine(path: str | Path) -> list[Rejected]:
    """Read what `write_quarantine` wrote."""
    with Path(path).open(newline="", encoding="utf-8") as f:
        return [Rejected(**row) for row in csv.DictReader(f)]
