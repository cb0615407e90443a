"""Clips and recordings scored by a model, whatever their length."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

from contracts.quarantine import Rejected
from extractors.api import extract_features, extract_parts
from extractors.clips import Clips
from extractors.recordings.segmenting import segment
from extractors.settings import ExtractorSettings, Unspoken
from extractors.workers.session import Session
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.explaining.reader import Reader
from lnln.prediction import Prediction, predict
from pipeline.timeline.limits import limits_of

_AT_ONCE = 64  # utterances whose features are in memory


class Scored(NamedTuple):
    """What a model says of clips and of the utterances of recordings.

    Attributes
    ----------
    clips : Clips
        What was scored: of recordings, their utterances.
    cut : set of str
        Recordings that were cut, by their clip_id.
    predictions : list of Prediction
        In the order of clip_id.
    quarantine : list of Rejected
    warnings : list of str
    """

    clips: Clips
    cut: set[str]
    predictions: list[Prediction]
    quarantine: list[Rejected]
    warnings: list[str]


def score(
    recordings: Clips,
    model: Checkpoint,
    settings: ExtractorSettings,
    session: Session,
    *,
    unspoken: Unspoken = "clips",
    whole_s: float | None = None,
    min_confidence: float = 0.0,
    reader: Reader | None = None,
    on_cut: Callable[[Clips], None] | None = None,
) -> Scored:
    """Score recordings, cut into utterances.

    Parameters
    ----------
    recordings : Clips
        With their words, from `extractors.api.transcribed`.
    model : Checkpoint
    settings : ExtractorSettings
        Those that the model was trained with.
    session : Session
        What its workers make of an utterance is kept in its cache: in one that lasts, work that
        was interrupted goes on from there. It counts by seconds of video from here on, where
        something was cut.
    unspoken : {"clips", "gaps"}
        What stretches without speech become, see `extractors.recordings.cutting.cut`.
    whole_s : float, optional
        Recordings that last no longer are scored as they are; by default those that the model reads
        whole.
    min_confidence : float
        Predictions of less confidence are withheld, 0 to 1.
    reader : Reader, optional
        With it those of clips that were not cut are explained, see `lnln.predict`.
    on_cut : callable, optional
        Called with the utterances before they are extracted.
    """
    longest = limits_of(*model.lengths, settings.vision.fps)
    whole = recordings.manifest["clip_id"].to_pylist()
    clips = segment(recordings, longest, unspoken, session, whole_s)
    cut = set(whole) - set(clips.manifest["clip_id"].to_pylist())
    cut -= {row.clip_id for row in clips.quarantine}
    if cut:
        session.reporting.by = "seconds"
    if on_cut is not None:
        on_cut(clips)
    if cut and not model.by_speaker:
        parts = extract_parts(clips, settings, session, _AT_ONCE)
    else:  # a speaker's own mean is over all of the speaker's clips
        parts = iter([extract_features(clips, settings, session)])
    predictions: list[Prediction] = []
    rejected: list[Rejected] = []
    told: list[str] = []
    for features in parts:
        rejected += features.quarantine
        told += features.warnings
        if features.manifest.num_rows:
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                predictions += predict(
                    features, model, min_confidence, reader=reader, explained=set(whole)
                )
    return Scored(clips, cut, predictions, rejected, told)
