"""A speaker's statistics never see a row that masks take away."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lnln.data.features import FeatureSet
from lnln.data.normalisation import Normalisation
from lnln.missing.dropping import drop
from lnln.missing.masks import Masks
from lnln.missing.scaling import scale


@pytest.fixture(scope="module")
def spoken(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return replace(make_set("test", 6), groups=("a", "b") * 3)


def test_lost_rows_change_nothing(spoken: FeatureSet, masks_at: Callable[..., Masks]) -> None:
    normalisation, masks = Normalisation.fit(spoken, "speaker"), masks_at(spoken, 0.5)
    kept = np.concatenate([masks[c].audio for c in spoken.clip_ids])
    values = spoken.audio.values.copy()
    values[~kept] = 1e6
    other = replace(spoken, audio=replace(spoken.audio, values=values))
    first, second = (drop(scale(s, normalisation, masks), masks) for s in (spoken, other))
    assert np.array_equal(first.audio.values, second.audio.values)
    complete = drop(scale(spoken, normalisation), masks)  # which has seen what is lost
    assert not np.array_equal(first.audio.values, complete.audio.values)


def test_all_clips_of_a_speaker_count_also_where_one_loses_everything(
    spoken: FeatureSet, masks_at: Callable[..., Masks]
) -> None:
    normalisation = Normalisation.fit(spoken, "speaker")
    masks = dict(masks_at(spoken, 0.0))
    masks[spoken.clip_ids[2]] = masks_at(spoken, 1.0)[spoken.clip_ids[2]]
    found = scale(spoken, normalisation, masks)
    without = normalisation.apply(spoken.take([0, 1, 3, 4, 5]))
    rows = found.audio.rows(0)
    assert found.audio.values[rows] == pytest.approx(without.audio.values[rows], abs=1e-6)


def test_over_the_split_masks_change_nothing(
    spoken: FeatureSet, masks_at: Callable[..., Masks]
) -> None:
    normalisation = Normalisation.fit(spoken)
    plain, masked = scale(spoken, normalisation), scale(spoken, normalisation, masks_at(spoken))
    assert np.array_equal(plain.audio.values, masked.audio.values)
    assert plain.text is masked.text


def test_only_values_change(spoken: FeatureSet, masks_at: Callable[..., Masks]) -> None:
    scaled = scale(spoken, Normalisation.fit(spoken, "speaker"), masks_at(spoken))
    assert scaled.text is spoken.text
    assert np.array_equal(scaled.vision.observed, spoken.vision.observed)
