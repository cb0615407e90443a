"""The rating of the words that are left, by the language encoder that was tuned on ratings.

No clip teaches it anything: what it says of a corpus is what people's ratings of other sentences
say of its words. A network that reads the same encoder has to be better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lnln.data.features import FeatureSet
from lnln.data.language import RatingHead
from lnln.models.interface import Estimator, Scores
from lnln.settings import ModelSettings, Shapes


class Rated(Estimator):
    """The encoder's linear head on the mean hidden state of the words that are left.

    Attributes
    ----------
    weight : Tensor, [D] float64
    bias : Tensor, scalar float64
        What it says where no word is left.
    """

    needs_masks = False
    weight: Tensor
    bias: Tensor

    def __init__(
        self, settings: ModelSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.register_buffer("weight", torch.zeros(shapes.text_dim, dtype=torch.float64))
        self.register_buffer("bias", torch.full((), torch.nan, dtype=torch.float64))

    def take_head(self, head: RatingHead) -> None:
        """Take the encoder's head; it is all there is."""
        self.weight.copy_(head.weight)
        self.bias.fill_(head.bias)

    def fit(self, train_sets: Iterable[FeatureSet], valid_sets: Sequence[FeatureSet]) -> None:
        """Learn nothing.

        Raises
        ------
        ValueError
            If the language encoder has no head.
        """
        if self.bias.isnan():
            raise ValueError(
                "the language encoder was not tuned on ratings, so that there is no head to answer "
                "with: choose text.model minilm-rated or mpnet-rated"
            )

    def predict(self, features: FeatureSet) -> Scores:
        """Rate the words that are left."""
        text = features.text
        counts = text.count(text.observed)
        rated = text.values.astype(np.float64) @ self.weight.numpy(force=True)  # [rows]
        sums = np.concatenate([[0.0], np.cumsum(np.where(text.observed, rated, 0))])[text.offsets]
        return Scores(np.diff(sums) / np.maximum(counts, 1) + self.bias.item(), None)


MODEL = Rated
