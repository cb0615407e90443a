"""Two models on the same clips: difference, interval, p-value, correction."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import f, permutation_test, ttest_1samp

from lnln.evaluation.by_model import MismatchError, ModelAnswers
from lnln.evaluation.comparison import compare
from lnln.evaluation.metrics import compute
from lnln.evaluation.significance import holm

MakeAnswers = Callable[..., ModelAnswers]


def worse(model: ModelAnswers, by: float, name: str = "worse", seed: int = 5) -> ModelAnswers:
    noise = np.random.default_rng(seed).normal(size=model.prediction.shape)
    return replace(model, name=name, prediction=model.prediction + by * noise)


# Differences and intervals


def test_difference_is_that_of_the_two_scores_and_turns_its_sign(
    make_answers: MakeAnswers,
) -> None:
    a = make_answers(name="a")
    b = worse(a, 2.0, "b")
    there, back = (
        compare(pair, "mosi", seed=1, over=["mean", "area", "high", 0.5], permutations=50)
        for pair in ([a, b], [b, a])
    )
    for one, other in zip(there, back, strict=True):
        assert one.difference == pytest.approx(one.value_a - one.value_b)
        assert one.difference == pytest.approx(-other.difference)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
        assert one.p == other.p
        assert one.low <= one.difference <= one.high < 0
    assert [d.over for d in there] == ["mean", "area", "high", 0.5]


def test_interval_of_one_seed_is_that_of_resampled_differences(make_answers: MakeAnswers) -> None:
    a = make_answers(rates=(0.5,), draws=2)
    b = worse(a, 1.0)
    gaps = (np.abs(a.prediction - a.label) - np.abs(b.prediction - b.label)).mean(axis=(0, 1))
    draws = np.random.Generator(np.random.Philox(2)).integers(0, 40, (300, 40))
    expected = np.quantile(gaps[draws].mean(axis=1), [0.025, 0.975])
    (found,) = compare([a, b], "mosi", seed=2, resamples=300, permutations=10)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert (found.test, found.unit, found.units, found.seeds) == ("permutation", "clip", 40, 1)


def test_seeds_and_clips_are_crossed_as_in_min_f(make_answers: MakeAnswers) -> None:
    """For the MAE, F1 over clips and F2 over seeds are squared t statistics: Clark's formula."""
    a = make_answers(rates=(0.5,), draws=2, seeds=4)
    b = replace(worse(a, 0.8), seeds=(5, 6, 7, 8))
    gaps = (np.abs(a.prediction - a.label) - np.abs(b.prediction - b.label)).mean(axis=1)
    of_clips = ttest_1samp(gaps.mean(axis=0), 0).statistic ** 2
    of_seeds = ttest_1samp(gaps.mean(axis=1), 0).statistic ** 2
    least = 1 / (1 / of_clips + 1 / of_seeds)
    freedom = (of_clips + of_seeds) ** 2 / (of_clips**2 / 3 + of_seeds**2 / 39)
    (found,) = compare([a, b], "mosi", seed=1, resamples=20000)
    assert found.test == "crossed"
    assert found.difference == pytest.approx(gaps.mean())
    assert found.p == pytest.approx(f.sf(least, 1, freedom), rel=0.1)
    half = abs(found.difference) / least**0.5 * f.ppf(0.95, 1, freedom) ** 0.5
    assert found.high - found.low == pytest.approx(2 * half, rel=0.02)
    assert (found.p < 0.05) == (found.high < 0 or found.low > 0)


def test_seeds_that_disagree_widen_the_interval(make_answers: MakeAnswers) -> None:
    a = make_answers(seeds=3)
    b = worse(a, 0.1)
    far = replace(b, prediction=b.prediction + np.array([0.0, 2.0, -2.0])[:, None, None])
    (close,), (wide,) = (compare([a, other], "mosi", seed=1) for other in (b, far))
    assert wide.high - wide.low > 2 * (close.high - close.low)


def test_model_differs_from_itself_by_nothing(make_answers: MakeAnswers) -> None:
    for seeds in (1, 3):
        model = make_answers(seeds=seeds)
        (found,) = compare([model, replace(model, name="twin")], "mosi", seed=1, permutations=99)
        assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


# Permutations


@pytest.mark.parametrize("metric", ["mae", "corr", "f1_with_zero"])
def test_p_is_that_of_all_exchanges_written_out(make_answers: MakeAnswers, metric: str) -> None:
    a = make_answers(clips=7, rates=(0.5,), draws=1)
    b = worse(a, 1.5)

    def gap(exchanged: tuple[bool, ...]) -> float:
        mine = np.where(exchanged, b.prediction[0, 0], a.prediction[0, 0])
        other = np.where(exchanged, a.prediction[0, 0], b.prediction[0, 0])
        first, second = (compute(a.label, x, "mosi")[metric] for x in (mine, other))
        return first - second

    gaps = np.abs([gap(e) for e in itertools.product([False, True], repeat=7)])
    expected = (gaps >= gaps[0] * (1 - 1e-9)).mean()
    (found,) = compare([a, b], "mosi", seed=1, metric=metric, permutations=8000)
    assert found.p == pytest.approx(expected, abs=0.02)


