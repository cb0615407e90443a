"""A constant answer, which is no model to use but a floor: what a model has to be better than."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lnln.data.features import FeatureSet, FloatArray
from lnln.models.interface import Estimator, Scores
from lnln.settings import ModelSettings, Shapes


class ConstantEstimator(Estimator):
    """The same answer for every clip; a subclass chooses it from the training labels."""

    needs_masks = False
    reads_text = False
    value: Tensor

    def __init__(
        self, settings: ModelSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.register_buffer("value", torch.zeros((), dtype=torch.float64))

    def choose(self, labels: FloatArray) -> float:
        """Return the answer, given the labels of the training split, [clips]."""
        raise NotImplementedError

    def fit(self, train_sets: Iterable[FeatureSet], valid_sets: Sequence[FeatureSet]) -> None:
        """Choose the answer."""
        self.value.fill_(self.choose(next(iter(train_sets)).known_labels()))

    def predict(self, features: FeatureSet) -> Scores:
        """Answer the same for every clip."""
        return Scores(np.full(len(features), self.value.item()), None)
