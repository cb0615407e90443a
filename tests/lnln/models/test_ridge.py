"""The ridge: pooled features, what is missing at the mean, the penalty chosen on validation."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.data.normalisation import Normalisation
from lnln.evaluation.metrics import compute
from lnln.missing.dropping import drop
from lnln.missing.masks import Masks, training_masks
from lnln.models.constant.model import Constant
from lnln.models.ridge.model import Ridge, pool
from lnln.models.ridge.settings import RidgeSettings
from lnln.settings import ModelSettings, Shapes

Lose = Callable[..., FeatureSet]
Fit = Callable[..., Ridge]


@pytest.fixture(scope="module")
def sets(make_set: Callable[..., FeatureSet]) -> list[FeatureSet]:
    made = make_set("train", 60), make_set("valid", 20), make_set("test", 30)
    normalisation = Normalisation.fit(made[0])
    return [normalisation.apply(features) for features in made]


@pytest.fixture(scope="module")
def lose(masks_at: Callable[..., Masks], language: FrozenLanguageEncoder) -> Lose:
    return lambda features, rate, **more: drop(features, masks_at(features, rate, **more), language)


@pytest.fixture(scope="module")
def fit(sets: list[FeatureSet], language: FrozenLanguageEncoder, shapes: Shapes) -> Fit:
    def fit(valid_set: FeatureSet, epochs: int = 2, settings: RidgeSettings | None = None) -> Ridge:
        train_sets = (
            drop(sets[0], training_masks(sets[0], seed=1, epoch=epoch)[0], language)
            for epoch in range(1, epochs + 1)
        )
        model = Ridge(settings or RidgeSettings(), shapes)
        model.fit(train_sets, [valid_set])
        return model

    return fit


def test_pool_averages_observed_rows_only(sets: list[FeatureSet], lose: Lose) -> None:
    lost = lose(sets[2], 0.5)
    pooled, present = pool(lost)
    assert pooled.shape == present.shape == (30, 8 + 4 + 3)
    for clip in range(30):
        for name, columns in (
            ("text", slice(0, 8)),
            ("audio", slice(8, 12)),
            ("vision", slice(12, 15)),
        ):
            rows = lost.modality(name).rows(clip)
            values = lost.modality(name).values[rows][lost.modality(name).observed[rows]]
            assert present[clip, columns].all() == bool(len(values))
            if len(values):
                assert pooled[clip, columns] == pytest.approx(values.mean(axis=0), abs=1e-5)


def test_missing_modality_is_at_the_mean(sets: list[FeatureSet], fit: Fit, lose: Lose) -> None:
    model = fit(sets[1])
    standard = model.standardise(*pool(lose(sets[2], 0.0, pattern="no_audio")))
    assert not standard[:, 8:12].any()
    assert standard[:, :8].any() and standard[:, 12:].any()


def test_clip_of_which_nothing_is_left_gets_the_intercept(
    sets: list[FeatureSet], fit: Fit, lose: Lose
) -> None:
    model = fit(sets[1])
    answers = model.predict(lose(sets[2], 1.0)).prediction
    assert answers.tolist() == [model.intercept.item()] * 30


def test_ridge_that_was_not_fitted_answers_0(sets: list[FeatureSet], shapes: Shapes) -> None:
    assert not Ridge(RidgeSettings(), shapes).predict(sets[2]).prediction.any()


def test_coefficients_are_those_of_the_formula(sets: list[FeatureSet], shapes: Shapes) -> None:
    train_set, valid_set, test_set = sets
    model = Ridge(RidgeSettings(alphas=(3.0,)), shapes)
    model.fit([train_set], [valid_set])
    pooled, present = pool(train_set)
    assert present.all()
    mean, deviation = pooled.mean(axis=0), pooled.std(axis=0)
    z, y = (pooled - mean) / deviation, train_set.known_labels().astype(np.float64)
    # (Z'Z + alpha 1)^-1 Z'y; z-scores have mean 0, so that the intercept is the mean label
    weights = np.linalg.solve(z.T @ z + 3.0 * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    expected = (pool(test_set)[0] - mean) / deviation @ weights + y.mean()
    scores = model.predict(test_set)
    assert scores.prediction == pytest.approx(expected, abs=1e-6)
    assert scores.w is None


def test_ridge_beats_the_constant_and_gets_worse_with_the_missing_rate(
    sets: list[FeatureSet], fit: Fit, lose: Lose, shapes: Shapes
) -> None:
    train_set, valid_set, test_set = sets
    model, constant = fit(lose(valid_set, 0.3), epochs=10), Constant(ModelSettings(), shapes)
    constant.fit([train_set], [])

    def error(model: Ridge | Constant, clips: FeatureSet) -> float:
        return float(compute(clips.known_labels(), model.predict(clips).prediction, "mosi")["mae"])

    errors = [error(model, lose(test_set, rate)) for rate in (0.0, 0.9)]
    assert errors[0] < errors[1]
    assert errors[0] < 0.6 * error(constant, test_set)


def test_alpha_is_chosen_on_the_validation_split(sets: list[FeatureSet], fit: Fit) -> None:
    valid_set = sets[1]
    contrary = replace(valid_set, labels=-valid_set.known_labels())
    alphas = RidgeSettings().alphas
    single = {a: fit(valid_set, settings=RidgeSettings(alphas=(a,))).weights for a in alphas}

    def chosen(valid_set: FeatureSet) -> float:
        weights = fit(valid_set).weights
        (alpha,) = (a for a, w in single.items() if w.equal(weights))
        return alpha

    assert chosen(valid_set) < chosen(contrary) == max(alphas)


def test_ridge_repeats_exactly(sets: list[FeatureSet], fit: Fit) -> None:
    first, second = (fit(sets[1]).predict(sets[2]).prediction for _ in range(2))
    assert np.array_equal(first, second)
