"""Curves, the numbers that sum them up, their spread over seeds and their intervals over clips."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import bootstrap

from lnln.evaluation.by_model import ModelAnswers
from lnln.evaluation.curves import curves, shares
from lnln.evaluation.metrics import compute, metric_names
from lnln.evaluation.resampling import bootstrap_weights, units
from lnln.evaluation.scores import Score, scores

MakeAnswers = Callable[..., ModelAnswers]
RATES = (0.0, 0.25, 0.5, 0.9)


def only(found: list[Score], **what: object) -> Score:
    (score,) = [s for s in found if all(getattr(s, k) == v for k, v in what.items())]
    return score


# Summing up a curve


def test_shares_add_up_and_the_area_is_the_trapezoid_rule_over_the_range() -> None:
    curve = np.array([1.0, 3.0, 2.0, 7.0])
    for over in ("mean", "area", "high", 0.25):
        assert shares(RATES, over).sum() == pytest.approx(1)
    assert curve @ shares(RATES, "mean") == pytest.approx(13 / 4)
    # 0.25 (1 + 3) / 2 + 0.25 (3 + 2) / 2 + 0.4 (2 + 7) / 2 = 2.925, over 0.9
    assert curve @ shares(RATES, "area") == pytest.approx(2.925 / 0.9)
    assert curve @ shares(RATES, "high") == pytest.approx(4.5)
    assert curve @ shares(RATES, 0.25) == 3.0


@pytest.mark.parametrize(("rates", "over"), [((0.5,), "area"), ((0.0, 0.4), "high"), (RATES, 0.3)])
def test_what_a_curve_does_not_have_is_undefined(rates: tuple[float, ...], over: object) -> None:
    assert shares(rates, over) is None


def test_curve_is_the_mean_over_draws_of_the_metrics(make_answers: MakeAnswers) -> None:
    model = make_answers(seeds=2, rates=RATES, draws=3)
    found = curves(model, np.ones((len(model.label), 1)), "mosi")
    assert list(found) == metric_names("mosi")
    for metric, curve in found.items():
        assert (curve.rates, curve.values.shape) == (RATES, (2, 1, 4))
        for seed, (place, rate) in [(s, r) for s in range(2) for r in enumerate(RATES)]:
            draws = [i for i, (r, _) in enumerate(model.conditions) if r == rate]
            expected = [
                compute(model.label, model.prediction[seed, i], "mosi")[metric] for i in draws
            ]
            assert curve.values[seed, 0, place] == pytest.approx(np.mean(expected))


def test_undefined_rate_leaves_the_others_their_values(make_answers: MakeAnswers) -> None:
    model = make_answers(rates=RATES)
    model.prediction[0, model.conditions.index((0.9, 0))] = 0.7  # one draw answers a constant
    over = {
        kind: only(scores([model], "mosi", seed=1, resamples=20, over=[kind]), metric="corr")
        for kind in ("mean", "high", 0.25)
    }
    assert over["mean"].value is None and over["mean"].undefined == 1.0
    assert over["high"].low is None
    assert over[0.25].value is not None and over[0.25].undefined == 0.0


# Scores


def test_values_are_means_over_seeds_with_their_standard_deviation(
    make_answers: MakeAnswers,
) -> None:
    model = make_answers(seeds=3, rates=RATES)
    found = only(scores([model], "mosi", seed=1, resamples=10), metric="mae", over="mean")
    draws_of = {r: [i for i, (q, _) in enumerate(model.conditions) if q == r] for r in RATES}
    by_seed = [
        np.mean(
            [
                np.mean([np.abs(of[i] - model.label).mean() for i in places])
                for places in draws_of.values()
            ]
        )
        for of in model.prediction
    ]
    assert found.value == pytest.approx(np.mean(by_seed))
    assert found.deviation == pytest.approx(np.std(by_seed, ddof=1))
    assert (found.seeds, found.clips, found.unit, found.units) == (3, 40, "clip", 40)


def test_single_seed_has_no_deviation_and_no_resamples_no_interval(
    make_answers: MakeAnswers,
) -> None:
    for score in scores([make_answers()], "mosi", seed=1, resamples=0):
        assert (score.deviation, score.low, score.high, score.undefined) == (None, None, None, 0)
        assert score.value is not None


@pytest.mark.parametrize("metric", ["mae", "corr", "acc7", "f1_without_zero"])
def test_interval_is_scipy_s_on_the_same_resamples(make_answers: MakeAnswers, metric: str) -> None:
    model = make_answers(seeds=2, rates=(0.0, 0.5), draws=2)

    def statistic(places: np.ndarray) -> float:
        def at(rate: float) -> float:
            draws = [i for i, (r, _) in enumerate(model.conditions) if r == rate]
            return np.mean(
                [
                    compute(model.label[places], seed[i][places], "mosi")[metric]
                    for seed in model.prediction
                    for i in draws
                ]
            )

        return (at(0.0) + at(0.5)) / 2

    expected = bootstrap(
        (np.arange(40),),
        statistic,
        n_resamples=50,
        vectorized=False,
        method="percentile",
        rng=np.random.Generator(np.random.Philox(7)),
    ).confidence_interval
    found = scores([model], "mosi", seed=7, resamples=50, over=["mean"], metrics=[metric])
    assert (found[0].low, found[0].high) == pytest.approx(tuple(expected))


def test_interval_of_grouped_clips_is_that_of_whole_groups(make_answers: MakeAnswers) -> None:
    groups = [f"speaker {i // 3:02d}" for i in range(36)]
    model = make_answers(clips=36, groups=groups, rates=(0.5,), draws=1)
    errors = np.abs(model.prediction[0, 0] - model.label).reshape(12, 3)
    draws = np.random.Generator(np.random.Philox(3)).integers(0, 12, (400, 12))
    resampled = [errors[row].mean() for row in draws]
    (found,) = scores([model], "mosi", seed=3, resamples=400, over=["mean"], metrics=["mae"])
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])))
    assert (found.unit, found.units) == ("group", 12)


def test_share_of_undefined_resamples_is_told_and_they_do_not_count(
    make_answers: MakeAnswers,
) -> None:
    model = make_answers(clips=5, rates=(0.5,), draws=1)
    model.label[:] = [-2, -1, 0, 1, 2]
    model.prediction[0, 0] = [1, 0, 0, 0, 0]  # without the first clip, a constant
    (found,) = scores([model], "mosi", seed=1, resamples=2000, over=["mean"], metrics=["corr"])
    weights = bootstrap_weights(units(list(model.group)), 2000, 1)[:, 1:]
    assert found.undefined == ((weights[0] == 0) | (weights[0] == 5)).mean()
    assert found.undefined == pytest.approx(0.8**5, abs=0.05)
    assert found.low is not None and -1 <= found.low <= found.high <= 1


def test_single_clip_has_a_value_and_no_interval(make_answers: MakeAnswers) -> None:
    with warnings.catch_warnings(action="error"):
        found = scores([make_answers(clips=1)], "mosi", seed=1, resamples=10)
    mae = only(found, metric="mae", over="mean")
    assert mae.value is not None and mae.low is None
    assert only(found, metric="corr", over="mean").value is None


def test_models_are_scored_on_the_same_resamples_and_repeatably(make_answers: MakeAnswers) -> None:
    one, other = make_answers(), make_answers(name="other")
    first = scores([one, other], "mosi", seed=1, resamples=30)
    assert first == scores([one, other], "mosi", seed=1, resamples=30)
    assert [s.low for s in first[: len(first) // 2]] == [s.low for s in first[len(first) // 2 :]]
    assert first != scores([one, other], "mosi", seed=2, resamples=30)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["mae", "corr", "acc2_with_zero"])
def test_interval_covers_the_truth_in_about_95_of_100_cases(
    make_answers: MakeAnswers, metric: str
) -> None:
    """Clips of 30 groups with effects of their own; the truth is that of very many groups."""

    def simulated(groups: int, seed: int) -> ModelAnswers:
        random = np.random.default_rng(seed)
        of_group = random.normal(size=(groups, 1))
        labels = (of_group + random.normal(size=(groups, 5))).ravel()
        names = np.repeat([f"{i:05d}" for i in range(groups)], 5).tolist()
        model = make_answers(clips=len(labels), groups=names, rates=(0.5,), draws=1)
        model.label[:] = labels
        bias = np.repeat(random.normal(size=groups), 5)
        model.prediction[0, 0] = 0.5 * labels + bias + random.normal(size=len(labels))
        return model

    def scored(model: ModelAnswers, resamples: int) -> Score:
        (found,) = scores(
            [model], "mosi", seed=1, resamples=resamples, over=["mean"], metrics=[metric]
        )
        return found

    truth = scored(simulated(10000, seed=0), 0).value
    covered = [
        found.low <= truth <= found.high
        for found in (scored(simulated(30, seed), 300) for seed in range(1, 601))
    ]
    assert 0.91 <= np.mean(covered) <= 0.98
