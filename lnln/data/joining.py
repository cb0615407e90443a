"""Clips of several sets as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from lnln.data.features import FeatureSet, ModalityFeatures, TextFeatures

Rows = TypeVar("Rows", bound=ModalityFeatures)


def join(sets: Sequence[FeatureSet]) -> FeatureSet:
    """Put the clips of several sets one after another.

    Parameters
    ----------
    sets : sequence of FeatureSet
        At least one, of the same features. Where the hidden states of one are not known, those of
        none are in the result. What describes the features is that of the first.
    """
    known = [clips.labels for clips in sets if clips.labels is not None]
    return FeatureSet(
        tuple(clip_id for clips in sets for clip_id in clips.clip_ids),
        _joined([clips.text for clips in sets]),
        _joined([clips.audio for clips in sets]),
        _joined([clips.vision for clips in sets]),
        np.concatenate(known) if len(known) == len(sets) else None,
    )


def _joined(several: Sequence[Rows]) -> Rows:
    first = several[0]
    if isinstance(first, TextFeatures) and len({each.values.shape[1] for each in several}) > 1:
        several = [
            replace(each, values=np.empty((len(each.values), 0), np.float32)) for each in several
        ]
    columns: dict[str, Any] = {
        column.name: np.concatenate([getattr(each, column.name) for each in several])
        for column in fields(first)
        if column.name not in ("info", "offsets")
    }
    counts = np.concatenate([each.counts for each in several])
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return replace(first, offsets=offsets, **columns)
