"""How good a model is on the validation split, which is what chooses the epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lnln.checkpoints.intervals import Calibration
from lnln.data.features import FeatureSet
from lnln.evaluation import metrics
from lnln.models.interface import Model
from lnln.settings import MetricSet
from lnln.training.steps import TrainingDiverged


def validate(
    model: Model,
    incomplete_sets: Sequence[FeatureSet],
    metric_set: MetricSet,
    epoch: int,
    gather: Callable[[list[Any]], list[Any]],
) -> metrics.Metrics:
    """Average the metrics of the validation split over its masks.

    `w_mae` and `w_corr` compare w with the truth under all masks together: under those of complete
    clips alone, whose completeness is 1, there is no correlation.
    """
    several, estimates = [], []
    for clips in incomplete_sets:
        scores = model.predict(clips)
        w = np.full(len(clips), np.nan) if scores.w is None else scores.w
        own = np.stack([scores.prediction, w, clips.text.completeness(), clips.known_labels()])
        # Of all processes.
        predictions, w, completeness, labels = np.concatenate(gather([own]), axis=1)
        if not np.isfinite(predictions).all():
            wrong = [clips.clip_ids[i] for i in np.flatnonzero(~np.isfinite(scores.prediction))]
            raise TrainingDiverged(
                f"predictions for the validation split are not finite after epoch {epoch} "
                f"({', '.join(wrong[:5])}): lower learning_rate, or look at these clips' features"
            )
        several.append(metrics.compute(labels, predictions, metric_set))
        if scores.w is not None:
            estimates.append((w, completeness))
    row = metrics.mean(several)
    if estimates:
        w, completeness = np.concatenate(estimates, axis=1)
        row |= {
            "w_mae": float(np.abs(w - completeness).mean()),
            "w_corr": metrics.correlation(w, completeness),
        }
    return row


def calibration(
    model: Model,
    incomplete_sets: Sequence[FeatureSet],
    gather: Callable[[list[Any]], list[Any]],
) -> Calibration:
    """Ask a trained model about the validation split under all of its masks.

    What nothing is left of gets no answer from `lnln.predict`, and is left out here as well.
    """
    rows: list[tuple[str, float, float, float]] = []
    for clips in incomplete_sets:
        columns = (clips.known_labels(), model.predict(clips).prediction, clips.observed_share())
        own = zip(clips.clip_ids, *(column.tolist() for column in columns), strict=True)
        rows += gather([row for row in own if row[-1] > 0])  # of all processes
    names, *numbers = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Calibration(np.array(names, dtype=np.str_), *(np.array(n, float) for n in numbers))
