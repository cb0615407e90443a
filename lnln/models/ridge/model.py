"""Floors: what a result has to beat before it means anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import Ridge
from tqdm import tqdm

from contracts.schemas import MODALITIES
from lnln.data.batches import incomplete
from lnln.data.features import FeatureSet, ModalityFeatures
from lnln.data.language import LanguageEncoder
from lnln.evaluation import metrics
from lnln.missing.masks import training_masks

ALPHAS = tuple(float(10.0**e) for e in np.arange(-1, 6.5, 0.5))


def constant(
    fitted_on: ArrayLike, judged_on: ArrayLike, metric_set: metrics.MetricSet
) -> metrics.Metrics:
    """Judge what is best said without looking at a clip.

    Per accuracy and F1 the majority class, for the MAE the median, of the labels it is fitted on;
    the correlation is undefined. Fitted on the training split it is a predictor; fitted on the
    test split it is the majority class that accuracies are often compared with.
    """
    fitted = np.asarray(fitted_on, dtype=np.float64)
    judged = np.asarray(judged_on, dtype=np.float64)
    found: metrics.Metrics = {}
    for grading in metrics.gradings(metric_set):
        classes = grading.classes(fitted[grading.counted(fitted)])
        values, counts = np.unique(classes, return_counts=True)
        majority = values[counts.argmax()] if len(values) else 0
        found |= metrics.grade(grading, judged, np.full(len(judged), majority))
    said = np.full(len(judged), np.median(fitted))
    regression = metrics.compute(judged, said, metric_set)
    return found | {"mae": regression["mae"], "corr": None}


@dataclass(frozen=True)
class RidgeFloor:
    """Ridge regression on the mean of every feature over the observed rows of a clip."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    ridge: Ridge

    def predict(self, features: FeatureSet) -> NDArray[np.float64]:
        """Predict from incomplete features, [clips]."""
        pooled, present = pool(features)
        return np.asarray(self.ridge.predict(self.standardise(pooled, present)))

    def standardise(
        self, pooled: NDArray[np.float64], present: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return z-scores; what was not there is at the mean."""
        return np.where(present, (pooled - self.mean) / self.deviation, 0)


def pool(features: FeatureSet) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Average the observed rows of every clip.

    Returns
    -------
    pooled : array, [clips, text + audio + vision features]
    present : array of the same shape, bool
        False for a modality of which nothing was observed.
    """
    means, present = [], []
    for modality in MODALITIES:
        rows: ModalityFeatures = features.modality(modality)
        counts = rows.count(rows.observed)
        values = np.where(rows.observed[:, None], rows.values, 0).astype(np.float64)
        sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        means.append(np.diff(sums[rows.offsets], axis=0) / np.maximum(counts, 1)[:, None])
        present.append(np.broadcast_to((counts > 0)[:, None], means[-1].shape))
    return np.concatenate(means, axis=1), np.concatenate(present, axis=1)


def fit_ridge(
    train_set: FeatureSet,
    valid_sets: Sequence[FeatureSet],
    *,
    language: LanguageEncoder,
    seed: int,
    epochs: int = 10,
) -> RidgeFloor:
    """Fit the ridge on the masks the network was trained with.

    Parameters
    ----------
    train_set : FeatureSet
        Normalised, complete.
    valid_sets : sequence of FeatureSet
        The validation split, incomplete; the ridge's alpha has the least MAE over all of them.
    language : LanguageEncoder
        Encodes the masked sentences.
    seed : int
        Of the training run.
    epochs : int
        Over how many epochs' masks it is fitted.
    """
    drawn = [
        pool(incomplete(train_set, training_masks(train_set, seed=seed, epoch=e)[0], language))
        for e in tqdm(range(1, epochs + 1), desc="ridge", unit="epoch", disable=None)
    ]
    pooled, present = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    labels = np.tile(train_set.known_labels().astype(np.float64), epochs)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, pooled, 0).sum(axis=0) / count
    variance = np.where(present, (pooled - mean) ** 2, 0).sum(axis=0) / count
    deviation = np.where(variance > 1e-12, np.sqrt(variance), 1.0)

    def error(floor: RidgeFloor) -> float:
        return float(
            np.mean([np.abs(floor.predict(s) - s.known_labels()).mean() for s in valid_sets])
        )

    standard = np.where(present, (pooled - mean) / deviation, 0)
    candidates = [
        RidgeFloor(mean, deviation, Ridge(alpha=alpha).fit(standard, labels)) for alpha in ALPHAS
    ]
    return min(candidates, key=error)
