"""The feature table of one modality: its schema, its metadata, and reading and writing it.

A table has one row per clip. Its main columns are ``values``, a matrix [rows, features], and
``observed``, one flag per row of that matrix; the others say when the rows were measured.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.files import REMEDY, DamagedFile, replacing
from contracts.parquet import read_table
from contracts.schemas import MODALITIES, Modality

FACE = pa.struct(  # the face that the features are of, see `extractors.vision.faces`
    [
        pa.field("chosen_by", pa.string()),  # only | speech | size | none
        pa.field("confidence", pa.float32()),  # 0 to 1
        pa.field("faces", pa.int32()),  # people in the clip
    ]
)


class FeatureInfo(BaseModel):
    """What the columns of a feature table are, and how exactly they were computed.

    Stored as JSON under the key ``features`` in the metadata of the table's schema.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    modality: Modality
    names: tuple[str, ...]
    units: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    assets: dict[str, str] = {}  # name -> sha256 of the models that computed the features
    fingerprint: str = ""
    unk_id: int | None = None  # text only: id of [UNK]
    pad_id: int | None = None  # text only: id of [PAD], which no token attends to
    lost_id: int | None = None  # text only: id that takes a lost token's place; null: that of [UNK]
    source: str = ""  # where the features come from, if not from our extractors


def feature_schema(info: FeatureInfo) -> pa.Schema:
    """Schema of the feature table that `info` describes.

    Parameters
    ----------
    info : FeatureInfo
        Becomes the metadata of the schema.

    Returns
    -------
    pa.Schema
        ``values`` is a float32 matrix [rows, features] per clip, 0 where ``observed`` is False.
        Text has a start and an end per token, s, and its id; audio and vision have the time of
        the first row and the time between rows, s.
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
    if info.modality == "vision":
        fields.append(pa.field("face", FACE, nullable=False))
    fields.append(pa.field("warnings", pa.list_(pa.field("element", pa.string())), nullable=False))
    metadata = {b"features": info.model_dump_json(exclude_defaults=True).encode()}
    return pa.schema(fields, metadata=metadata)


def _element(type_: pa.DataType) -> pa.Field:
    """A list's items, without nulls, under the name that Parquet gives them."""
    return pa.field("element", type_, nullable=False)


def feature_info(table: pa.Table | pa.Schema) -> FeatureInfo:
    """Read the `FeatureInfo` in the metadata of a feature table or its schema.

    Raises
    ------
    ValueError
        There is none: it is not a feature table.
    """
    schema = table.schema if isinstance(table, pa.Table) else table
    metadata = schema.metadata or {}
    if b"features" not in metadata:
        raise ValueError("not a feature table: its schema metadata has no key 'features'")
    try:
        return FeatureInfo.model_validate_json(metadata[b"features"])
    except ValidationError as error:
        raise ValueError(f"not a feature table: the key 'features' is damaged: {error}") from error


def feature_row(info: FeatureInfo, result: Any) -> pa.Table:
    """One clip's row of a feature table, without its clip_id.

    Parameters
    ----------
    info : FeatureInfo
    result : NamedTuple
        What an extractor returned. Its fields are the columns; ``start_s`` is 0 if there is none.
    """
    fields = list(feature_schema(info))[1:]
    row = {"start_s": 0.0} | result._asdict()
    if "face" in row:
        row["face"] = row["face"]._asdict()
    columns = []
    for field in fields:
        value = row[field.name]
        if isinstance(value, np.ndarray):
            columns.append(ragged([value], field.type))
        else:
            columns.append(pa.array([value], field.type))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def ragged(matrices: list[np.ndarray], type_: pa.ListType) -> pa.ListArray:
    """Arrow column with one matrix [rows, features] or one vector [rows] per clip.

    Parameters
    ----------
    matrices : list of ndarray
        All of shape [*, features] or all [*]. NaN in vectors becomes null.
    type_ : pa.ListType
        Of the column. For matrices, its values are lists of the fixed size `features`.
    """
    offsets = np.cumsum([0] + [len(m) for m in matrices], dtype=np.int32)
    flat: pa.Array
    if pa.types.is_fixed_size_list(type_.value_type):
        width = type_.value_type.list_size
        empty = np.empty((0, width), np.float32)  # so that no matrices can be joined, too
        joined = matrices[0] if len(matrices) == 1 else np.concatenate([empty, *matrices])
        flat = pa.FixedSizeListArray.from_arrays(
            pa.array(joined.reshape(-1), pa.float32()), type=type_.value_type
        )
    else:
        joined = np.concatenate(matrices) if matrices else np.empty(0)
        flat = pa.array(joined, type_.value_type, from_pandas=True)
    return pa.ListArray.from_arrays(pa.array(offsets), flat, type=type_)


def clip_warnings(table: pa.Table) -> list[str]:
    """The warnings in a feature table, each as ``clip_id: warning``."""
    clip_ids, warnings = table["clip_id"].to_pylist(), table["warnings"].to_pylist()
    return [
        f"{clip_id}: {text}"
        for clip_id, texts in zip(clip_ids, warnings, strict=True)
        for text in texts
    ]


def clip_values(table: pa.Table, index: int) -> np.ndarray:
    """The ``values`` of the clip in row `index` of a feature table: float32 [rows, features]."""
    rows = table.column("values")[index].values
    width = table.schema.field("values").type.value_type.list_size
    return rows.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)


def write_modality(batches: Iterable[pa.Table], schema: pa.Schema, folder: str | Path) -> None:
    """Write one modality's feature table into a folder, as ``part-0.parquet``.

    One batch is in memory at a time, and becomes a row group: the table can be larger than memory.

    Parameters
    ----------
    batches : iterable of pa.Table
        Together the table, sorted by clip_id.
    schema : pa.Schema
        As `feature_schema`.
    folder : path
        Created if need be; a table in it is replaced.
    """
    strings = [f.name for f in schema if pa.types.is_string(f.type)]
    with (
        replacing(Path(folder) / "part-0.parquet") as temporary,
        pq.ParquetWriter(temporary, schema, use_dictionary=strings, compression="zstd") as parquet,
    ):
        for batch in batches:
            parquet.write_table(batch)


def read_modality(folder: str | Path, columns: list[str] | None = None) -> pa.Table:
    """Read all parts of one modality's feature table, sorted by clip_id.

    Parameters
    ----------
    folder : path
    columns : list of str, optional
        Columns to read; all by default.

    Raises
    ------
    FileNotFoundError
        There is no ``part-*.parquet`` in the folder.
    DamagedFile
        A part is torn, lacks a column, or has other columns than the first; or the table is of
        another modality than the folder's name says.
    """
    parts = sorted(Path(folder).glob("part-*.parquet"))
    if not parts:
        raise FileNotFoundError(f"{folder}: no part-*.parquet; extract the features first")
    tables = [read_table(part, columns) for part in parts]
    for part, table in zip(parts, tables, strict=True):
        try:
            modality = feature_info(table).modality
        except ValueError as error:
            raise DamagedFile(f"{part}: {error}; {REMEDY}") from error
        if part.parent.name in MODALITIES and part.parent.name != modality:
            raise DamagedFile(f"{part} holds features of {modality}: {REMEDY}")
        if not table.schema.equals(tables[0].schema, check_metadata=False):
            raise DamagedFile(f"{part} has other columns than {parts[0]}: {REMEDY}")
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables).sort_by("clip_id")
