"""A metric as a curve over the missing rate, and the single numbers that sum a curve up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lnln.evaluation.by_model import ModelAnswers
from lnln.evaluation.weighted import weighted_metrics
from lnln.settings import MetricSet

Values = NDArray[np.float64]
Over = Literal["mean", "area", "high"] | float

HIGH = 0.5  # the least of the high missing rates
SUMS: tuple[Over, ...] = ("mean", "area", "high")


@dataclass(frozen=True)
class Curve:
    """A metric of one model over the missing rate, a mean over the draws of masks.

    Attributes
    ----------
    model, metric : str
    rates : tuple of float
        Ascending.
    values : array, [seeds, resamples, rates]
        NaN where the metric is undefined, also where it is so in one draw only. The first resample
        is every clip once.
    """

    model: str
    metric: str
    rates: tuple[float, ...]
    values: Values

    def over(self, over: Over) -> Values:
        """Sum the curve up, as `shares` says.

        Returns
        -------
        array, [seeds, resamples]
        """
        weights = shares(self.rates, over)
        if weights is None:
            return np.full(self.values.shape[:-1], np.nan)
        counted = weights > 0
        return self.values[..., counted] @ weights[counted]


def curves(
    model: ModelAnswers,
    weights: Values,
    metric_set: MetricSet,
    metrics: Collection[str] | None = None,
) -> dict[str, Curve]:
    """Compute the curves of a model.

    Parameters
    ----------
    model : ModelAnswers
    weights : array, [clips, resamples]
        Of `lnln.evaluation.resampling.bootstrap_weights`.
    metric_set : {"mosi", "sims"}
    metrics : collection of str, optional
        All of the set if left out.

    Returns
    -------
    dict of str to Curve
        By metric.
    """
    rates, of_condition = model.rates, np.array([rate for rate, _ in model.conditions])
    found = weighted_metrics(model.label, model.prediction, weights, metric_set, metrics)
    return {
        metric: Curve(
            model.name,
            metric,
            rates,
            np.stack([values[:, of_condition == r].mean(axis=1) for r in rates], axis=-1),
        )
        for metric, values in found.items()
    }


def shares(rates: Sequence[float], over: Over) -> Values | None:
    """Return the share of each missing rate in a number that sums up a curve.

    Parameters
    ----------
    rates : sequence of float
        Ascending.
    over : {"mean", "area", "high"} or float
        The mean over the rates; the area under the curve by the trapezoid rule, over the range of
        r, so that it is on the metric's scale; the mean over the rates of `HIGH` and more; or a
        single rate.

    Returns
    -------
    array, [rates] or None
        They add up to 1. None where there is no such number: no area of a single rate, no mean of
        high rates where all are low, no rate that is not among them.
    """
    at = np.asarray(rates, dtype=np.float64)
    if over == "area":
        if len(at) < 2:
            return None
        steps = np.diff(at)
        return (np.append(steps, 0) + np.append(0, steps)) / (2 * np.ptp(at))
    if over == "mean":
        counted = np.ones(len(at), dtype=bool)
    elif over == "high":
        counted = at >= HIGH
    else:
        counted = at == over
    return counted / counted.sum() if counted.any() else None
