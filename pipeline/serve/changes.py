"""What a person leaves out of a video, as rows of features that models do not get to read."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.schemas import MODALITIES, Modality
from lnln.data.features import BoolArray, FeatureSet
from lnln.missing.masks import Kept, evaluation_masks

What = Literal["observed", "missing", "left_out"]

_SEED, _PURPOSE = 1, "page"  # of the rows that a missing rate takes


class Span(BaseModel):
    """A stretch of time that is left out."""

    model_config = ConfigDict(extra="forbid")

    start_s: float = Field(
        ge=0, allow_inf_nan=False, description="s from the beginning of the video"
    )
    end_s: float = Field(ge=0, allow_inf_nan=False)
    modalities: list[Modality] = Field(default=list(MODALITIES), description="what is left out")

    @model_validator(mode="after")
    def _begins_first(self) -> Span:
        if not self.start_s < self.end_s:
            raise ValueError("start_s is not before end_s")
        return self


class Change(BaseModel):
    """What is left out."""

    model_config = ConfigDict(extra="forbid")

    without: list[Modality] = Field(default=[], description="modalities left out as a whole")
    spans: list[Span] = Field(default=[], max_length=50)
    missing_rate: float = Field(
        default=0.0, ge=0, le=1, description="share of the rows of each modality left out by chance"
    )

    @property
    def anything(self) -> bool:
        """Whether it changes anything at all."""
        return bool(self.without or self.spans or self.missing_rate)


def masks_under(change: Change, clips: FeatureSet, starts: list[float]) -> dict[str, Kept]:
    """Which rows of each clip are kept.

    Parameters
    ----------
    change : Change
    clips : FeatureSet
        With times from the beginning of each clip, cut to what a model reads or not.
    starts : list of float
        Where each clip begins in the video, s.

    Returns
    -------
    dict of str to Kept
        Rows that are kept at a greater missing rate are among those kept at a smaller one. Words
        without times stay, whatever stretches are left out.
    """
    drawn = evaluation_masks(clips, change.missing_rate, seed=_SEED, purpose=_PURPOSE)
    masks = {}
    for i, clip_id in enumerate(clips.clip_ids):
        kept = drawn[clip_id]._asdict()
        for modality in MODALITIES:
            features = clips.modality(modality)
            rows = features.rows(i)
            lost = np.full(rows.stop - rows.start, modality in change.without)
            times = features.times[rows] + starts[i]
            for span in change.spans:
                if modality in span.modalities:
                    lost |= (times >= span.start_s) & (times < span.end_s)
            if modality == "text":
                lost &= ~clips.text.special[rows]
            kept[modality] = kept[modality] & ~lost
        masks[clip_id] = Kept(**kept)
    return masks


def runs(
    observed: BoolArray, kept: BoolArray, start_s: float, step_s: float
) -> list[tuple[float, float, What]]:
    """Rows of voice or face as stretches: observed, missing, or left out by a person.

    Returns
    -------
    list of (start, end, what)
        s from the beginning of the video; what is "observed", "missing" or "left_out".
    """
    kinds = np.where(~observed, 0, np.where(kept, 1, 2))
    names: tuple[What, ...] = ("missing", "observed", "left_out")
    edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    return [
        (round(start_s + a * step_s, 3), round(start_s + b * step_s, 3), names[kinds[a]])
        for a, b in itertools.pairwise(edges)
        if b > a
    ]
