"""One answer per video, whatever its length."""

from __future__ import annotations

import sys
from typing import NamedTuple

from contracts.printable import printable
from contracts.quarantine import Rejected
from extractors.clips import Clips
from extractors.settings import ExtractorSettings
from extractors.workers.session import Session
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.explaining.reader import Reader
from lnln.prediction import Prediction
from pipeline.timeline.means import as_prediction, mean_of
from pipeline.timeline.recording import by_recording
from pipeline.timeline.scoring import score


class Answers(NamedTuple):
    """Predictions in the order of clip_id, the files that failed, and warnings."""

    predictions: list[Prediction]
    quarantine: list[Rejected]
    warnings: list[str]


def answer(
    videos: Clips,
    model: Checkpoint,
    settings: ExtractorSettings,
    session: Session,
    min_confidence: float = 0.0,
    reader: Reader | None = None,
) -> Answers:
    """Predict the sentiment of videos; of those that are longer than the model reads, the mean.

    Such a recording is cut into utterances, see `pipeline.timeline.scoring.score`, which is said
    on standard error before the work and in a warning of the answer. With a `reader` answers are
    explained, see `lnln.predict`; means are not.
    """
    names = set(videos.manifest["clip_id"].to_pylist())
    scored = score(
        videos, model, settings, session, min_confidence=min_confidence, reader=reader, on_cut=_tell
    )
    if not scored.cut:
        return Answers(scored.predictions, scored.quarantine, scored.warnings)
    config = model.config
    notes = [text for text in (config.notice, config.w_withheld) if text]
    of_recording = by_recording(scored)
    predictions = []
    for row in videos.manifest.to_pylist():
        parts = of_recording.get(row["clip_id"], [])
        if row["clip_id"] not in scored.cut:
            predictions += parts
        elif parts:
            mean = mean_of(row["clip_id"], row["duration_s"], parts)
            predictions.append(as_prediction(mean, row["path"], parts, config.label_range, notes))
    predictions.sort(key=lambda prediction: prediction.clip_id)
    return Answers(predictions, _of_recordings(scored.quarantine, names), scored.warnings)


def _tell(clips: Clips) -> None:
    rows = clips.manifest.select(["clip_id", "recording_id"]).to_pylist()
    cut = [row["recording_id"] for row in rows if row["recording_id"] != row["clip_id"]]
    if cut:
        longer = f"{len(set(cut))} longer than the model reads, cut into {len(cut)} utterances"
        print(f"recordings: {longer}", file=sys.stderr, flush=True)


def _of_recordings(rejected: list[Rejected], names: set[str]) -> list[Rejected]:
    """Failures of utterances as those of their recordings, which say which."""
    told = []
    for row in rejected:
        recording = row.clip_id.rpartition("/")[0]
        if row.clip_id not in names and recording in names:
            reason = f"{row.stage} of the utterance {row.clip_id}: {row.reason}"
            row = row._replace(clip_id=recording, reason=printable(reason))
        told.append(row)
    return told
