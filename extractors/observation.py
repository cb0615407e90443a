"""What could be observed of each clip, where it could not, and why."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from contracts.parquet import sorted_rows
from contracts.schemas import MODALITIES, Modality

# Of a modality's table; its values are not needed.
COLUMNS: dict[Modality, list[str]] = {
    "text": ["clip_id", "observed", "special"],
    "audio": ["clip_id", "observed", "start_s", "step_s"],
    "vision": ["clip_id", "observed", "start_s", "step_s"],
}

_SPAN = pa.struct([pa.field("start_s", pa.float64()), pa.field("end_s", pa.float64())])
OBSERVED = pa.struct(
    [
        pa.field("share", pa.float64()),  # of the rows (of the words' tokens), 0 to 1
        pa.field("missing", pa.string()),  # why nothing was there; empty: something was
        pa.field("gaps", pa.list_(pa.field("element", _SPAN))),  # unobserved, s in the clip
    ]
)


def observe(
    manifest: pa.Table, transcripts: pa.Table, features: Mapping[Modality, pa.Table]
) -> pa.Table:
    """Add to the manifest what could be observed.

    Parameters
    ----------
    manifest, transcripts : pa.Table
        As in `contracts.schemas`.
    features : mapping of modality to pa.Table
        At least the columns in `COLUMNS`. Any of the three may be left out.

    Returns
    -------
    pa.Table
        The manifest, sorted by clip_id, and columns `observed_text`, `observed_audio`,
        `observed_vision` as `OBSERVED`; null where the modality's table does not have the clip.
        `missing` tells "silence" from "no audio track", "no speech" heard by the recogniser from
        "no transcript" where there was no sound to recognise, and "no face" from "no picture".
    """
    rows = sorted_rows(manifest)
    table = pa.Table.from_pylist(rows, schema=manifest.schema)
    sources = dict(
        zip(transcripts["clip_id"].to_pylist(), transcripts["source"].to_pylist(), strict=True)
    )
    for modality in MODALITIES:
        if modality not in features:
            continue
        found = {row["clip_id"]: row for row in features[modality].to_pylist()}
        column = [
            _observed(modality, row, found[row["clip_id"]], sources.get(row["clip_id"], "none"))
            if row["clip_id"] in found
            else None
            for row in rows
        ]
        table = table.append_column(f"observed_{modality}", pa.array(column, OBSERVED))
    return table


def summary(observed: pa.Table) -> dict[str, dict[str, Any]]:
    """Add up a table of `observe` per modality.

    Returns
    -------
    dict
        `clips`; `share`, mean over clips of the observed share; `complete`, clips without a gap;
        `missing`, clips in which nothing was observed, by reason; `gaps`, how many; and
        `longest_gap_s`.
    """
    found: dict[str, dict[str, Any]] = {}
    for modality in MODALITIES:
        column = f"observed_{modality}"
        if column not in observed.column_names:
            continue
        clips = [clip for clip in observed[column].to_pylist() if clip is not None]
        gaps = [gap["end_s"] - gap["start_s"] for clip in clips for gap in clip["gaps"]]
        reasons = Counter(clip["missing"] for clip in clips if clip["missing"])
        found[modality] = {
            "clips": len(clips),
            "share": round(float(np.mean([clip["share"] for clip in clips])), 4) if clips else 0.0,
            "complete": sum(clip["share"] == 1 for clip in clips),
            "missing": dict(sorted(reasons.items())),
            "gaps": len(gaps),
            "longest_gap_s": round(max(gaps, default=0.0), 2),
        }
    return found


def gaps(flags: np.ndarray, start_s: float, step_s: float) -> list[dict[str, float]]:
    """Stretches of unobserved rows, s from the clip's start.

    Parameters
    ----------
    flags : ndarray, bool [rows]
        Was the row observed?
    start_s, step_s : float
        Time of the first row, and between rows, s.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[True], flags, [True]]).astype(np.int8)))
    return [
        {
            "start_s": round(start_s + float(first) * step_s, 6),
            "end_s": round(start_s + float(end) * step_s, 6),
        }
        for first, end in edges.reshape(-1, 2)
    ]


def _observed(
    modality: Modality, row: dict[str, Any], found: dict[str, Any], source: str
) -> dict[str, Any]:
    flags = np.array(found["observed"], bool)
    if modality == "text":
        flags = flags[~np.array(found["special"], bool)]
    share = float(flags.mean()) if len(flags) else 0.0
    if modality != "text":
        spans = gaps(flags, found["start_s"], found["step_s"])
    else:  # a pause between words is none: only without any word is something missing
        spans = [] if share else [{"start_s": 0.0, "end_s": row["duration_s"]}]
    return {
        "share": share,
        "missing": "" if share else _reason(modality, row, source),
        "gaps": spans,
    }


def _reason(modality: Modality, row: dict[str, Any], source: str) -> str:
    if modality == "vision":
        return "no face" if row["has_video"] else "no picture"
    if modality == "audio":
        return "silence" if row["has_audio"] else "no audio track"
    return "no speech" if row["has_audio"] and source == "none" else "no transcript"
