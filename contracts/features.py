"""The feature table of one modality: what its columns are, how it is put together and kept.

One row per clip: ``values``, a matrix [rows, features]; ``observed``, a flag per row; times.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from contracts.files import replacing
from contracts.parquet import read_table
from contracts.schemas import Modality

FACE = pa.struct(  # which face was followed, see `extractors.vision.faces`
    [
        pa.field("chosen_by", pa.string()),  # only | speech | size | none
        pa.field("confidence", pa.float32()),  # 0 to 1
        pa.field("faces", pa.int32()),  # people in the picture
    ]
)


class FeatureInfo(BaseModel):
    """What the columns of a feature table are, and exactly how they were made.

    Kept as JSON under the key ``features`` of the table's schema metadata.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    modality: Modality
    names: tuple[str, ...]
    units: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    assets: dict[str, str] = {}  # sha256 of the models that computed the features, by name
    fingerprint: str = ""
    unk_id: int | None = None  # text alone: [UNK], which stands for a dropped token
    pad_id: int | None = None  # text alone
    source: str = ""  # who made the features, where it was not our extractors


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
    if info.modality == "vision":
        fields.append(pa.field("face", FACE, nullable=False))
    fields.append(pa.field("warnings", pa.list_(pa.field("element", pa.string())), nullable=False))
    metadata = {b"features": info.model_dump_json(exclude_defaults=True).encode()}
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


def feature_row(info: FeatureInfo, result: Any) -> pa.Table:
    """One clip's row of its modality's table, but for clip_id.

    Parameters
    ----------
    info : FeatureInfo
    result : NamedTuple
        What the extractor returned: its fields are the columns. A grid of rows starts at 0 s.
    """
    fields = list(feature_schema(info))[1:]
    found = {"start_s": 0.0} | result._asdict()
    if "face" in found:
        found["face"] = found["face"]._asdict()
    columns = []
    for field in fields:
        value = found[field.name]
        if isinstance(value, np.ndarray):
            columns.append(ragged([value], field.type))
        else:
            columns.append(pa.array([value], field.type))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


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
        several = [np.empty((0, width), np.float32), *matrices]
        joined = matrices[0] if len(matrices) == 1 else np.concatenate(several)
        flat = pa.FixedSizeListArray.from_arrays(
            pa.array(joined.reshape(-1), pa.float32()), type=type_.value_type
        )
    else:
        joined = np.concatenate(matrices) if matrices else np.empty(0)
        flat = pa.array(joined, type_.value_type, from_pandas=True)
    return pa.ListArray.from_arrays(pa.array(offsets), flat, type=type_)


def clip_warnings(table: pa.Table) -> list[str]:
    """What the extractor had to say about single clips, with their names."""
    names, said = table["clip_id"].to_pylist(), table["warnings"].to_pylist()
    return [f"{name}: {text}" for name, texts in zip(names, said, strict=True) for text in texts]


def clip_values(table: pa.Table, index: int) -> np.ndarray:
    """Matrix [rows, features] of the clip in row `index` of a feature table."""
    rows = table.column("values")[index].values
    width = table.schema.field("values").type.value_type.list_size
    return rows.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)


def write_modality(batches: Iterable[pa.Table], schema: pa.Schema, folder: str | Path) -> None:
    """Write one modality's feature table into a folder, as ``part-0.parquet``.

    A batch becomes a row group, and is in memory while it is written; so tables can be larger
    than the memory.
    """
    strings = [f.name for f in schema if pa.types.is_string(f.type)]
    with (
        replacing(Path(folder) / "part-0.parquet") as temporary,
        pq.ParquetWriter(temporary, schema, use_dictionary=strings, compression="zstd") as parquet,
    ):
        for batch in batches:
            parquet.write_table(batch)


def read_modality(folder: str | Path, columns: list[str] | None = None) -> pa.Table:
    """Read one modality's feature table, all of its parts, sorted by clip_id.

    Parameters
    ----------
    folder : path
    columns : list of str, optional
        Read these only; all by default.

    Raises
    ------
    FileNotFoundError
        The folder holds no ``part-*.parquet``.
    """
    parts = sorted(Path(folder).glob("part-*.parquet"))
    if not parts:
        raise FileNotFoundError(f"{folder}: no part-*.parquet; extract the features first")
    tables = [read_table(part, columns) for part in parts]
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables).sort_by("clip_id")
