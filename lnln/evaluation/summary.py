"""What a table of predictions says: metrics by condition, their spread and intervals, and w."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from lnln.evaluation import metrics
from lnln.evaluation.by_model import from_slices
from lnln.evaluation.collapse import collapsed_rates, collapses
from lnln.evaluation.confidence import confidences
from lnln.evaluation.curves import Over
from lnln.evaluation.scores import Score, defined, scores
from lnln.evaluation.table import OWN_LABELS, Slice
from lnln.evaluation.weighted import weighted_metrics
from lnln.missing.patterns import ONLY
from lnln.settings import MetricSet

Row = dict[str, Any]
KEYS = ("model", "seed", "pattern", "rate")
SPREAD = ("mae", "corr")  # metrics whose spread stands beside them, in tables over the rates too
OVER_RATES: dict[str, Over] = {
    "mean_over_rates": "mean",
    "area_over_rates": "area",
    "mean_over_high_rates": "high",
}


def by_condition(answers: Iterable[Slice], metric_set: MetricSet) -> list[Row]:
    """Compute the metrics of every model, seed, pattern and rate, means over the draws of masks.

    Parameters
    ----------
    answers : iterable of Slice
        As `lnln.evaluation.table.slices` yields them.
    metric_set : {"mosi", "sims"}

    Returns
    -------
    list of dict
        `KEYS`, every metric, and of models that estimate w: `w` and `completeness`, means over
        clips, and `w_mae` and `w_corr`, w against the true completeness.
    """
    scored = [
        one
        for _, same in groupby(answers, lambda s: (s.model, s.seed, s.label.tobytes()))
        for one in _scored(list(same), metric_set)
    ]
    return [
        dict(zip(KEYS, key, strict=True)) | metrics.mean([row for _, row in draws])
        for key, draws in groupby(scored, lambda one: _key(one[0]))
    ]


def _key(answers: Slice) -> tuple[str, int, str, float]:
    return (answers.model, answers.seed, answers.condition.pattern, answers.condition.rate)


def _scored(
    answers: Sequence[Slice], metric_set: MetricSet
) -> Iterator[tuple[Slice, metrics.Metrics]]:
    """Score answers that have the same labels."""
    labels, once = answers[0].label, np.ones((len(answers[0].label), 1))
    predictions = np.stack([s.prediction[None] for s in answers])
    values = weighted_metrics(labels, predictions, once, metric_set)
    for place, s in enumerate(answers):
        row = {name: defined(value[place, 0, 0]) for name, value in values.items()}
        yield s, row | _estimated(s)


def _estimated(answers: Slice) -> metrics.Metrics:
    """Compare w with the true completeness; nothing of a model that does not estimate it."""
    if np.isnan(answers.w).any():
        return {}
    return {
        "w": float(answers.w.mean()),
        "completeness": float(answers.completeness.mean()),
        "w_mae": float(np.abs(answers.w - answers.completeness).mean()),
        "w_corr": metrics.correlation(answers.w, answers.completeness),
    }


def over_seeds(rows: Iterable[Row]) -> list[Row]:
    """Average the rows of `by_condition` over the training seeds.

    Returns
    -------
    list of dict
        Means under the same names, without `seed`; and `<metric>_deviation`, the standard deviation
        over the seeds of the metrics in `SPREAD`, None for a single seed.
    """
    merged = []
    ordered = sorted(rows, key=lambda r: (r["model"], r["pattern"], r["rate"], r["seed"]))
    for key, same in groupby(ordered, lambda r: (r["model"], r["pattern"], r["rate"])):
        several = [{k: v for k, v in row.items() if k not in KEYS} for row in same]
        merged.append(
            dict(zip(("model", "pattern", "rate"), key, strict=True))
            | metrics.mean(several)
            | {f"{name}_deviation": _deviation([r[name] for r in several]) for name in SPREAD}
        )
    return merged


def results(
    answers: Sequence[Slice],
    scored: Iterable[Row],
    metric_set: MetricSet,
    *,
    pattern: str,
    missing_rate: float,
    rates: Sequence[float],
    seed: int,
    resamples: int = 1000,
) -> Row:
    """Sum up the answers under one pattern of missing data.

    Parameters
    ----------
    answers : sequence of Slice
        As `lnln.evaluation.table.slices` yields them.
    scored : iterable of dict
        What `by_condition` makes of them.
    metric_set : {"mosi", "sims"}
    pattern : str
        Pattern of missing data that is reported.
    missing_rate : float
        Missing rate at which every metric is reported.
    rates : sequence of float
        Rates over which is averaged.
    seed : int
        Of the bootstrap.
    resamples : int
        Of the bootstrap; 0 for no intervals (they are None).

    Returns
    -------
    dict
        `models`: by model the metrics at `missing_rate`, means over draws and seeds, with
        `mae_interval` and `corr_interval`, bootstrap 95 % intervals over clips;
        `mean_over_rates`, `area_over_rates` (under the curve, on the metric's scale) and
        `mean_over_high_rates` (0.5 and more): by model; `intervals` of these three: by model and
        metric the two ends; `undefined`: the same, the share of resamples in which the metric is
        undefined, where there are any; `unit` and `units`: what was drawn as a whole, groups or
        clips, and how many there are; `deviation`, with several seeds: standard deviations over
        them, under the names of `models` and the three; `collapsed`: by model the rates at which
        it answers a constant; `confidence`, with intervals: by model whether they hold as many
        labels as they are to, see `lnln.evaluation.confidence.Confidence`; `majority_of_test`:
        accuracies of the majority class of the test split itself, which no honest model knows.

    Raises
    ------
    MismatchError
        If a model was not asked about the same clips under the same conditions with every seed.
    """
    rows = [row for row in scored if row["pattern"] == pattern]
    at_rate = [row for row in rows if row["rate"] == missing_rate]
    averaged = [
        {"model": model, "seed": seed_} | metrics.mean([_metrics(row) for row in same])
        for (model, seed_), same in groupby(
            (row for row in rows if row["rate"] in rates), lambda r: (r["model"], r["seed"])
        )
    ]
    swept = from_slices(answers, pattern, rates)
    reached = scores(
        swept, metric_set, seed=seed, resamples=resamples, over=tuple(OVER_RATES.values())
    )
    there = scores(
        from_slices(answers, pattern, [missing_rate]),
        metric_set,
        seed=seed,
        resamples=resamples,
        over=["mean"],
        metrics=SPREAD,
    )
    seeds = sorted({row["seed"] for row in rows})
    intervals: dict[str, Row] = {}
    for score in there:
        intervals.setdefault(score.model, {})[f"{score.metric}_interval"] = _interval(score)
    summary: Row = {
        "clips": len(answers[0].label),
        "seeds": seeds,
        "unit": there[0].unit,
        "units": there[0].units,
        "models": {
            model: row | intervals[model] for model, row in _by_model(at_rate, metrics.mean).items()
        },
        **{name: _of(reached, over, lambda s: s.value) for name, over in OVER_RATES.items()},
        "intervals": {name: _of(reached, over, _interval) for name, over in OVER_RATES.items()},
        "undefined": {
            name: _of([s for s in reached if s.undefined], over, lambda s: s.undefined)
            for name, over in OVER_RATES.items()
        },
        "collapsed": collapsed_rates(collapses(swept)),
        "majority_of_test": metrics.majority(answers[0].label, metric_set),
    }
    # Of w and what belongs to it, which is no metric of the answers, there is the mean.
    for model, row in _by_model(averaged, metrics.mean).items():
        summary["mean_over_rates"][model] = row | summary["mean_over_rates"][model]
    if len(seeds) > 1:
        summary["deviation"] = {
            "models": _by_model(at_rate, _deviations),
            **{
                name: _of(reached, over, lambda s: s.deviation) for name, over in OVER_RATES.items()
            },
        }
        for model, row in _by_model(averaged, _deviations).items():
            of_model = summary["deviation"]["mean_over_rates"]
            of_model[model] = row | of_model[model]
    sure = confidences(answers, pattern, rates, seed=seed, resamples=resamples)
    if sure:
        summary["confidence"] = {found.model: found.asdict() for found in sure}
    return summary


def _of(reached: Sequence[Score], over: Over, value: Callable[[Score], Any]) -> dict[str, Row]:
    """Arrange something of the scores by model and metric."""
    arranged: dict[str, Row] = {}
    for score in reached:
        if score.over == over:
            arranged.setdefault(score.model, {})[score.metric] = value(score)
    return arranged


def _interval(score: Score) -> list[float] | None:
    return None if score.low is None or score.high is None else [score.low, score.high]


def by_modality(answers: Sequence[Slice], metric_set: MetricSet) -> dict[str, dict[str, Row]]:
    """Compare predictions with the labels of single modalities.

    Returns
    -------
    dict
        By modality and model: `clips`, those that have a label of the modality and in which it was
        observed, and the metrics of `only`, the predictions from that modality and nothing
        else, and `all`, those from all three. Empty where nobody labelled modalities.
    """
    compared: dict[str, dict[str, Row]] = {}
    complete = {(s.model, s.seed): s for s in answers if s.condition[:2] == ("random", 0.0)}
    for modality, column in OWN_LABELS.items():
        own: dict[str, list[dict[str, metrics.Metrics]]] = {}
        clips = 0
        for single in answers:
            if single.condition[:2] != (ONLY[modality], 0.0):
                continue
            labels = getattr(single, column)
            counted = np.isfinite(labels) & single.observed
            clips = int(counted.sum())
            if not clips:
                continue
            everything = complete[single.model, single.seed]
            own.setdefault(single.model, []).append(
                {
                    name: metrics.compute(labels[counted], s.prediction[counted], metric_set)
                    for name, s in (("only", single), ("all", everything))
                }
            )
        if own:
            compared[modality] = {
                model: {"clips": clips}
                | {name: metrics.mean([run[name] for run in runs]) for name in ("only", "all")}
                for model, runs in own.items()
            }
    return compared


def _metrics(row: Row) -> metrics.Metrics:
    return {name: value for name, value in row.items() if name not in KEYS}


def _by_model(rows: Iterable[Row], how: Any) -> dict[str, Row]:
    ordered = sorted(rows, key=lambda row: row["model"])
    return {
        model: how([_metrics(row) for row in same])
        for model, same in groupby(ordered, lambda row: row["model"])
    }


def _deviations(several: Sequence[metrics.Metrics]) -> metrics.Metrics:
    return {name: _deviation([row[name] for row in several]) for name in several[0]}


def _deviation(values: Sequence[float | None]) -> float | None:
    """Return the standard deviation over seeds; None for a single one, or an undefined value."""
    defined = [value for value in values if value is not None]
    return statistics.stdev(defined) if len(defined) == len(values) > 1 else None
