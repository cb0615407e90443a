"""What a table of predictions says: metrics by condition, their spread, intervals, and w."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from lnln.evaluation import metrics
from lnln.evaluation.table import OWN_LABELS, Slice, slices
from lnln.missing.patterns import ONLY
from lnln.settings import MetricSet

Row = dict[str, Any]
KEYS = ("model", "seed", "pattern", "rate")
SPREAD = ("mae", "corr")  # metrics whose deviation over seeds stands in tables over the rates


def by_condition(table: pa.Table, metric_set: MetricSet) -> list[Row]:
    """Compute the metrics of every model, seed, pattern and rate, means over the draws of masks.

    Returns
    -------
    list of dict
        `KEYS`, every metric, and of models that estimate w: `w` and `completeness`, means over
        clips, and `w_mae` and `w_corr`, w against the true completeness.
    """
    rows = []
    for key, draws in groupby(slices(table), _key):
        scored = [_scored(answers, metric_set) for answers in draws]
        rows.append(dict(zip(KEYS, key, strict=True)) | metrics.mean(scored))
    return rows


def _key(answers: Slice) -> tuple[str, int, str, float]:
    return (answers.model, answers.seed, answers.condition.pattern, answers.condition.rate)


def _scored(answers: Slice, metric_set: MetricSet) -> metrics.Metrics:
    row = metrics.compute(answers.label, answers.prediction, metric_set)
    if np.isnan(answers.w).any():
        return row
    return row | {
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
    table: pa.Table,
    metric_set: MetricSet,
    *,
    pattern: str,
    missing_rate: float,
    rates: Sequence[float],
    seed: int,
    resamples: int = 1000,
) -> Row:
    """Sum up a table of predictions.

    Parameters
    ----------
    table : pa.Table
        As `contracts.schemas.PREDICTIONS`.
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
        `mean_over_rates`: by model; `deviation`, with several seeds: standard deviations over them,
        under the names of both; `majority_of_test`: accuracies of the majority class of the test
        split itself, which no honest model knows; `modalities`: see `by_modality`.
    """
    rows = [row for row in by_condition(table, metric_set) if row["pattern"] == pattern]
    at_rate = [row for row in rows if row["rate"] == missing_rate]
    swept = [row for row in rows if row["rate"] in rates]
    answers = list(slices(table))
    compared = [
        s for s in answers if (s.condition.pattern, s.condition.rate) == (pattern, missing_rate)
    ]
    intervals = {
        name: metrics.intervals(
            same[0].label,
            [s.prediction for s in same],
            metric_set,
            seed=seed,
            resamples=resamples,
        )
        for name, same in ((n, list(g)) for n, g in groupby(compared, lambda s: s.model))
    }
    averaged = [
        {"model": model, "seed": seed_} | metrics.mean([_metrics(row) for row in same])
        for (model, seed_), same in groupby(swept, lambda r: (r["model"], r["seed"]))
    ]
    labels = answers[0].label
    majority = metrics.majority(labels, metric_set)
    summary: Row = {
        "clips": len(labels),
        "seeds": sorted({row["seed"] for row in rows}),
        "models": {
            model: row | {f"{name}_interval": ends for name, ends in intervals[model].items()}
            for model, row in _by_model(at_rate, metrics.mean).items()
        },
        "mean_over_rates": _by_model(averaged, metrics.mean),
        "majority_of_test": majority,
    }
    if len(summary["seeds"]) > 1:
        summary["deviation"] = {
            "models": _by_model(at_rate, _deviations),
            "mean_over_rates": _by_model(averaged, _deviations),
        }
    own = by_modality(answers, metric_set)
    return summary | ({"modalities": own} if own else {})


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
