"""Audio and vision brought to the scale that a model reads, whatever is missing."""

from __future__ import annotations

from dataclasses import replace

from lnln.data.features import FeatureSet
from lnln.data.normalisation import Normalisation, without_infinities
from lnln.missing.dropping import drop
from lnln.missing.masks import Masks


def scale(
    features: FeatureSet, normalisation: Normalisation | None, masks: Masks | None = None
) -> FeatureSet:
    """Normalise features as a model reads them, with no look at what masks take away.

    Parameters
    ----------
    features : FeatureSet
        As read, all clips of a split: a speaker's statistics are those of all their clips in it.
    normalisation : Normalisation, optional
        None where the model reads features as they come.
    masks : mapping of clip_id to Kept, optional
        Rows that will be dropped. Statistics by speaker are computed without them; those of the
        training split do not depend on them.

    Returns
    -------
    FeatureSet
        Nothing is dropped yet, see `lnln.missing.dropping.drop`; with masks, values of the rows
        that will be are 0 where statistics are by speaker.
    """
    if normalisation is None:
        return without_infinities(features)
    if masks is None or normalisation.by == "split":
        return normalisation.apply(features)
    left = normalisation.apply(drop(features, masks))
    return replace(
        features,
        audio=replace(features.audio, values=left.audio.values),
        vision=replace(features.vision, values=left.vision.values),
    )
