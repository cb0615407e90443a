"""The median of the training labels, whatever the clip: no model with a greater MAE is of use."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from lnln.data.batches import Layout
from lnln.data.features import FeatureSet
from lnln.models.interface import Estimator, Scores
from lnln.settings import ModelSettings, Shapes


class Constant(Estimator):
    """The constant with the least MAE on the training split."""

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
        """Take the median of the labels."""
        labels = next(iter(train_sets)).known_labels()
        self.value.fill_(float(np.median(labels)))

    def predict(self, features: FeatureSet) -> Scores:
        """Answer the same for every clip."""
        return Scores(np.full(len(features), self.value.item()), None)


MODEL = Constant
