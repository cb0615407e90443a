"""A recording from end to end: words, utterances, and their scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from contracts.quarantine import Rejected
from contracts.schemas import MODALITIES, WORD
from extractors.api import transcribed
from extractors.clips import Clips
from extractors.settings import ExtractorSettings, Unspoken
from extractors.workers.session import Session
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.prediction import Prediction
from pipeline.timeline.means import Mean, mean_of
from pipeline.timeline.scoring import Scored, score

OnProgress = Callable[[str, float, float], None]

_WORDS = pa.list_(pa.field("element", WORD))
TIMELINE = pa.schema(  # one row per utterance, in the order of time; times are of the recording
    [
        pa.field("recording_id", pa.string(), nullable=False),
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),
        ("prediction", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("confidence", pa.float64()),
        ("w", pa.float64()),
        *((f"observed_{m}", pa.float64()) for m in MODALITIES),
        ("text", pa.string()),
        ("text_source", pa.string()),
        ("words", _WORDS),
        ("doubted", _WORDS),  # recognised and not believed: the model did not read them
        ("language", pa.string()),  # what the speech sounds like; empty: not asked
        ("warnings", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True)
class Timeline:
    """Scores over time.

    Attributes
    ----------
    table : pa.Table
        As `TIMELINE`.
    means : list of Mean
        One per recording.
    about : dict
        The model's `label_range`, `interval_level`, `notice`, and why it gives no w.
    quarantine : list of Rejected
        What could not be read.
    warnings : list of str
    clips : Clips
        The utterances and their words, to be scored again with other words: `extract_features` of
        these, in the same session, takes sound and picture from the cache.
    """

    table: pa.Table
    means: list[Mean]
    about: dict[str, Any]
    quarantine: list[Rejected]
    warnings: list[str]
    clips: Clips


def timeline(
    video: str | Path,
    model: Checkpoint,
    session: Session,
    settings: ExtractorSettings | None = None,
    *,
    transcripts: str | Path | None = None,
    unspoken: Unspoken = "clips",
    min_confidence: float = 0.0,
    on_progress: OnProgress | None = None,
) -> Timeline:
    """Score a recording of any length, utterance by utterance.

    Speech is recognised once, in parts; pauses and the longest clip that the model reads decide
    where an utterance ends. Sound and picture are read span by span: memory does not grow with the
    length, unless the model was trained by speaker. What is done of an utterance is in the
    session's cache, so that work that was interrupted goes on where it was, if that cache lasts.

    Parameters
    ----------
    video : str or Path
        A file, or a URL of one. Of a folder, each of its videos gets its own rows.
    model : Checkpoint
    session : Session
        Open; it is used by one call at a time.
    settings : ExtractorSettings, optional
        By default those that the model was trained with.
    transcripts : str or Path, optional
        What is said, see `extractors.extract`.
    unspoken : {"clips", "gaps"}
        What stretches without speech become: utterances that only voice and face tell of, or
        nothing.
    min_confidence : float
        Predictions of less confidence are withheld, 0 to 1.
    on_progress : callable, optional
        Told what is done, how many seconds of video of it, and of how many.

    Raises
    ------
    FileNotFoundError
        There is no video in a folder.
    SetupError
        A model file or system library is missing.
    CheckpointError
        The model does not read features of video.
    """
    settings = settings or ExtractorSettings.model_validate(model.extraction)
    before = session.reporting.by, session.reporting.listener
    session.reporting.by, session.reporting.listener = "seconds", on_progress
    try:
        recordings = transcribed(video, settings, session, transcripts)
        scored = score(
            recordings,
            model,
            settings,
            session,
            unspoken=unspoken,
            whole_s=0.0,
            min_confidence=min_confidence,
        )
    finally:
        session.reporting.by, session.reporting.listener = before
    return as_timeline(scored, means(recordings, scored), model)


def as_timeline(scored: Scored, means: list[Mean], model: Checkpoint) -> Timeline:
    """Put what a model said of utterances together.

    Parameters
    ----------
    scored : Scored
    means : list of Mean
        Of their recordings.
    model : Checkpoint
    """
    config = model.config
    notes = [text for text in (config.notice, config.w_withheld) if text]
    about = {
        "label_range": config.label_range,
        "interval_level": None if config.intervals is None else config.intervals.level,
        "notice": config.notice,
        "w_withheld": config.w_withheld,
    }
    table = to_table(scored, notes)
    return Timeline(table, means, about, scored.quarantine, scored.warnings, scored.clips)


def means(recordings: Clips, scored: Scored) -> list[Mean]:
    """Summarise every recording that has utterances."""
    of_recording = by_recording(scored)
    return [
        mean_of(row["clip_id"], row["duration_s"], of_recording[row["clip_id"]])
        for row in recordings.manifest.to_pylist()
        if row["clip_id"] in of_recording
    ]


def by_recording(scored: Scored) -> dict[str, list[Prediction]]:
    """The predictions of each recording, in the order of time."""
    columns = (scored.clips.manifest[name].to_pylist() for name in ("clip_id", "recording_id"))
    recording_of = dict(zip(*columns, strict=True))
    found: dict[str, list[Prediction]] = {}
    for prediction in scored.predictions:
        found.setdefault(recording_of[prediction.clip_id], []).append(prediction)
    return found


def to_table(scored: Scored, notes: Sequence[str] = ()) -> pa.Table:
    """Predictions as `TIMELINE`; of their warnings those are left out that hold for every one."""
    manifest = {row["clip_id"]: row for row in scored.clips.manifest.to_pylist()}
    words = _column(scored.clips.transcripts, "words")
    doubted = _column(scored.clips.recognition, "doubted")
    rows = []
    for p in scored.predictions:
        clip = manifest[p.clip_id]
        start_s = clip["start_s"] or 0.0
        rows.append(
            {
                "recording_id": clip["recording_id"],
                "clip_id": p.clip_id,
                "start_s": start_s,
                "end_s": start_s + clip["duration_s"],
                **{name: getattr(p, name) for name in _SAME},
                "warnings": [text for text in p.warnings if text not in notes],
                **{f"observed_{m}": p.observed[m] for m in MODALITIES},
                "words": _moved(words.get(p.clip_id, []), start_s),
                "doubted": _moved(doubted.get(p.clip_id, []), start_s),
            }
        )
    return pa.Table.from_pylist(rows, schema=TIMELINE)


_SAME = ("prediction", "low", "high", "confidence", "w", "text", "text_source", "language")


def _column(table: pa.Table, name: str) -> dict[str, list[dict[str, Any]]]:
    return dict(zip(table["clip_id"].to_pylist(), table[name].to_pylist(), strict=True))


def _moved(words: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
    """Words with times of the recording."""
    return [
        word
        | {
            key: None if word[key] is None else round(word[key] + seconds, 3)
            for key in ("start_s", "end_s")
        }
        for word in words
    ]
