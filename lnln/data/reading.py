"""Features from Arrow tables, one table per modality and one row per clip.

Nested columns hold the rows of a clip: `values` (list of fixed-size float32 rows), `observed`
(list of bool), and for text `token_ids` and `special` ([CLS], [SEP]). When the rows were measured
may stand there as well: `start_s` and `step_s` of audio and vision, `starts` and `ends` of tokens.
Column names, units, extraction settings and asset hashes are JSON in the schema metadata under the
key "features".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from contracts.features import feature_info, read_modality
from contracts.files import DamagedFile
from contracts.schemas import MODALITIES
from lnln.data.features import (
    FeatureSet,
    FloatArray,
    IntArray,
    Lengths,
    ModalityFeatures,
    TextFeatures,
)

TYPES: dict[str, Callable[[pa.DataType], bool]] = {  # of the rows in a clip's lists
    "observed": pa.types.is_boolean,
    "special": pa.types.is_boolean,
    "token_ids": pa.types.is_integer,
    "starts": pa.types.is_floating,
    "ends": pa.types.is_floating,
}


def read_features(folder: Path, manifest: pa.Table, split: str, lengths: Lengths) -> FeatureSet:
    """Read one split of a dataset and cut it to the lengths a model reads.

    Parameters
    ----------
    folder : Path
        Has the folders text, audio and vision, each with part-*.parquet.
    manifest : pyarrow.Table
        With clip_id, split and label, and with group where clips are told apart by speaker.
    split : str
        train, valid or test.
    lengths : Lengths

    Raises
    ------
    FileNotFoundError
        If a modality's folder is not there.
    ValueError
        If the split is empty, or the tables are not what this module's docstring says.
    """
    rows = manifest.filter(pc.equal(manifest["split"], split))
    if not len(rows):
        raise ValueError(f"no clip of the manifest is in the split {split!r}")
    tables = {m: read_modality(Path(folder) / m) for m in MODALITIES}
    features = from_tables(**tables, clip_ids=sorted(rows["clip_id"].to_pylist()))
    features = replace(
        features,
        labels=_labels(rows, features.clip_ids),
        groups=_groups(rows, features.clip_ids),
    )
    for modality, longer in features.longer_than(lengths).items():
        if longer.any():
            warnings.warn(
                f"{longer.sum()} of {len(features)} clips of the split {split!r} have more than "
                f"{getattr(lengths, modality)} rows of {modality}: what is beyond is cut",
                stacklevel=2,
            )
    return features.cut(lengths)


def _labels(rows: pa.Table, clip_ids: Sequence[str]) -> FloatArray:
    """Return the labels in the order of the clips; NaN where there is none."""
    by_clip = dict(zip(rows["clip_id"].to_pylist(), rows["label"].to_pylist(), strict=True))
    labels = (by_clip[clip_id] for clip_id in clip_ids)
    return np.array([np.nan if label is None else label for label in labels], dtype=np.float32)


def _groups(rows: pa.Table, clip_ids: Sequence[str]) -> tuple[str, ...] | None:
    """Return whose the clips are, in their order; None where the manifest does not say."""
    if "group" not in rows.column_names:
        return None
    by_clip = dict(zip(rows["clip_id"].to_pylist(), rows["group"].to_pylist(), strict=True))
    return tuple(by_clip[clip_id] for clip_id in clip_ids)


def from_tables(
    text: pa.Table, audio: pa.Table, vision: pa.Table, clip_ids: Sequence[str] | None = None
) -> FeatureSet:
    """Join the tables of the three modalities by clip.

    Parameters
    ----------
    text, audio, vision : pyarrow.Table
        See this module's docstring.
    clip_ids : sequence of str, optional
        Which clips, in which order; those that are not in all three tables are left out, with a
        warning. By default every clip of the three tables.

    Raises
    ------
    ValueError
        If a clip is there twice, columns disagree in their rows, or a value is NaN.
    """
    tables = {"text": text, "audio": audio, "vision": vision}
    where = {name: _positions(name, table) for name, table in tables.items()}
    wanted = sorted(set().union(*where.values())) if clip_ids is None else list(clip_ids)
    joined = [c for c in wanted if all(c in positions for positions in where.values())]
    if len(joined) < len(wanted):
        lost = sorted(set(wanted) - set(joined))
        warnings.warn(
            f"{len(lost)} clips are left out because a modality has no features of them "
            f"({', '.join(lost[:5])})",
            stacklevel=2,
        )
    taken = {
        name: table.take([where[name][clip_id] for clip_id in joined])
        if joined
        else table.slice(0, 0)
        for name, table in tables.items()
    }
    return FeatureSet(
        tuple(joined),
        _read_text(taken["text"]),
        _read_modality(taken["audio"], "audio"),
        _read_modality(taken["vision"], "vision"),
    )


def _positions(modality: str, table: pa.Table) -> dict[str, int]:
    clip_ids = table["clip_id"].to_pylist()
    positions = {clip_id: i for i, clip_id in enumerate(clip_ids)}
    if len(positions) < len(clip_ids):
        twice = next(c for c in positions if clip_ids.count(c) > 1)
        raise DamagedFile(f"the {modality} features have the clip {twice!r} more than once")
    return positions


def _read_modality(table: pa.Table, modality: str) -> ModalityFeatures:
    try:
        info = feature_info(table)
    except ValueError as error:
        raise DamagedFile(f"{modality}: {error}; write it with extract") from error
    if info.modality != modality:
        raise DamagedFile(
            f"the table of {modality} holds features of {info.modality}: extract them anew"
        )
    rows, offsets = _flatten(table, modality, "values")
    if not (pa.types.is_fixed_size_list(rows.type) and pa.types.is_float32(rows.type.value_type)):
        raise DamagedFile(f"the {modality} features have values of {rows.type}, not float32 rows")
    observed, observed_offsets = _flatten(table, modality, "observed")
    if not np.array_equal(offsets, observed_offsets):
        raise DamagedFile(
            f"the {modality} features have other row counts in observed than in values"
        )
    values = rows.flatten().to_numpy(zero_copy_only=False).reshape(-1, rows.type.list_size)
    if values.shape[1] != len(info.names):
        raise DamagedFile(f"{modality} has {values.shape[1]} columns but {len(info.names)} names")
    bad = np.isnan(values) | np.isposinf(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        clip_id = table["clip_id"][int(np.searchsorted(offsets, row, side="right")) - 1].as_py()
        raise DamagedFile(
            f"{modality} feature {info.names[column]!r} of the clip {clip_id!r} is "
            f"{values[row, column]}: unobserved rows must be 0"
        )
    times = _token_times(table) if modality == "text" else _row_times(table, offsets)
    if len(times) != len(values):
        raise DamagedFile(f"the {modality} features have other row counts in starts than in values")
    return ModalityFeatures(info, offsets, values, observed.to_numpy(zero_copy_only=False), times)


def _row_times(table: pa.Table, offsets: IntArray) -> NDArray[np.float64]:
    """Return the middle of every row of audio or vision, s; a step of 0 says: not known."""
    counts = np.diff(offsets)
    if not {"start_s", "step_s"} <= set(table.column_names):
        return np.full(counts.sum(), np.nan)
    starts, steps = (table[name].to_numpy().astype(np.float64) for name in ("start_s", "step_s"))
    steps = np.where(steps > 0, steps, np.nan)
    places = np.arange(counts.sum()) - np.repeat(offsets[:-1], counts)
    return np.repeat(starts, counts) + (places + 0.5) * np.repeat(steps, counts)


def _token_times(table: pa.Table) -> NDArray[np.float64]:
    """Return the middle of the word that every token is part of, s."""
    if not {"starts", "ends"} <= set(table.column_names):
        return np.full(len(_flatten(table, "text", "observed")[0]), np.nan)
    starts, ends = (
        _flatten(table, "text", name)[0].to_numpy(zero_copy_only=False).astype(np.float64)
        for name in ("starts", "ends")
    )
    if len(starts) != len(ends):
        raise DamagedFile("the text features have other row counts in ends than in starts")
    return (starts + ends) / 2


def _read_text(table: pa.Table) -> TextFeatures:
    states = _read_modality(table, "text")
    if states.info.unk_id is None or states.info.pad_id is None:
        raise DamagedFile("the text features name no unk_id and pad_id: write them with extract")
    token_ids, _ = _flatten(table, "text", "token_ids")
    special, _ = _flatten(table, "text", "special")
    if not len(token_ids) == len(special) == len(states.values):
        raise DamagedFile("the text features have other row counts in token_ids than in values")
    return TextFeatures(
        states.info,
        states.offsets,
        states.values,
        states.observed,
        states.times,
        token_ids.to_numpy(zero_copy_only=False).astype(np.int64),
        special.to_numpy(zero_copy_only=False),
    )


def _flatten(table: pa.Table, modality: str, column: str) -> tuple[pa.Array, IntArray]:
    """Return the rows of all clips in one array and where each clip's begin."""
    if column not in table.column_names:
        raise DamagedFile(f"the {modality} features have no column {column}: extract them anew")
    lists = table[column].combine_chunks()
    of = TYPES.get(column, lambda _: True)
    if not pa.types.is_list(lists.type) or not of(lists.type.value_type):
        raise DamagedFile(
            f"the {modality} features have {lists.type} in {column}: extract them anew"
        )
    if lists.null_count:
        raise DamagedFile(f"the {modality} features have a null in {column}: write an empty list")
    offsets = lists.offsets.to_numpy().astype(np.int64)
    return lists.flatten(), offsets - offsets[:1]  # flatten, unlike .values, honours slices
