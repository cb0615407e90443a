"""z-scores over the observed rows of the training split."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lnln.data.features import FeatureSet
from lnln.data.normalisation import LEAST_DEVIATION, Normalisation, without_infinities


@pytest.fixture(scope="module")
def clips(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return make_set("train", 10)


def with_audio(clips: FeatureSet, values: np.ndarray) -> FeatureSet:
    return replace(clips, audio=replace(clips.audio, values=values))


def test_observed_rows_have_mean_zero_and_deviation_one(clips: FeatureSet) -> None:
    scored = Normalisation.fit(clips).apply(clips)
    for modality in (scored.audio, scored.vision):
        rows = modality.values[modality.observed]
        assert rows.mean(axis=0) == pytest.approx(0, abs=1e-5)
        assert rows.std(axis=0) == pytest.approx(1, abs=1e-5)


def test_unobserved_rows_become_zeros_and_do_not_move_the_mean(clips: FeatureSet) -> None:
    assert not clips.audio.observed.all()
    spoilt = clips.audio.values.copy()
    spoilt[~clips.audio.observed] = 1e6
    normalisation = Normalisation.fit(with_audio(clips, spoilt))
    assert normalisation == Normalisation.fit(clips)
    scored = normalisation.apply(with_audio(clips, spoilt)).audio
    assert not scored.values[~scored.observed].any()


def test_feature_that_never_moves_stays_small_when_it_does_later(clips: FeatureSet) -> None:
    still = clips.audio.values.copy()
    still[:, 1] = 0.25
    normalisation = Normalisation.fit(with_audio(clips, still))
    assert normalisation.audio.deviation[1] == LEAST_DEVIATION
    moved = still.copy()
    moved[:, 1] += LEAST_DEVIATION
    assert np.abs(normalisation.apply(with_audio(clips, moved)).audio.values[:, 1]).max() < 1.001


def test_statistics_survive_json_exactly(clips: FeatureSet) -> None:
    normalisation = Normalisation.fit(clips)
    assert Normalisation.model_validate_json(normalisation.model_dump_json()) == normalisation


def test_modality_never_observed_in_training_is_zeros(make_set: Callable[..., FeatureSet]) -> None:
    clips = make_set("train", 2, without={f"train/00{i}": ("vision",) for i in range(2)})
    scored = Normalisation.fit(clips).apply(clips)
    assert not scored.vision.values.any()


def test_infinite_audio_is_zero_where_features_are_raw_and_refused_where_they_are_z_scores(
    clips: FeatureSet,
) -> None:
    values = clips.audio.values.copy()
    row = int(np.flatnonzero(clips.audio.observed)[0])
    values[row, 2] = -np.inf
    spoilt = with_audio(clips, values)
    assert without_infinities(spoilt).audio.values[row, 2] == 0
    assert np.isneginf(values[row, 2])  # what was passed is left as it was
    with pytest.raises(ValueError, match="audio feature 'zcr' is infinite"):
        Normalisation.fit(spoilt)
