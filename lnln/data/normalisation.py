"""Audio and vision features brought to one scale."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from lnln.data.features import FeatureSet, ModalityFeatures

# Deviations below this, in the unit of the feature, are taken for it: a feature that hardly ever
# moves in training must not become a huge number when it does so later.
LEAST_DEVIATION = 1e-3


class Statistics(BaseModel):
    """Mean and deviation of every feature of one modality."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def fit(cls, modality: ModalityFeatures) -> Self:
        """Compute them over the observed rows.

        Raises
        ------
        ValueError
            If a value is infinite.
        """
        rows = modality.values[modality.observed].astype(np.float64)
        if not np.isfinite(rows).all():
            column = int(np.argwhere(~np.isfinite(rows))[0, 1])
            raise ValueError(
                f"{modality.info.modality} feature {modality.info.names[column]!r} is infinite in "
                "the training split: extract it anew, or train a model that reads features as "
                "they come, such as LNLN's variant official"
            )
        if not len(rows):
            rows = np.zeros((1, modality.values.shape[1]))
        return cls(
            mean=tuple(rows.mean(axis=0).tolist()),
            deviation=tuple(np.maximum(rows.std(axis=0), LEAST_DEVIATION).tolist()),
        )

    def apply(self, modality: ModalityFeatures) -> ModalityFeatures:
        """Return z-scores; rows that were not observed are zeros."""
        mean, deviation = np.array(self.mean), np.array(self.deviation)
        values = ((modality.values - mean) / deviation).astype(np.float32)
        values[~modality.observed] = 0
        return replace(modality, values=values)


class Normalisation(BaseModel):
    """The z-scores of the variant `paper`: statistics of the training split's observed rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio: Statistics
    vision: Statistics

    @classmethod
    def fit(cls, features: FeatureSet) -> Self:
        """Fit on the training split."""
        return cls(audio=Statistics.fit(features.audio), vision=Statistics.fit(features.vision))

    def apply(self, features: FeatureSet) -> FeatureSet:
        """Return the clips with audio and vision z-scored."""
        return replace(
            features,
            audio=self.audio.apply(features.audio),
            vision=self.vision.apply(features.vision),
        )


def without_infinities(features: FeatureSet) -> FeatureSet:
    """Return features as they come, but for -inf in audio, which is 0 as in the published code."""
    audio = features.audio.values
    values = np.where(np.isneginf(audio), np.float32(0), audio)
    return replace(features, audio=replace(features.audio, values=values))
