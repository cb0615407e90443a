"""How predictions are judged: the metrics of the two metric sets, MOSI/MOSEI's and SIMS's.

Labels become classes in several ways; each way gives an accuracy and, for two classes, a
support-weighted F1. Accuracies and F1 are fractions, 0 to 1. A metric that is not defined, such
as the correlation with a constant, is None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lnln.settings import MetricSet

Values = NDArray[np.float64]
Classes = NDArray[np.int64]
Metrics = dict[str, float | None]

LOWER_IS_BETTER = frozenset({"mae"})


class Grading(NamedTuple):
    """One way to make classes of labels.

    Attributes
    ----------
    accuracy : str
        The metric's name.
    f1 : str or None
        The name of the F1 that goes with it.
    classes : callable
        From labels, and from predictions, to classes.
    counted : callable
        From labels to those clips that are graded at all.
    """

    accuracy: str
    f1: str | None
    classes: Callable[[Values], Classes]
    counted: Callable[[Values], NDArray[np.bool_]]


def _rounded(limit: int) -> Callable[[Values], Classes]:
    """Clip to -limit .. limit and round half to even, as numpy does and the field with it."""
    return lambda values: np.round(np.clip(values, -limit, limit)).astype(np.int64)


def _binned(*edges: float) -> Callable[[Values], Classes]:
    """Cut at edges; a value on an edge belongs below it.

    In single precision, that of the labels: 0.1 has to lie on the edge 0.1.
    """
    single = np.array(edges, dtype=np.float32)
    return lambda values: np.digitize(values.astype(np.float32), single, right=True).astype(
        np.int64
    )


def _all(labels: Values) -> NDArray[np.bool_]:
    return np.ones(len(labels), dtype=bool)


GRADINGS: dict[MetricSet, tuple[Grading, ...]] = {
    "mosi": (
        Grading("acc7", None, _rounded(3), _all),
        Grading("acc5", None, _rounded(2), _all),
        Grading("acc2_with_zero", "f1_with_zero", lambda v: (v >= 0).astype(np.int64), _all),
        Grading(
            "acc2_without_zero",
            "f1_without_zero",
            lambda v: (v > 0).astype(np.int64),
            lambda labels: labels != 0,
        ),
    ),
    "sims": (
        Grading("acc5", None, _binned(-0.7, -0.1, 0.1, 0.7), _all),
        Grading("acc3", None, _binned(-0.1, 0.1), _all),
        Grading("acc2", "f1", _binned(0.0), _all),
    ),
}


def gradings(metric_set: MetricSet) -> tuple[Grading, ...]:
    """Return the gradings of a metric set.

    Raises
    ------
    ValueError
        If there is no such metric set.
    """
    if metric_set not in GRADINGS:
        raise ValueError(f"metric set {metric_set!r} is not one of {', '.join(GRADINGS)}")
    return GRADINGS[metric_set]


def metric_names(metric_set: MetricSet) -> list[str]:
    """Return the names of a metric set's metrics, in the order in which they are reported."""
    accuracies = [n for g in gradings(metric_set) for n in (g.accuracy, g.f1) if n]
    return [*accuracies, "mae", "corr"]


def compute(labels: ArrayLike, predictions: ArrayLike, metric_set: MetricSet) -> Metrics:
    """Compute every metric of a metric set.

    Parameters
    ----------
    labels, predictions : array, [clips]
    metric_set : str
        "mosi" (also MOSEI) or "sims", whose labels and predictions are clipped to -1 .. 1 first.

    Raises
    ------
    ValueError
        If there are no clips, or other numbers of labels and predictions, or one is not finite.
    """
    truth, predicted = _checked(labels, predictions)
    if metric_set == "sims":
        truth, predicted = np.clip(truth, -1, 1), np.clip(predicted, -1, 1)
    metrics: Metrics = {}
    for grading in gradings(metric_set):
        metrics |= grade(grading, truth, grading.classes(predicted))
    return metrics | {
        "mae": float(np.abs(truth - predicted).mean()),
        "corr": correlation(truth, predicted),
    }


def grade(grading: Grading, truth: Values, predicted: Classes) -> Metrics:
    """Compute the accuracy of predicted classes, and the F1 if it has one."""
    counted = grading.counted(truth)
    classes, predicted = grading.classes(truth[counted]), predicted[counted]
    graded: Metrics = {
        grading.accuracy: float((classes == predicted).mean()) if len(classes) else None
    }
    if grading.f1:
        from sklearn.metrics import f1_score  # takes a second to import

        # Truth first: swapped, as in published code, the weights are those of the predictions.
        graded[grading.f1] = (
            float(f1_score(classes, predicted, average="weighted", zero_division=0))
            if len(classes)
            else None
        )
    return graded


def majority(labels: ArrayLike, metric_set: MetricSet) -> Metrics:
    """Grade the answer that is the most frequent class of these labels themselves.

    Accuracies are often compared with it. No model can know it: it is read off the labels that it
    is judged on.
    """
    truth = np.asarray(labels, dtype=np.float64)
    graded: Metrics = {}
    for grading in gradings(metric_set):
        classes, counts = np.unique(
            grading.classes(truth[grading.counted(truth)]), return_counts=True
        )
        answer = classes[counts.argmax()] if len(classes) else 0
        graded |= grade(grading, truth, np.full(len(truth), answer))
    return graded


def correlation(a: Values, b: Values) -> float | None:
    """Pearson's correlation; None where one of the two is constant."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    coefficient = float(np.corrcoef(a, b)[0, 1])
    return coefficient if np.isfinite(coefficient) else None


def mean(several: list[Metrics]) -> Metrics:
    """Average metrics over runs; a metric that one of them lacks is None."""
    averaged: Metrics = {}
    for name in several[0]:
        values = [metrics[name] for metrics in several]
        defined = [v for v in values if v is not None]
        averaged[name] = float(np.mean(defined)) if len(defined) == len(values) else None
    return averaged


def better(name: str, a: float | None, b: float | None) -> bool:
    """Say whether `a` is strictly the better value of a metric; None is the worst."""
    if a is None or b is None:
        return a is not None and b is None
    return a < b if name in LOWER_IS_BETTER else a > b


def _checked(labels: ArrayLike, predictions: ArrayLike) -> tuple[Values, Values]:
    truth = np.asarray(labels, dtype=np.float64)
    predicted = np.asarray(predictions, dtype=np.float64)
    if truth.shape != predicted.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(
            f"labels of shape {truth.shape} and predictions of shape {predicted.shape}: give one "
            "of each per clip, and at least one clip"
        )
    if not (np.isfinite(truth).all() and np.isfinite(predicted).all()):
        raise ValueError("a label or a prediction is not a finite number")
    return truth, predicted
