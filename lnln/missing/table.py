"""Masks as a table, as which the pipeline keeps them between its stages."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from contracts.features import ragged
from contracts.schemas import MODALITIES
from lnln.missing.masks import Kept, Masks
from lnln.missing.patterns import Condition

_FLAGS = pa.list_(pa.bool_())
MASKS = pa.schema(
    [
        ("pattern", pa.string()),
        ("rate", pa.float64()),
        ("draw", pa.int32()),
        ("clip_id", pa.string()),
        *((m, _FLAGS) for m in MODALITIES),  # of every row, whether it is kept
    ]
)


def to_table(masks: Mapping[Condition, Masks]) -> pa.Table:
    """Return masks as a table with one row per condition and clip, and a list per modality."""
    kept = [of[clip_id] for of in masks.values() for clip_id in sorted(of)]
    keys = [(*condition, clip_id) for condition, of in masks.items() for clip_id in sorted(of)]
    columns = [
        pa.array([key[i] for key in keys], type_)
        for i, type_ in enumerate(MASKS.types[: len(MASKS) - len(MODALITIES)])
    ]
    lists = [ragged([getattr(clip, m) for clip in kept], _FLAGS) for m in MODALITIES]
    return pa.Table.from_arrays([*columns, *lists], schema=MASKS)


def from_table(table: pa.Table) -> dict[Condition, dict[str, Kept]]:
    """Read back the masks from the table `to_table` made."""
    columns = [_arrays(table[m].combine_chunks()) for m in MODALITIES]
    keys = (table[name].to_pylist() for name in ("pattern", "rate", "draw", "clip_id"))
    masks: dict[Condition, dict[str, Kept]] = {}
    for *condition, clip_id, text, audio, vision in zip(*keys, *columns, strict=True):
        masks.setdefault(Condition(*condition), {})[clip_id] = Kept(text, audio, vision)
    return masks


def _arrays(lists: pa.ListArray) -> list[np.ndarray]:
    """Return the items of every list."""
    offsets = lists.offsets.to_numpy()
    rows = lists.flatten().to_numpy(zero_copy_only=False).astype(bool)
    return np.split(rows, (offsets - offsets[:1])[1:-1]) if len(lists) else []
