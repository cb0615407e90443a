"""How much of each clip was observed, where nothing was, and why."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from contracts.parquet import sorted_rows
from contracts.schemas import MODALITIES, Modality

# Columns of the feature tables that `observe` needs; the values are not among them.
COLUMNS: dict[Modality, list[str]] = {
    "text": ["clip_id", "observed", "special"],
    "audio": ["clip_id", "observed", "start_s", "step_s"],
    "vision": ["clip_id", "observed", "start_s", "step_s"],
}

_SPAN = pa.struct([pa.field("start_s", pa.float64()), pa.field("end_s", pa.float64())])
OBSERVED = pa.struct(
    [
        pa.field("share", pa.float64()),  # of the rows (of text: of the words' tokens), 0 to 1
        pa.field("missing", pa.string()),  # why nothing was observed; empty if something was
        pa.field("gaps", pa.list_(pa.field("element", _SPAN))),  # unobserved, s from the start
    ]
)


def observe(
    manifest: pa.Table, transcripts: pa.Table, features: Mapping[Modality, pa.Table]
) -> pa.Table:
    """Add to a manifest what was observed of each clip and modality.

    Parameters
    ----------
    manifest, transcripts : pa.Table
        As in `contracts.schemas`.
    features : mapping of modality to pa.Table
        Feature tables, or only the columns in `COLUMNS`. Modalities may be left out.

    Returns
    -------
    pa.Table
        The manifest, sorted by clip_id, with the columns `observed_text`, `observed_audio` and
        `observed_vision` of type `OBSERVED`. They are null for clips that are not in the feature
        table. Reasons in `missing` are "no speech" and, without any sound to recognise it in, "no
        transcript"; "silence" and "no audio track"; "no face" and "no picture".
    """
    rows = sorted_rows(manifest)
    table = pa.Table.from_pylist(rows, schema=manifest.schema)
    sources = dict(
        zip(transcripts["clip_id"].to_pylist(), transcripts["source"].to_pylist(), strict=True)
    )
    for modality in MODALITIES:
        if modality not in features:
            continue
        by_clip = {row["clip_id"]: row for row in features[modality].to_pylist()}
        column = [
            _observed(modality, row, by_clip[row["clip_id"]], sources.get(row["clip_id"], "none"))
            if row["clip_id"] in by_clip
            else None
            for row in rows
        ]
        table = table.append_column(f"observed_{modality}", pa.array(column, OBSERVED))
    return table


def summary(observed: pa.Table) -> dict[str, dict[str, Any]]:
    """Summarise a table of `observe` per modality.

    Returns
    -------
    dict
        By modality: `clips`; `share`, the mean over clips of the observed share; `complete`, the
        number of clips without a gap; `missing`, the number of clips in which nothing was observed,
        by reason; `gaps`, their number; and `longest_gap_s`.
    """
    counts: dict[str, dict[str, Any]] = {}
    for modality in MODALITIES:
        column = f"observed_{modality}"
        if column not in observed.column_names:
            continue
        clips = [clip for clip in observed[column].to_pylist() if clip is not None]
        gaps = [gap["end_s"] - gap["start_s"] for clip in clips for gap in clip["gaps"]]
        reasons = Counter(clip["missing"] for clip in clips if clip["missing"])
        counts[modality] = {
            "clips": len(clips),
            "share": round(float(np.mean([clip["share"] for clip in clips])), 4) if clips else 0.0,
            "complete": sum(clip["share"] == 1 for clip in clips),
            "missing": dict(sorted(reasons.items())),
            "gaps": len(gaps),
            "longest_gap_s": round(max(gaps, default=0.0), 2),
        }
    return counts


def gaps(flags: np.ndarray, start_s: float, step_s: float) -> list[dict[str, float]]:
    """Runs of unobserved rows, as start and end in s from the start of the clip.

    Parameters
    ----------
    flags : ndarray, bool [rows]
        Whether each row was observed.
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
    modality: Modality, row: dict[str, Any], features: dict[str, Any], source: str
) -> dict[str, Any]:
    """One clip's `OBSERVED`, from its rows of the manifest and of the feature table."""
    flags = np.array(features["observed"], bool)
    if modality == "text":
        flags = flags[~np.array(features["special"], bool)]
    share = float(flags.mean()) if len(flags) else 0.0
    if modality != "text":
        spans = gaps(flags, features["start_s"], features["step_s"])
    else:  # pauses between words are no gaps: text is missing only if there is no word at all
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
