"""The timeline of a video as files: what `lnln timeline` writes, with the words as they are now."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

from contracts.recordings import UTTERANCES
from extractors.clips import Clips
from lnln.prediction import predict
from pipeline.serve.video.analysis import Analysis
from pipeline.serve.video.sides import Side
from pipeline.timeline.means import mean_of
from pipeline.timeline.recording import Timeline, as_timeline
from pipeline.timeline.scoring import Scored
from pipeline.timeline.writing import write_file

TYPES = {
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
    return as_timeline(scored, [mean_of(names[0], duration_s, predictions)], side.checkpoint)


def written(name: str, analysis: Analysis, side: Side, within: Path) -> bytes:
    """A timeline as a file.

    Parameters
    ----------
    name : str
        One of `TYPES`.
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
