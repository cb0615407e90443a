"""The floors: a constant, the majority, a ridge that has seen the same masks."""

from collections.abc import Callable

import numpy as np
import pytest

from lnln.data.batches import incomplete
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.data.normalisation import Normalisation
from lnln.evaluation.floors import ALPHAS, constant, fit_ridge, pool
from lnln.evaluation.metrics import compute
from lnln.missing.masks import evaluation_masks


@pytest.fixture(scope="module")
def sets(make_set: Callable[..., FeatureSet]) -> list[FeatureSet]:
    made = make_set("train", 60), make_set("valid", 20), make_set("test", 30)
    normalisation = Normalisation.fit(made[0])
    return [normalisation.apply(features) for features in made]


def at(features: FeatureSet, rate: float, language: FrozenLanguageEncoder) -> FeatureSet:
    return incomplete(features, evaluation_masks(features, rate, seed=1, purpose="x"), language)


def test_constant_is_the_median_and_the_majority_of_the_training_labels() -> None:
    train, test = [-2.0, 1.0, 1.0, 1.0, 3.0, 0.0], [1.0, 1.0, -1.0, 2.0, 0.0]
    found = constant(train, test, "mosi")
    assert found["acc7"] == pytest.approx(2 / 5)  # always 1
    assert found["acc2_with_zero"] == pytest.approx(4 / 5)  # always >= 0
    assert found["acc2_without_zero"] == pytest.approx(3 / 4)  # always > 0, the 0 left out
    assert found["f1_without_zero"] == pytest.approx(3 / 4 * 6 / 7)
    assert found["mae"] == pytest.approx((0 + 0 + 2 + 1 + 1) / 5)
    assert found["corr"] is None


def test_constant_and_network_are_judged_by_the_same_metrics() -> None:
    for family in ("mosi", "sims"):
        assert list(constant([0.1, 1], [1, 0.4], family)) == list(compute([1], [1], family))


def test_pool_averages_observed_rows_only(
    sets: list[FeatureSet], language: FrozenLanguageEncoder
) -> None:
    lost = at(sets[2], 0.5, language)
    pooled, present = pool(lost)
    assert pooled.shape == present.shape == (30, 8 + 4 + 3)
    for clip in range(30):
        for name, columns in (("text", slice(0, 8)), ("audio", slice(8, 12))):
            rows = lost.modality(name).rows(clip)
            values = lost.modality(name).values[rows][lost.modality(name).observed[rows]]
            assert present[clip, columns].all() == bool(len(values))
            if len(values):
                assert pooled[clip, columns] == pytest.approx(values.mean(axis=0), abs=1e-5)


def test_missing_modality_is_zeros_after_standardisation(
    sets: list[FeatureSet], language: FrozenLanguageEncoder
) -> None:
    floor = fit_ridge(sets[0], [sets[1]], language=language, seed=1, epochs=2)
    silent = incomplete(
        sets[2],
        evaluation_masks(sets[2], 0.0, seed=1, purpose="x", pattern="no_audio"),
        language,
    )
    standard = floor.standardise(*pool(silent))
    assert not standard[:, 8:12].any()
    assert standard[:, :8].any()


def test_ridge_beats_the_constant_and_gets_worse_with_the_missing_rate(
    sets: list[FeatureSet], language: FrozenLanguageEncoder
) -> None:
    train_set, valid_set, test_set = sets
    floor = fit_ridge(train_set, [at(valid_set, 0.3, language)], language=language, seed=1)
    labels = test_set.known_labels()
    flat = constant(train_set.known_labels(), labels, "mosi")["mae"]
    errors = [
        compute(labels, floor.predict(at(test_set, rate, language)), "mosi")["mae"]
        for rate in (0.0, 0.9)
    ]
    assert errors[0] < errors[1]
    assert errors[0] < 0.6 * flat


def test_alpha_is_chosen_on_the_validation_split(
    sets: list[FeatureSet], language: FrozenLanguageEncoder
) -> None:
    train_set, valid_set, _ = sets
    shuffled = FeatureSet(
        valid_set.clip_ids,
        valid_set.text,
        valid_set.audio,
        valid_set.vision,
        -valid_set.known_labels(),
    )
    usual, contrary = (
        fit_ridge(train_set, [v], language=language, seed=1, epochs=2).ridge.alpha
        for v in (valid_set, shuffled)
    )
    assert usual < contrary == max(ALPHAS)


def test_ridge_repeats_exactly(sets: list[FeatureSet], language: FrozenLanguageEncoder) -> None:
    first, second = (
        fit_ridge(sets[0], [sets[1]], language=language, seed=1, epochs=2).predict(sets[2])
        for _ in range(2)
    )
    assert np.array_equal(first, second)
