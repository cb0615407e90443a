"""The long table of predictions, from which every figure about results is computed.

Its columns are those of `contracts.schemas.PREDICTIONS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from contracts.files import DamagedFile, replacing
from contracts.schemas import PREDICTIONS, Modality
from lnln.missing.patterns import Condition

if TYPE_CHECKING:  # a table is read and summed up without torch
    from lnln.models.interface import Scores

# Columns in which CH-SIMS has what annotators made of one modality alone (Yu et al., ACL 2020).
OWN_LABELS: dict[Modality, str] = {"text": "label_t", "audio": "label_a", "vision": "label_v"}
CLIP_COLUMNS = ("clip_id", "group", "label", "label_t", "label_a", "label_v")
# Columns with few different values, kept as numbers of a dictionary; the others vary freely.
_FREE = ("prediction", "low", "high", "w")
_KEYS = ("model", "seed", "pattern", "rate", "draw")  # of a slice, in the order of slices
# What tables of earlier versions do not have.
_ADDED = ("low", "high", "level")
Array = NDArray[np.float64]
Names = NDArray[np.object_]


class Slice(NamedTuple):
    """The answers of one model to all clips under one condition, in the order of clip_id.

    Attributes
    ----------
    model : str
    seed : int
    condition : Condition
    clip_id, group : array, [clips] str
    label, label_t, label_a, label_v : array, [clips]
        NaN where annotators gave none.
    prediction, completeness : array, [clips]
    low, high, level : array, [clips]
        Ends of the intervals and what they promise; NaN where there is none.
    w : array, [clips]
        NaN of a model that does not estimate it.
    observed : array, [clips] bool
    """

    model: str
    seed: int
    condition: Condition
    clip_id: Names
    group: Names
    label: Array
    label_t: Array
    label_a: Array
    label_v: Array
    prediction: Array
    low: Array
    high: Array
    level: Array
    w: Array
    completeness: Array
    observed: NDArray[np.bool_]


def answers(
    model: str,
    seed: int,
    condition: Condition,
    clips: pa.Table,
    scores: Scores,
    completeness: Array,
    observed: NDArray[np.bool_],
    intervals: tuple[Array, Array, float] | None = None,
) -> pa.Table:
    """Make the rows of one model under one condition.

    Parameters
    ----------
    model, seed, condition
    clips : pa.Table
        `CLIP_COLUMNS`, in the order of the arrays.
    scores : Scores
    completeness : array, [clips]
        True completeness of language.
    observed : array, [clips] bool
        Whether anything of any modality was left.
    intervals : tuple, optional
        Lower and upper ends, [clips] each, and their level. What nothing was left of has none.
    """
    count = clips.num_rows
    low, high, level = pa.nulls(count), pa.nulls(count), pa.nulls(count)
    if intervals is not None:
        ends = (*intervals[:2], np.full(count, intervals[2]))
        low, high, level = (pa.array(values, mask=~observed) for values in ends)
    columns = {
        "model": pa.repeat(model, count),
        "seed": pa.repeat(seed, count),
        "pattern": pa.repeat(condition.pattern, count),
        "rate": pa.repeat(float(condition.rate), count),
        "draw": pa.repeat(condition.draw, count),
        **{name: clips[name].combine_chunks() for name in CLIP_COLUMNS},
        "prediction": pa.array(scores.prediction),
        "low": low,
        "high": high,
        "level": level,
        "w": pa.nulls(count) if scores.w is None else pa.array(scores.w),
        "completeness": pa.array(completeness),
        "observed": pa.array(observed),
    }
    arrays = [
        columns[field.name].dictionary_encode().cast(field.type)
        if pa.types.is_dictionary(field.type)
        else columns[field.name].cast(field.type)
        for field in PREDICTIONS
    ]
    return pa.Table.from_arrays(arrays, schema=PREDICTIONS)


def join(tables: Iterable[pa.Table]) -> pa.Table:
    """Put tables of predictions together, under one dictionary of names."""
    together = pa.concat_tables([PREDICTIONS.empty_table(), *tables]).unify_dictionaries()
    return together.combine_chunks()


def write(table: pa.Table, path: Path) -> None:
    """Write a table of predictions, small: names and repeated numbers by their place in a list."""
    names = [field.name for field in PREDICTIONS if field.name not in (*_FREE, "observed")]
    with replacing(path) as temporary:
        pq.write_table(
            table.combine_chunks(),
            temporary,
            use_dictionary=names,
            use_byte_stream_split=list(_FREE),
            compression="zstd",
        )


def read(paths: Sequence[Path]) -> pa.Table:
    """Read tables of predictions as one.

    Raises
    ------
    FileNotFoundError
        If one is not there.
    ValueError
        If a file is no table of predictions.
    """
    tables = []
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is not there: run dvc repro")
        tables.append(parse(path.read_bytes(), str(path)))
    return join(tables)


def parse(content: bytes, name: str) -> pa.Table:
    """Read a table of predictions from the bytes of its file; `name` is for errors.

    Raises
    ------
    DamagedFile
        If it is no table of predictions.
    """
    try:
        # Threads of Arrow that are still there when Python exits may abort it (apache/arrow#34314).
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise DamagedFile(
            f"{name} is no Parquet file: {reason}; run dvc repro --force sweep"
        ) from error
    table = completed(table, PREDICTIONS)
    if table.schema.names != PREDICTIONS.names or not all(
        _is_text(there.type) == _is_text(field.type)
        for there, field in zip(table.schema, PREDICTIONS, strict=True)
    ):
        raise DamagedFile(f"{name} is no table of predictions: run dvc repro --force sweep")
    try:
        return table.cast(PREDICTIONS)
    except pa.ArrowException as error:
        raise DamagedFile(
            f"{name} is no table of predictions ({error}): run dvc repro --force sweep"
        ) from error


def _is_text(type_: pa.DataType) -> bool:
    """Names, which may be numbered or not; numbers in quotes are none."""
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def completed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table of an earlier version with the columns that it does not have, as nulls."""
    lacking = [name for name in _ADDED if name not in table.schema.names]
    if not lacking or set(table.schema.names) | {*lacking} != {*schema.names}:
        return table
    for name in lacking:
        table = table.append_column(name, pa.nulls(len(table), schema.field(name).type))
    return table.select(schema.names)


