"""The metrics where every clip has a weight, of many answers under many weights at once.

A resample of clips is a vector of weights: how often each clip was drawn. Accuracy, F1, MAE and
correlation depend on the clips through a few sums, so that the metrics of all answers under all
resamples are a handful of matrix products. The values are those of
`lnln.evaluation.metrics.compute` where each clip is repeated as often as it was drawn; NaN stands
for undefined.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from lnln.evaluation.metrics import Grading, correlation, gradings, metric_names
from lnln.settings import MetricSet

Values = NDArray[np.float64]
Single = NDArray[np.float32]

# A variance this small beside the greatest deviation has lost too many digits as a difference of
# two sums: it is computed once more, clip by clip.
_CANCELLED = 1e-6


def weighted_metrics(
    labels: Values,
    predictions: Values,
    weights: Values,
    metric_set: MetricSet,
    names: Collection[str] | None = None,
) -> dict[str, Values]:
    """Compute the metrics of several answers under several weights of the clips.

    Parameters
    ----------
    labels : array, [clips]
    predictions : array, [..., answers, clips]
        Each [answers, clips] is one matrix product, so that the last digits of its metrics do not
        depend on the others.
    weights : array, [clips, resamples]
        Whole numbers of 0 or more.
    metric_set : {"mosi", "sims"}
    names : collection of str, optional
        Metrics that are computed; all of the set if left out.

    Returns
    -------
    dict of str to array, [..., answers, resamples]
        NaN where a metric is undefined.

    Raises
    ------
    ValueError
        If a name is none of the metric set.
    """
    known = metric_names(metric_set)
    wanted = known if names is None else names
    for name in wanted:
        if name not in known:
            raise ValueError(f"metric {name!r} is not one of {', '.join(known)}")
    if metric_set == "sims":
        labels, predictions = np.clip(labels, -1, 1), np.clip(predictions, -1, 1)
    found: dict[str, Values] = {}
    single = weights.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        for grading in gradings(metric_set):
            if grading.f1 in wanted:
                found |= _two_classes(grading, labels, predictions, single)
            elif grading.accuracy in wanted:
                found[grading.accuracy] = _accuracy(grading, labels, predictions, single)
        if "mae" in wanted:
            found["mae"] = np.abs(predictions - labels) @ weights / weights.sum(axis=0)
        if "corr" in wanted:
            found["corr"] = _correlations(labels, predictions, weights)
    return {name: found[name] for name in known if name in wanted}


def _accuracy(grading: Grading, labels: Values, predictions: Values, weights: Single) -> Values:
    counted = grading.counted(labels)
    right = (grading.classes(predictions) == grading.classes(labels)) & counted
    return _share(_count(right, weights), _count(counted, weights))


def _two_classes(
    grading: Grading, labels: Values, predictions: Values, weights: Single
) -> dict[str, Values]:
    """Accuracy and support-weighted F1 from the four counts of the confusion matrix."""
    counted = grading.counted(labels)
    truth = (grading.classes(labels) == 1) & counted
    answers = (grading.classes(predictions) == 1) & counted
    total, positive = _count(counted, weights), _count(truth, weights)
    answered, both = _count(answers, weights), _count(answers & truth, weights)
    neither = total - positive - answered + both
    # 2 TP / (2 TP + FP + FN); a class that is neither true nor answered has no weight.
    f1_of_positive = 2 * both / np.maximum(positive + answered, 1)
    f1_of_negative = 2 * neither / np.maximum(2 * total - positive - answered, 1)
    f1 = positive * f1_of_positive + (total - positive) * f1_of_negative
    return {
        grading.accuracy: _share(both + neither, total),
        str(grading.f1): _share(f1, total),
    }


def _count(which: NDArray[np.bool_], weights: Single) -> Values:
    """Sum the weights of the clips that are marked.

    In single precision, in which whole numbers up to 2^24 are exact: half the time.
    """
    return (which.astype(np.float32) @ weights).astype(np.float64)


def _share(part: Values, total: Values) -> Values:
    return np.where(total > 0, part / total, np.nan)


def _correlations(labels: Values, predictions: Values, weights: Values) -> Values:
    """Pearson's correlation from weighted moments about the unweighted means."""
    x, y = predictions - predictions.mean(axis=-1, keepdims=True), labels - labels.mean()
    total = weights.sum(axis=0)
    sum_x, sum_y = x @ weights, y @ weights
    variance_x = (x**2) @ weights - sum_x**2 / total
    variance_y = (y**2) @ weights - sum_y**2 / total
    covariance = (x * y) @ weights - sum_x * sum_y / total
    found = np.clip(covariance / np.sqrt(variance_x * variance_y), -1, 1)

    doubtful_x = variance_x <= _CANCELLED * total * np.square(x).max(axis=-1, keepdims=True)
    doubtful_y = variance_y <= _CANCELLED * total * np.square(y).max()
    undefined = np.zeros(found.shape, dtype=bool)
    undefined[np.ptp(predictions, axis=-1) == 0] = True
    undefined[..., doubtful_y] |= _constant(labels, weights[:, doubtful_y])
    doubtful = (doubtful_x | doubtful_y) & ~undefined
    for place in zip(*np.nonzero(doubtful.any(axis=-1)), strict=True):
        own = doubtful[place]
        undefined[place][own] |= _constant(predictions[place], weights[:, own])
    for at in zip(*np.nonzero(doubtful & ~undefined), strict=True):
        *answer, sample = at
        times = weights[:, sample].astype(np.int64)
        exact = correlation(np.repeat(predictions[*answer], times), np.repeat(labels, times))
        found[at] = np.nan if exact is None else exact
    return np.where(undefined, np.nan, found)


def _constant(values: Values, weights: Values) -> NDArray[np.bool_]:
    """Whether the clips that have a weight all have the same value, for every resample."""
    there = weights > 0
    highest = np.where(there, values[:, None], -np.inf).max(axis=0)
    return highest == np.where(there, values[:, None], np.inf).min(axis=0)
