"""The more frequent sign of the training labels: no accuracy below its own is of use."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from lnln.data.batches import Layout
from lnln.data.features import FeatureSet
from lnln.models.interface import Estimator, Scores
from lnln.settings import ModelSettings, Shapes


class Majority(Estimator):
    """The median of the labels that have the more frequent sign; a label of 0 has none."""

    needs_masks = False
    value: Tensor

    def __init__(
        self, settings: ModelSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.register_buffer("value", torch.zeros((), dtype=torch.float64))

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say that no clip is looked at."""
        return Layout(shapes, text="none")

    def fit(self, train_sets: Iterable[FeatureSet], valid_sets: Sequence[FeatureSet]) -> None:
        """Count the signs; with as many of one as of the other the positive one is taken."""
        labels = next(iter(train_sets)).known_labels()
        positive, negative = labels[labels > 0], labels[labels < 0]
        majority = negative if len(negative) > len(positive) else positive
        self.value.fill_(float(np.median(majority)) if len(majority) else 0.0)

    def predict(self, features: FeatureSet) -> Scores:
        """Answer the same for every clip."""
        return Scores(np.full(len(features), self.value.item()), None)


MODEL = Majority
