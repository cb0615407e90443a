"""Audio and vision features brought to one scale."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lnln.data.features import FeatureSet, IntArray, ModalityFeatures
from lnln.data.speakers import Moments, by_speaker, prior_rows
from lnln.settings import NormalisedBy

# Deviations below this, in the unit of the feature, are taken for it: a feature that hardly ever
# moves in training must not become a huge number when it does so later.
LEAST_DEVIATION = 1e-3


class Statistics(BaseModel):
    """Mean and deviation of every feature of one modality."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mean: tuple[float, ...]
    deviation: tuple[Annotated[float, Field(gt=0)], ...]

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

    def apply_by_speaker(
        self, modality: ModalityFeatures, speakers: IntArray, prior: float
    ) -> ModalityFeatures:
        """Return z-scores by every speaker's own statistics, shrunk towards these.

        Parameters
        ----------
        modality : ModalityFeatures
        speakers : array, [clips] int64
            Number of the speaker of every clip, from 0.
        prior : float
            Rows of a speaker that weigh as much as these statistics.
        """
        split = Moments(np.array(self.mean), np.array(self.deviation))
        mean, deviation = by_speaker(modality, speakers, split, prior)
        deviation = np.maximum(deviation, LEAST_DEVIATION)
        seen = modality.observed
        of_row = np.repeat(speakers, modality.count(seen))
        values = np.zeros_like(modality.values)
        values[seen] = (modality.values[seen] - mean[of_row]) / deviation[of_row]
        return replace(modality, values=values)


class PriorRows(BaseModel):
    """Rows of a speaker that weigh as much as the training split, see `lnln.data.speakers`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    audio: float = Field(ge=0)
    vision: float = Field(ge=0)


class Normalisation(BaseModel):
    """z-scores: statistics of the training split's observed rows, or of each speaker's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio: Statistics
    vision: Statistics
    prior_rows: PriorRows | None = Field(
        default=None, description="null: by the split's statistics; else by each speaker's own"
    )

    @property
    def by(self) -> NormalisedBy:
        """Whose statistics are used."""
        return "split" if self.prior_rows is None else "speaker"

    @classmethod
    def fit(cls, features: FeatureSet, by: NormalisedBy = "split") -> Self:
        """Fit on the training split."""
        own = PriorRows(audio=prior_rows(features.audio), vision=prior_rows(features.vision))
        return cls(
            audio=Statistics.fit(features.audio),
            vision=Statistics.fit(features.vision),
            prior_rows=own if by == "speaker" else None,
        )

    def apply(self, features: FeatureSet) -> FeatureSet:
        """Return the clips with audio and vision z-scored.

        By speaker, the statistics are those of the rows observed in these clips; a clip counts as
        its own speaker where `groups` does not say whose it is.
        """
        if self.prior_rows is None:
            return replace(
                features,
                audio=self.audio.apply(features.audio),
                vision=self.vision.apply(features.vision),
            )
        names = features.groups or features.clip_ids
        speakers = np.unique(np.array(names, dtype=str), return_inverse=True)[1].astype(np.int64)
        return replace(
            features,
            audio=self.audio.apply_by_speaker(features.audio, speakers, self.prior_rows.audio),
            vision=self.vision.apply_by_speaker(features.vision, speakers, self.prior_rows.vision),
        )


def without_infinities(features: FeatureSet) -> FeatureSet:
    """Return features as they come, but for -inf in audio, which is 0 as in the published code."""
    audio = features.audio.values
    values = np.where(np.isneginf(audio), np.float32(0), audio)
    return replace(features, audio=replace(features.audio, values=values))