def slices(table: pa.Table) -> Iterator[Slice]:
    """Split a table of predictions by model, seed and condition, in that order."""
    if not table.num_rows:
        return
    keys = {name: _codes(table[name]) for name in (*_KEYS, "clip_id", "group")}
    condition = np.zeros(table.num_rows, dtype=np.int64)  # one number for all keys
    for name in _KEYS:
        condition = condition * len(keys[name][1]) + keys[name][0]
    clips, names_of_clips = keys["clip_id"]
    order = np.argsort(condition * len(names_of_clips) + clips, kind="stable")
    edges = np.flatnonzero(np.diff(condition[order])) + 1
    fields = ("label", "label_t", "label_a", "label_v", "prediction", *_ADDED, "w", "completeness")
    values = {
        name: table[name].to_numpy(zero_copy_only=False)[order].astype(np.float64)
        for name in fields
    }
    names = {
        name: np.array(keys[name][1], dtype=object)[keys[name][0][order]]
        for name in ("clip_id", "group")
    }
    observed = table["observed"].to_numpy(zero_copy_only=False)[order]
    for start, end in zip([0, *edges], [*edges, len(order)], strict=True):
        model, seed, *asked = (keys[name][1][keys[name][0][order[start]]] for name in _KEYS)
        yield Slice(
            model,
            seed,
            Condition(*asked),
            **{name: names[name][start:end] for name in names},
            **{name: values[name][start:end] for name in fields},
            observed=observed[start:end],
        )


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[Any]]:
    """Number the values of a column in their order, and list them."""
    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    places = np.argsort(np.argsort(np.array(values, dtype=object)))
    return places[encoded.indices.to_numpy()], sorted(values)
