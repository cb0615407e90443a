"""Two models on the same clips: is one better, and could chance alone have made it so?

With one seed of training, the p-value is that of a paired permutation test: if the two models were
alike, it would not matter which of them gave which of the two answers to a group of clips (Noreen,
"Computer-Intensive Methods for Testing Hypotheses", 1989; Yeh, "More accurate tests for the
statistical significance of result differences", COLING 2000). It holds for any metric, and tells
about these two trained models, on other clips.

With several seeds it tells about training, too: clips and seeds are two crossed random factors.
The squares of both standard errors are added, that of the clips by a paired bootstrap, that of the
seeds from the difference of every pair of seeds; t has the degrees of freedom of Clark's min F'
("The language-as-fixed-effect fallacy", Journal of Verbal Learning and Verbal Behavior 12, 1973,
p. 347), and the interval belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from lnln.evaluation.by_model import ModelAnswers, check_comparable
from lnln.evaluation.curves import Curve, Over, curves
from lnln.evaluation.metrics import metric_names
from lnln.evaluation.resampling import (
    CONFIDENCE,
    Units,
    bootstrap_weights,
    exchanges,
    percentiles,
    units,
)
from lnln.evaluation.scores import defined
from lnln.settings import MetricSet

Values = NDArray[np.float64]

_AT_ONCE = 1000  # permutations


@dataclass(frozen=True)
class Difference:
    """What lies between two models in one metric: that of `a` minus that of `b`.

    Attributes
    ----------
    a, b, pattern, metric : str
    over : {"mean", "area", "high"} or float
        See `lnln.evaluation.curves.shares`.
    value_a, value_b, difference : float or None
        Means over the seeds; None if undefined.
    low, high : float or None
        Ends of the paired 95 % interval.
    undefined : float
        Share of the resamples in which the difference is undefined; they do not count.
    p : float or None
        Two-sided; None where there is no difference to test.
    p_holm : float or None
        `p` after Holm's correction over everything that was compared in one call.
    comparisons : int
        How many that were.
    test : {"permutation", "crossed"}
        A permutation of clips with one seed; clips and seeds crossed with several.
    seeds, clips : int
    unit : {"group", "clip"}
        What is drawn, and exchanged, as a whole.
    units : int
    """

    a: str
    b: str
    pattern: str
    metric: str
    over: Over
    value_a: float | None
    value_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    undefined: float
    p: float | None
    p_holm: float | None
    comparisons: int
    test: Literal["permutation", "crossed"]
    seeds: int
    clips: int
    unit: Literal["group", "clip"]
    units: int


class _Found(NamedTuple):
    low: float | None
    high: float | None
    p: float | None


def compare(
    models: Sequence[ModelAnswers],
    metric_set: MetricSet,
    *,
    seed: int,
    metric: str = "mae",
    over: Sequence[Over] = ("mean",),
    pairs: Sequence[tuple[int, int]] | None = None,
    resamples: int = 1000,
    permutations: int = 10000,
) -> list[Difference]:
    """Compare models in pairs, on the same resamples of the clips.

    Seeds are paired by position: the lowest of one model with the lowest of the other.

    Parameters
    ----------
    models : sequence of ModelAnswers
        Two or more.
    metric_set : {"mosi", "sims"}
    seed : int
        Of resamples and permutations.
    metric : str
    over : sequence of "mean", "area", "high" or float
        How curves are summed up.
    pairs : sequence of (int, int), optional
        Places of the models that are compared; every pair if left out.
    resamples, permutations : int
        How many.

    Returns
    -------
    list of Difference
        By pair and `over`, in this order.

    Raises
    ------
    MismatchError
        If clips, labels, conditions or the number of seeds differ; the message says which.
    ValueError
        If the metric is none of the set, or there are fewer than two models.
    """
    if metric not in metric_names(metric_set):
        raise ValueError(f"metric {metric!r} is not one of {', '.join(metric_names(metric_set))}")
    if len(models) < 2:
        raise ValueError("a comparison takes two models or more")
    check_comparable(models)
    weights = bootstrap_weights(units(models[0].group), resamples, seed)
    of = [curves(model, weights, metric_set, [metric])[metric] for model in models]
    return compare_curves(
        models, of, metric_set, seed=seed, over=over, pairs=pairs, permutations=permutations
    )


def compare_curves(
    models: Sequence[ModelAnswers],
    computed: Sequence[Curve],
    metric_set: MetricSet,
    *,
    seed: int,
    over: Sequence[Over] = ("mean",),
    pairs: Sequence[tuple[int, int]] | None = None,
    permutations: int = 10000,
) -> list[Difference]:
    """Compare models whose curves of one metric, on the same resamples, are computed already.

    See `compare`; that the models are comparable is for the caller to check.
    """
    drawn, metric = units(models[0].group), computed[0].metric
    summed = {kind: [curve.over(kind) for curve in computed] for kind in over}
    found = []
    for i, j in combinations(range(len(models)), 2) if pairs is None else pairs:
        a, b = models[i], models[j]
        permuted = None
        if len(a.seeds) == 1:
            permuted = _permuted(a, b, drawn, metric, metric_set, permutations, seed)
        for kind in over:
            values_a, values_b = summed[kind][i], summed[kind][j]
            found.append(_difference(a, b, metric, kind, values_a, values_b, permuted, drawn))
    corrected = holm([row.p for row in found])
    count = sum(p is not None for p in corrected)
    return [
        replace(row, p_holm=p, comparisons=count) for row, p in zip(found, corrected, strict=True)
    ]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for their number, as Holm does.

    The smallest is multiplied by their number m, the next by m - 1, ..., and none is less than one
    before it (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6, 1979). What was not tested, None, does not count.
    """
    corrected: list[float | None] = [None] * len(p_values)
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    highest = 0.0
    for rank, (p, place) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        corrected[place] = highest
    return corrected


