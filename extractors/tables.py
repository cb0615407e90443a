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

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

Modality = Literal["text", "audio", "vision"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)

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


class FeatureInfo(BaseModel):
    """What the columns of a feature table are, and exactly how they were made.

    Kept as JSON under the key ``features`` of the table's schema metadata.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    modality: Modality
    names: list[str]
    units: list[str]
    settings: dict[str, Any]
    assets: dict[str, str]  # name -> sha256
    fingerprint: str
    # of the tokenizer, text only
    unk_id: int | None = None
    pad_id: int | None = None
    vocab_size: int | None = None


def feature_schema(info: FeatureInfo) -> pa.Schema:
    """Schema of one modality's feature table, one row per clip.

    ``values`` holds a [rows, features] float32 matrix per clip, 0 where ``observed`` is False.
    """
    vector = pa.list_(_element(pa.float32()), len(info.names))
    flags = pa.list_(_element(pa.bool_()))
    fields = [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("values", pa.list_(_element(vector)), nullable=False),
        pa.field("observed", flags, nullable=False),
    ]
    if info.modality == "text":
        times = pa.list_(pa.field("element", pa.float64()))
        fields += [
            pa.field("starts", times, nullable=False),
            pa.field("ends", times, nullable=False),
            pa.field("token_ids", pa.list_(_element(pa.int32())), nullable=False),
            pa.field("special", flags, nullable=False),
        ]
    else:
        fields += [
            pa.field("start_s", pa.float64(), nullable=False),
            pa.field("step_s", pa.float64(), nullable=False),
        ]
    metadata = {b"features": info.model_dump_json(exclude_none=True).encode()}
    return pa.schema(fields, metadata=metadata)


def _element(type_: pa.DataType) -> pa.Field:
    """Items of a list, under the name that Parquet gives them, none of them null."""
    return pa.field("element", type_, nullable=False)


def feature_info(table: pa.Table | pa.Schema) -> FeatureInfo:
    """What a feature table's schema metadata says about it.

    Raises
    ------
    ValueError
        The table carries no such metadata: it is not a feature table.
    """
    schema = table.schema if isinstance(table, pa.Table) else table
    metadata = schema.metadata or {}
    if b"features" not in metadata:
        raise ValueError("not a feature table: its schema metadata has no key 'features'")
    return FeatureInfo.model_validate_json(metadata[b"features"])


def ragged(matrices: list[np.ndarray], type_: pa.ListType) -> pa.ListArray:
    """Arrow column of one matrix [rows, features] or vector [rows] per clip, without copies by row.

    Parameters
    ----------
    matrices : list of ndarray
        All [*, features] or all [*]; NaN in float64 vectors becomes null.
    type_ : pa.ListType
        Type of the column; its values are a fixed-size list where the matrices have two axes.
    """
    offsets = np.cumsum([0] + [len(m) for m in matrices], dtype=np.int32)
    flat: pa.Array
    if pa.types.is_fixed_size_list(type_.value_type):
        width = type_.value_type.list_size
        joined = np.concatenate([np.empty((0, width), np.float32), *matrices])
        flat = pa.FixedSizeListArray.from_arrays(
            pa.array(joined.reshape(-1), pa.float32()), type=type_.value_type
        )
    else:
        joined = np.concatenate(matrices) if matrices else np.empty(0)
        flat = pa.array(joined, type_.value_type, from_pandas=True)
    return pa.ListArray.from_arrays(pa.array(offsets), flat, type=type_)


def clip_values(table: pa.Table, index: int) -> np.ndarray:
    """Matrix [rows, features] of the clip in row `index` of a feature table."""
    rows = table.column("values")[index].values
    width = table.schema.field("values").type.value_type.list_size
    return rows.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)


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


def read_table(path: str | Path) -> pa.Table:
    """Read one Parquet file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such table; run the stage that writes it")
    return pq.read_table(path, partitioning=None)


def write_modality(table: pa.Table, folder: str | Path) -> None:
    """Write one modality's feature table into a folder, as ``part-0.parquet``."""
    write_table(table, Path(folder) / "part-0.parquet")


def read_modality(folder: str | Path) -> pa.Table:
    """Read one modality's feature table, all of its parts, sorted by clip_id.

    Raises
    ------
    FileNotFoundError
        The folder holds no ``part-*.parquet``.
    """
    parts = sorted(Path(folder).glob("part-*.parquet"))
    if not parts:
        raise FileNotFoundError(f"{folder}: no part-*.parquet; extract the features first")
    tables = [read_table(part) for part in parts]
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables).sort_by("clip_id")


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
