"""The timeline of a video as files: what `lnln timeline` writes, with the words as they are now."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

from contracts.recordings import UTTERANCES
from extractors.clips import Clips
from lnln.prediction import predict
from pipeline.serve.analysis import Analysis
from pipeline.serve.sides import Side
from pipeline.timeline.means import mean_of
from pipeline.timeline.recording import Timeline, to_table
from pipeline.timeline.scoring import Scored
from pipeline.timeline.writing import write_file

KINDS = {
    "timeline.csv": "text/csv",
    "timeline.json": "application/json",
    "timeline.parquet": "application/octet-stream",
    "timeline.vtt": "text/vtt",
    "timeline.srt": "application/x-subrip",
    "timeline.png": "image/png",
    "timeline.svg": "image/svg+xml",
}


def timeline_of(analysis: Analysis, side: Side) -> Timeline:
    """What a model says of a video, clip after clip.

    Parameters
    ----------
    analysis : Analysis
    side : Side
    """
    features, _ = analysis.of(side)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        predictions = predict(features, side.checkpoint)
    manifest = features.manifest.select(UTTERANCES.names)
    names = manifest["recording_id"].to_pylist()
    clips = Clips(manifest, features.transcripts, features.recognition, [], [])
    scored = Scored(clips, set(names), predictions, [], analysis.warnings)
    duration_s = max(end for _, end in analysis.times())
    config = side.checkpoint.config
    notes = [text for text in (config.notice, config.w_withheld) if text]
    return Timeline(
        to_table(scored, notes),
        [mean_of(names[0], duration_s, predictions)],
        {
            "label_range": config.label_range,
            "interval_level": None if config.intervals is None else config.intervals.level,
            "notice": config.notice,
            "w_withheld": config.w_withheld,
        },
        [],
        analysis.warnings,
        clips,
    )


def written(name: str, analysis: Analysis, side: Side, within: Path) -> bytes:
    """A timeline as a file; one thread at a time may draw it, since matplotlib is for one.

    Parameters
    ----------
    name : str
        One of `KINDS`.
    analysis : Analysis
    side : Side
        The model that is asked.
    within : Path
        Folder for files that are deleted at once.
    """
    with tempfile.TemporaryDirectory(dir=within) as folder:
        path = Path(folder) / name
        write_file(timeline_of(analysis, side), path, model=side.name)
        return path.read_bytes()
