"""What a model reached: metrics with their spread over seeds and their intervals over clips."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lnln.evaluation.by_model import ModelAnswers
from lnln.evaluation.curves import SUMS, Curve, Over, curves
from lnln.evaluation.resampling import Units, bootstrap_weights, percentiles, units
from lnln.settings import MetricSet

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One metric of one model, summed up over the missing rate.

    Attributes
    ----------
    model, pattern, metric : str
    over : {"mean", "area", "high"} or float
        See `lnln.evaluation.curves.shares`.
    value : float or None
        Mean over the seeds of training; None if undefined.
    deviation : float or None
        Standard deviation over the seeds; None of a single one.
    low, high : float or None
        Ends of the bootstrap 95 % interval over clips.
    undefined : float
        Share of the resamples in which the metric is undefined; they do not count in the interval.
    seeds, clips : int
        How many there are.
    unit : {"group", "clip"}
        What is drawn as a whole.
    units : int
        How many of them there are.
    """

    model: str
    pattern: str
    metric: str
    over: Over
    value: float | None
    deviation: float | None
    low: float | None
    high: float | None
    undefined: float
    seeds: int
    clips: int
    unit: Literal["group", "clip"]
    units: int


def scores(
    models: Sequence[ModelAnswers],
    metric_set: MetricSet,
    *,
    seed: int,
    resamples: int = 1000,
    over: Sequence[Over] = SUMS,
    metrics: Collection[str] | None = None,
) -> list[Score]:
    """Score models, every one on the same resamples of the clips.

    Parameters
    ----------
    models : sequence of ModelAnswers
    metric_set : {"mosi", "sims"}
    seed : int
        Of the bootstrap.
    resamples : int
        Of the bootstrap; 0 for no intervals (they are None).
    over : sequence of "mean", "area", "high" or float
        How curves are summed up.
    metrics : collection of str, optional
        All of the set if left out.

    Returns
    -------
    list of Score
        By model, metric and `over`, in this order.
    """
    found = []
    for groups, same in groupby(models, lambda model: tuple(model.group)):
        weights = bootstrap_weights(units(groups), resamples, seed)
        for model in same:
            found += score_curves(model, curves(model, weights, metric_set, metrics), over)
    return found


def score_curves(
    model: ModelAnswers, computed: Mapping[str, Curve], over: Sequence[Over] = SUMS
) -> list[Score]:
    """Score one model whose curves on the resamples are computed already; see `scores`."""
    drawn = units(model.group)
    return [
        _score(model, metric, kind, curve.over(kind), drawn)
        for metric, curve in computed.items()
        for kind in over
    ]


def _score(model: ModelAnswers, metric: str, over: Over, values: Values, drawn: Units) -> Score:
    """Sum up [seeds, 1 + resamples]."""
    by_seed, resampled = values[:, 0], values[:, 1:].mean(axis=0)
    low, high = (percentiles(resampled) if drawn.count > 1 else None) or (None, None)
    return Score(
        model=model.name,
        pattern=model.pattern,
        metric=metric,
        over=over,
        value=defined(by_seed.mean()),
        deviation=defined(np.std(by_seed, ddof=1)) if len(by_seed) > 1 else None,
        low=low,
        high=high,
        undefined=float(np.isnan(resampled).mean()) if len(resampled) else 0.0,
        seeds=len(by_seed),
        clips=len(model.label),
        unit=drawn.kind,
        units=drawn.count,
    )


def defined(value: float | np.floating) -> float | None:
    """Return a number, or None for NaN: in tables and JSON undefined values are not numbers."""
    return None if np.isnan(value) else float(value)
