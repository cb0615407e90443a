"""A timeline as files: tables, captions and pictures."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contracts.files import replacing
from contracts.parquet import write_table
from contracts.printable import printable_json
from pipeline.report.tables import failures
from pipeline.timeline.captions import srt, webvtt
from pipeline.timeline.picture import draw
from pipeline.timeline.recording import Timeline

NAMES = tuple(f"timeline.{kind}" for kind in ("csv", "json", "parquet", "vtt", "srt", "png", "svg"))


def write(timeline: Timeline, folder: Path, **about: Any) -> None:
    """Write a timeline in all its forms, `NAMES`, into a folder; see `write_file`."""
    for name in NAMES:
        write_file(timeline, folder / name, **about)


def write_file(timeline: Timeline, path: Path, **about: Any) -> None:
    """Write a timeline in one of its forms.

    Parameters
    ----------
    timeline : Timeline
        Of one recording.
    path : Path
        Its ending, that of one of `NAMES`, says which.
    about : str, float or None
        More to be said in JSON, such as the model's name.
    """
    match path.suffix:
        case ".csv":
            _write_csv(timeline, path)
        case ".parquet":
            write_table(timeline.table, path)
        case ".png" | ".svg":
            draw(timeline, path)
        case kind:
            texts = {".json": lambda of: as_json(of, **about) + "\n", ".vtt": webvtt, ".srt": srt}
            with replacing(path) as temporary:
                temporary.write_text(texts[kind](timeline), "utf-8")


def _write_csv(timeline: Timeline, path: Path) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(map(_flat, timeline.table.to_pylist()))


def as_json(timeline: Timeline, **about: Any) -> str:
    """Everything as one JSON object."""
    return printable_json(
        about
        | timeline.about
        | {
            "means": [asdict(mean) for mean in timeline.means],
            "utterances": timeline.table.to_pylist(),
            "warnings": timeline.warnings,
            "failed": [
                {"clip_id": clip_id, "path": path, "reason": reason}
                for clip_id, path, reason in failures(timeline.quarantine)
            ],
        }
    )


_COLUMNS = (
    *("recording_id", "clip_id", "start_s", "end_s", "prediction", "low", "high", "confidence"),
    *("w", "observed_text", "observed_audio", "observed_vision", "text", "text_source"),
    *("doubted", "language", "warnings"),
)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose lists are texts; times of single words are in the other files."""
    return row | {
        "start_s": round(row["start_s"], 3),
        "end_s": round(row["end_s"], 3),
        "doubted": " ".join(word["word"] for word in row["doubted"]),
        "warnings": "; ".join(row["warnings"]),
    }
