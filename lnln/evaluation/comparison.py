"""Two models on the same clips: is one better, and could chance alone have made it so?

`lnln.evaluation.significance` says how that is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from lnln.evaluation.by_model import ModelAnswers, check_comparable
from lnln.evaluation.curves import Curve, Over, curves
from lnln.evaluation.metrics import metric_names
from lnln.evaluation.resampling import Units, bootstrap_weights, percentiles, units
from lnln.evaluation.scores import defined
from lnln.evaluation.significance import Tested, Values, crossed, holm, permutation_p, permuted
from lnln.settings import MetricSet


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
        exchanged = None
        if len(a.seeds) == 1:
            exchanged = permuted(a, b, drawn, metric, metric_set, permutations, seed)
        for kind in over:
            values_a, values_b = summed[kind][i], summed[kind][j]
            found.append(_difference(a, b, metric, kind, values_a, values_b, exchanged, drawn))
    corrected = holm([row.p for row in found])
    count = sum(p is not None for p in corrected)
    return [
        replace(row, p_holm=p, comparisons=count) for row, p in zip(found, corrected, strict=True)
    ]


def _difference(
    a: ModelAnswers,
    b: ModelAnswers,
    metric: str,
    over: Over,
    values_a: Values,
    values_b: Values,
    exchanged: Curve | None,
    drawn: Units,
) -> Difference:
    differences = values_a - values_b  # [seeds, 1 + resamples]
    if exchanged is None:
        tested = crossed(differences, drawn)
    else:
        low, high = percentiles(differences[0, 1:]) or (None, None)
        tested = Tested(low, high, permutation_p(exchanged.over(over)[0]))
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
        test="crossed" if exchanged is None else "permutation",
        seeds=len(a.seeds),
        clips=len(a.label),
        unit=drawn.kind,
        units=drawn.count,
    )
