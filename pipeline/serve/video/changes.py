"""What a person leaves out of a video, as rows of features that models do not get to read."""

from __future__ import annotations

import numpy as np

from contracts.schemas import MODALITIES
from lnln.data.features import BoolArray, FeatureSet
from lnln.missing.masks import Kept, evaluation_masks
from pipeline.picture.subject import runs
from pipeline.serve.answers import Change, Stretch, What

_SEED, _PURPOSE = 1, "page"  # of the rows that a missing rate takes


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


def stretches(
    observed: BoolArray, kept: BoolArray, start_s: float, step_s: float, end_s: float
) -> list[Stretch]:
    """Rows of voice or face as stretches: observed, missing, or left out by a person.

    Parameters
    ----------
    observed, kept : array, [rows] bool
    start_s : float
        Of the first row, s from the beginning of the video.
    step_s : float
        Time between rows, s.
    end_s : float
        Of the clip; no stretch ends later.
    """
    names: tuple[What, ...] = ("missing", "observed", "left_out")
    kinds = np.where(~observed, 0, np.where(kept, 1, 2))
    return [
        Stretch(
            start_s=round(start_s + first * step_s, 3),
            end_s=min(round(start_s + last * step_s, 3), end_s),
            what=names[kind],
        )
        for first, last, kind in runs(kinds)
        if round(start_s + first * step_s, 3) < end_s
    ]
