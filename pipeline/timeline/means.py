"""One answer for a recording: the mean over its utterances, weighted by how long they last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.schemas import MODALITIES
from lnln.checkpoints.intervals import confidence
from lnln.prediction import Prediction


@dataclass(frozen=True)
class Mean:
    """What is said of a whole recording.

    Attributes
    ----------
    recording_id : str
    duration_s : float
    scored_s : float
        Of the utterances that have a score.
    utterances, scored : int
        How many there are, and how many have a score.
    prediction : float or None
        Mean of the scores, each weighted by its seconds; None where there is none.
    spread : float or None
        Standard deviation of the scores around it, weighted the same: how much the recording goes
        up and down, which is no error of the mean.
    least, greatest : float or None
        Of the scores.
    """

    recording_id: str
    duration_s: float
    scored_s: float
    utterances: int
    scored: int
    prediction: float | None
    spread: float | None
    least: float | None
    greatest: float | None


def mean_of(recording_id: str, duration_s: float, predictions: Sequence[Prediction]) -> Mean:
    """Summarise the utterances of a recording.

    Parameters
    ----------
    recording_id : str
    duration_s : float
        Of the recording.
    predictions : sequence of Prediction
        Of its utterances, with their `duration_s`.
    """
    scored = [(p.prediction, p.duration_s or 0.0) for p in predictions if p.prediction is not None]
    mean, spread = over_time(scored)
    values = [value for value, _ in scored if mean is not None]
    return Mean(
        recording_id,
        duration_s,
        sum(seconds for _, seconds in scored),
        len(predictions),
        len(scored),
        mean,
        spread,
        min(values, default=None),
        max(values, default=None),
    )


def over_time(scores: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    """Mean and standard deviation of scores, each weighted by its seconds.

    Parameters
    ----------
    scores : sequence of (float, float)
        A score, and how long what it is of lasts, s.

    Returns
    -------
    tuple of float, or None
        None where nothing lasts.
    """
    values, seconds = np.array(scores, float).reshape(-1, 2).T
    if not seconds.sum():
        return None, None
    mean = np.average(values, weights=seconds)
    return float(mean), float(np.sqrt(np.average((values - mean) ** 2, weights=seconds)))


def as_prediction(
    recording: Mean,
    path: str,
    predictions: Sequence[Prediction],
    label_range: tuple[float, float],
    notes: Sequence[str],
) -> Prediction:
    """One prediction for a recording that was cut.

    Its interval is the mean of its utterances' intervals, as wide as if they all erred alike; `w`
    and the observed shares are means, too, all weighted by seconds.

    Parameters
    ----------
    recording : Mean
    path : str
    predictions : sequence of Prediction
        Of the utterances, in the order of time.
    label_range : tuple of float
    notes : sequence of str
        What holds for every answer of the model, to be told of this one, too.
    """
    scored = [p for p in predictions if p.prediction is not None]
    low, high = (_mean([(getattr(p, end), p) for p in scored]) for end in ("low", "high"))
    sure = None if low is None or high is None else float(confidence(low, high, label_range))
    there = {*(p.text_source for p in predictions)} - {"none"}
    return Prediction(
        clip_id=recording.recording_id,
        prediction=recording.prediction,
        low=low,
        high=high,
        confidence=sure,
        w=_mean([(p.w, p) for p in scored]),
        observed={m: _mean([(p.observed[m], p) for p in predictions]) or 0.0 for m in MODALITIES},
        text=" ".join(p.text for p in predictions if p.text),
        text_source=min(there, default="none"),
        doubted=" ".join(p.doubted for p in predictions if p.doubted),
        language=next((p.language for p in predictions if p.language), ""),
        path=path,
        duration_s=recording.duration_s,
        read_s={m: recording.duration_s for m in MODALITIES},
        warnings=[*_said_of(recording), *_counted(predictions, notes), *notes],
    )


def described(recording: Mean) -> str:
    """Say in a line what the mean of a recording is."""
    if recording.prediction is None:
        return f"{recording.recording_id}: no score in {recording.utterances} utterances"
    return (
        f"{recording.recording_id}: {recording.prediction:+.2f}, the mean of {recording.scored} of "
        f"{recording.utterances} utterances over {recording.scored_s:.0f} of "
        f"{recording.duration_s:.0f} s, with a spread of {recording.spread:.2f} "
        f"({recording.least:+.2f} to {recording.greatest:+.2f})"
    )


def _said_of(recording: Mean) -> list[str]:
    said = f"longer than the model reads: cut into {recording.utterances} utterances"
    if recording.prediction is None:
        return [f"{said}, none of which has a score"]
    return [
        f"{said}; this is the mean of {recording.scored} scores over {recording.scored_s:.0f} of "
        f"{recording.duration_s:.0f} s, weighted by seconds, with a spread of "
        f"{recording.spread:.2f} (lnln timeline writes each)"
    ]


def _counted(predictions: Sequence[Prediction], notes: Sequence[str]) -> list[str]:
    """Warnings of utterances, each once, with how many have it."""
    counts: dict[str, int] = {}
    for prediction in predictions:
        for warning in prediction.warnings:
            if warning not in notes and "not believed: " not in warning:
                counts[warning] = counts.get(warning, 0) + 1
    total = len(predictions)
    return [f"in {count} of {total} utterances: {warning}" for warning, count in counts.items()]


def _mean(values: Iterable[tuple[float | None, Prediction]]) -> float | None:
    """Mean of those values that are known, weighted by the seconds of their utterances."""
    known = [(value, p.duration_s or 0.0) for value, p in values if value is not None]
    seconds = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / seconds if seconds else None
