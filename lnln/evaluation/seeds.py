"""Networks that differ in nothing but the seed: the mean of what they do, and its spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lnln.evaluation.judging import Evaluation, Row

SPREAD = ("mae", "corr")  # metrics whose deviation stands in the table over the rates


def over_seeds(evaluations: Mapping[int, Evaluation]) -> Evaluation:
    """Average evaluations of the same test split.

    Parameters
    ----------
    evaluations : mapping of int to Evaluation
        By the seed of training, of which the network and the ridge's training masks depend.

    Returns
    -------
    Evaluation
        `metrics` has the means over the seeds, `seeds`, and with several of them `deviation`,
        standard deviations under the same names; an interval's ends are averaged. `by_rate` has
        `mae_deviation` and `corr_deviation`, None for one seed, and with several so have the
        network's answers in `modalities`. `predictions` has those of every network, with their
        `seed`. What a seed lacks, such as the correlation of a constant, is None.
    """
    several = list(evaluations.values())
    metrics = _merged([e.metrics for e in several], statistics.fmean) | {"seeds": list(evaluations)}
    if len(several) > 1:
        spread = _merged([e.metrics for e in several], statistics.stdev)
        metrics["deviation"] = {
            "lnln": {k: v for k, v in spread["lnln"].items() if not k.endswith("_interval")},
            "ridge": spread["floors"]["ridge"],
            "mean_over_rates": {k: spread["mean_over_rates"][k] for k in ("lnln", "ridge")},
        }
        for modality, found in spread.get("modalities", {}).items():
            for answer in ("alone", "all"):
                metrics["modalities"][modality][answer] |= {
                    f"{name}_deviation": found[answer][name] for name in SPREAD
                }
    by_rate: list[Row] = []
    for rows in zip(*(e.by_rate for e in several), strict=True):
        spread = _merged(rows, statistics.stdev) if len(rows) > 1 else {}
        deviations = {f"{name}_deviation": spread.get(name) for name in SPREAD}
        by_rate.append(_merged(rows, statistics.fmean) | deviations)
    return Evaluation(
        metrics=metrics,
        by_rate=by_rate,
        completeness=[
            _merged(rows, statistics.fmean)
            for rows in zip(*(e.completeness for e in several), strict=True)
        ],
        predictions=[
            {"seed": seed} | row for seed, e in evaluations.items() for row in e.predictions
        ],
    )


def _merged(values: Sequence[Any], how: Callable[[Sequence[float]], float]) -> Any:
    """Merge plain values of the same form, number by number; text has to be the same in all."""
    first = values[0]
    if isinstance(first, Mapping):
        return {key: _merged([value[key] for value in values], how) for key in first}
    if isinstance(first, list):
        return [_merged(items, how) for items in zip(*values, strict=True)]
    if any(value is None for value in values):
        return None
    if isinstance(first, str) or (how is statistics.fmean and all(v == first for v in values)):
        return first  # also an integer, such as the number of clips, stays one
    return how(values)
