"""Ridge regression on pooled features: the line that a network has to beat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from contracts.schemas import MODALITIES
from lnln.data.features import FeatureSet, ModalityFeatures
from lnln.models.interface import Estimator, Scores
from lnln.models.ridge.settings import RidgeSettings
from lnln.settings import Shapes


class Ridge(Estimator):
    """Ridge regression on the mean of every feature over the observed rows of a clip.

    Attributes
    ----------
    mean, deviation, weights : Tensor, [text + audio + vision features] float64
        Of the pooled features over the clips in which they are present, and their coefficients.
    intercept : Tensor, scalar float64
    """

    mean: Tensor
    deviation: Tensor
    weights: Tensor
    intercept: Tensor

    def __init__(
        self, settings: RidgeSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.alphas = settings.alphas
        width = shapes.text_dim + shapes.audio_dim + shapes.vision_dim
        for name, start in (("mean", 0.0), ("deviation", 1.0), ("weights", 0.0)):
            self.register_buffer(name, torch.full((width,), start, dtype=torch.float64))
        self.register_buffer("intercept", torch.zeros((), dtype=torch.float64))

    def fit(self, train_sets: Iterable[FeatureSet], valid_sets: Sequence[FeatureSet]) -> None:
        """Fit on all training sets together; the penalty is chosen on the validation sets."""
        from sklearn.linear_model import Ridge as Regression  # not needed to predict

        labels: list[NDArray[np.float64]] = []
        drawn = []
        for clips in train_sets:
            drawn.append(pool(clips))
            labels.append(clips.known_labels().astype(np.float64))
        pooled, present = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        count = np.maximum(present.sum(axis=0), 1)
        mean = np.where(present, pooled, 0).sum(axis=0) / count
        variance = np.where(present, (pooled - mean) ** 2, 0).sum(axis=0) / count
        self.mean.copy_(torch.from_numpy(mean))
        self.deviation.copy_(torch.from_numpy(np.where(variance > 1e-12, np.sqrt(variance), 1.0)))
        inputs, label = self.standardise(pooled, present), np.concatenate(labels)
        validation = [(self.standardise(*pool(s)), s.known_labels()) for s in valid_sets]
        fits = [Regression(alpha=alpha).fit(inputs, label) for alpha in self.alphas]
        best = min(
            fits,
            key=lambda f: float(np.mean([np.abs(f.predict(x) - y).mean() for x, y in validation])),
        )
        self.weights.copy_(torch.from_numpy(np.asarray(best.coef_)))
        self.intercept.fill_(float(best.intercept_))

    def predict(self, features: FeatureSet) -> Scores:
        """Predict from incomplete features."""
        inputs = self.standardise(*pool(features))
        return Scores(inputs @ self.weights.numpy(force=True) + self.intercept.item(), None)

    def standardise(
        self, pooled: NDArray[np.float64], present: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return z-scores; what was not there is at the mean."""
        mean, deviation = self.mean.numpy(force=True), self.deviation.numpy(force=True)
        return np.where(present, (pooled - mean) / deviation, 0)


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


MODEL = Ridge