def test_p_of_the_mae_is_scipy_s(make_answers: MakeAnswers) -> None:
    a = make_answers(rates=(0.5,), draws=1)
    b = worse(a, 1.2)
    errors = [np.abs(m.prediction[0, 0] - m.label) for m in (a, b)]
    expected = permutation_test(
        errors,
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        n_resamples=20000,
        rng=1,
    ).pvalue
    (found,) = compare([a, b], "mosi", seed=1, permutations=20000)
    assert found.p == pytest.approx(expected, abs=0.01)


def test_p_is_never_zero_and_groups_are_exchanged_whole(make_answers: MakeAnswers) -> None:
    groups = [f"speaker {i % 10}" for i in range(40)]
    a = make_answers(groups=groups)
    a = replace(a, prediction=np.broadcast_to(a.label, a.prediction.shape).copy())
    b = replace(a, name="b", prediction=a.prediction + 3)
    (found,) = compare([a, b], "mosi", seed=1, permutations=4000)
    assert (found.unit, found.units) == ("group", 10)
    assert found.p == pytest.approx(2 / 2**10, abs=0.003)  # all groups or none
    assert found.p >= 1 / 4001


def test_p_of_a_tie_is_one(make_answers: MakeAnswers) -> None:
    a = make_answers(clips=20, rates=(0.5,), draws=1)
    a.prediction[0, 0] = np.where(np.arange(20) < 10, 1.0, -1.0)
    b = replace(a, name="b", prediction=a.prediction.copy())
    b.prediction[0, 0, [0, 10]] *= -1  # one wrong turned right, one right turned wrong
    a.label[:] = np.where(np.arange(20) < 11, 1.0, -1.0)
    (found,) = compare([a, b], "mosi", seed=1, metric="acc2_with_zero", permutations=200)
    assert found.difference == pytest.approx(0)
    assert found.p == 1


def test_undefined_difference_has_no_p_and_says_in_how_many_resamples(
    make_answers: MakeAnswers,
) -> None:
    for seeds in (1, 2):
        a = make_answers(seeds=seeds)
        b = replace(a, name="constant", prediction=np.full_like(a.prediction, 0.5))
        (found,) = compare([a, b], "mosi", seed=1, metric="corr", permutations=20, resamples=20)
        assert (found.difference, found.low, found.p, found.p_holm) == (None, None, None, None)
        assert (found.value_b, found.undefined, found.comparisons) == (None, 1.0, 0)
        assert found.value_a is not None


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (3, 0.0), (3, 0.08), (5, 0.15)])
def test_models_that_are_alike_are_told_apart_in_about_5_of_100_cases(
    make_answers: MakeAnswers, seeds: int, spread: float
) -> None:
    """`spread`: how far trainings of one model differ; with one seed it could not be told."""
    found = []
    for case in range(400):
        random = np.random.default_rng(case)
        a = make_answers(clips=60, rates=(0.5,), draws=1, seeds=seeds)
        a.label[:] = random.normal(size=60)
        models = [
            replace(
                a,
                name=name,
                prediction=a.label
                + random.normal(size=(seeds, 1, 60))
                * np.exp(random.normal(size=(seeds, 1, 1)) * spread),
            )
            for name in "ab"
        ]
        found += compare(models, "mosi", seed=case, resamples=300, permutations=300)
    significant = np.mean([d.p <= 0.05 for d in found])
    covered = np.mean([d.low <= 0 <= d.high for d in found])
    assert significant <= 0.08
    assert 0.92 <= covered <= 0.99


# Several comparisons


def test_holm_by_hand() -> None:
    # .01 x 4, .02 x 3, .03 x 2 = .06, .04 x 1 -> not below the one before
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0])
    assert holm([0.2]) == [0.2]
    assert holm([]) == []
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([0.02, 0.02]) == pytest.approx([0.04, 0.04])  # ties


def test_correction_is_over_everything_in_one_call(make_answers: MakeAnswers) -> None:
    a = make_answers(name="a")
    models = [a, worse(a, 0.3, "b"), worse(a, 0.3, "c", seed=6)]
    found = compare(models, "mosi", seed=1, over=["mean", 0.5], permutations=200)
    assert [(d.a, d.b) for d in found[::2]] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert {d.comparisons for d in found} == {6}
    assert [d.p_holm for d in found] == holm([d.p for d in found])
    some = compare(models, "mosi", seed=1, pairs=[(0, 1), (0, 2)], permutations=200)
    assert [(d.a, d.b, d.comparisons) for d in some] == [("a", "b", 2), ("a", "c", 2)]


# Refused


def test_other_clips_one_model_and_unknown_metrics_are_refused(make_answers: MakeAnswers) -> None:
    a, short = make_answers(), make_answers(name="short", clips=39)
    with pytest.raises(MismatchError, match="only a has"):
        compare([replace(a, name="a"), short], "mosi", seed=1)
    with pytest.raises(ValueError, match="two models"):
        compare([a], "mosi", seed=1)
    with pytest.raises(ValueError, match="'acc3' is not one of"):
        compare([a, a], "mosi", seed=1, metric="acc3")