def _difference(
    a: ModelAnswers,
    b: ModelAnswers,
    metric: str,
    over: Over,
    values_a: Values,
    values_b: Values,
    permuted: Curve | None,
    drawn: Units,
) -> Difference:
    differences = values_a - values_b  # [seeds, 1 + resamples]
    if permuted is None:
        tested = _crossed(differences, drawn)
    else:
        low, high = percentiles(differences[0, 1:]) or (None, None)
        tested = _Found(low, high, _permutation_p(permuted.over(over)[0]))
    return Difference(
        a=a.name,
        b=b.name,
        pattern=a.pattern,
        metric=metric,
        over=over,
        value_a=defined(values_a[:, 0].mean()),
        value_b=defined(values_b[:, 0].mean()),
        difference=defined(differences[:, 0].mean()),
        **tested._asdict(),
        undefined=float(np.isnan(differences[:, 1:].mean(axis=0)).mean()),
        p_holm=None,
        comparisons=0,
        test="crossed" if permuted is None else "permutation",
        seeds=len(a.seeds),
        clips=len(a.label),
        unit=drawn.kind,
        units=drawn.count,
    )


def _crossed(differences: Values, drawn: Units) -> _Found:
    """Interval and p-value of [seeds, 1 + resamples] where clips and seeds are both random."""
    by_seed, resampled = differences[:, 0], differences[:, 1:].mean(axis=0)
    resampled = resampled[~np.isnan(resampled)]
    mean, seeds, count = float(by_seed.mean()), len(by_seed), drawn.count
    if np.isnan(mean) or len(resampled) < 2 or count < 2:
        return _Found(None, None, None)
    # The bootstrap's variance is that of a sample about its own mean: (n - 1) / n of the true one.
    of_clips = float(np.var(resampled, ddof=1)) * count / (count - 1)
    of_seeds = float(np.var(by_seed, ddof=1)) / seeds
    both = of_clips + of_seeds
    if both == 0:
        return _Found(mean, mean, 1.0 if mean == 0 else 2.0 ** (1 - count))
    freedom = both**2 / (of_clips**2 / (count - 1) + of_seeds**2 / (seeds - 1))
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * both**0.5
    p = 2 * float(stdtr(freedom, -abs(mean) / both**0.5))  # Student's t
    return _Found(mean - half, mean + half, max(p, 2.0 ** (1 - count)))


def _permuted(
    a: ModelAnswers,
    b: ModelAnswers,
    drawn: Units,
    metric: str,
    metric_set: MetricSet,
    permutations: int,
    seed: int,
) -> Curve:
    """Compute the curve of the difference after each exchange of answers, the first being none.

    The answers of both models stand side by side, as if each clip were two, of which either the
    one or the other has weight 1 and its twin 0.
    """
    both = replace(
        a,
        label=np.concatenate([a.label, a.label]),
        prediction=np.concatenate([a.prediction, b.prediction], axis=-1),
    )
    exchanged = exchanges(drawn, permutations, seed)
    parts = []
    for start in range(0, exchanged.shape[1], _AT_ONCE):
        part = exchanged[:, start : start + _AT_ONCE].astype(np.float64)
        mine, other = (
            curves(both, np.concatenate(weights), metric_set, [metric])[metric]
            for weights in ((1 - part, part), (part, 1 - part))
        )
        parts.append(mine.values - other.values)
    return Curve(a.name, metric, a.rates, np.concatenate(parts, axis=1))


def _permutation_p(permuted: Values) -> float | None:
    """Two-sided p-value: the share of exchanges that part the models as much as they are parted.

    What is observed counts as one of them, so that p is never 0 (Phipson and Smyth,
    "Permutation P-values should never be zero", 2010). An exchange that leaves the metric
    undefined counts as one of them, too.
    """
    observed, exchanged = abs(permuted[0]), np.abs(permuted[1:])
    if np.isnan(observed):
        return None
    least = observed * (1 - 1e-9)  # sums of other orders differ in their last digits
    return float((1 + (~(exchanged < least)).sum()) / (1 + len(exchanged)))
