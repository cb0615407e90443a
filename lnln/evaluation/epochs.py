"""What it would be worth to choose the epoch on the test split, one per metric: the field's habit.

Such a value is wrong as a result: the best of many epochs on the very clips that it is judged on
is better than that model is on any others. It is computed to tell how much of a published figure
may be due to it, and nothing is ever chosen by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.schemas import PREDICTIONS
from lnln.evaluation.by_model import ModelAnswers, by_model
from lnln.evaluation.curves import curves
from lnln.evaluation.metrics import better, mean
from lnln.evaluation.scores import defined
from lnln.evaluation.table import completed
from lnln.settings import MetricSet

# Predictions for the test split after every epoch of training.
EPOCH_PREDICTIONS = pa.schema(
    [
        *PREDICTIONS,
        pa.field("epoch", pa.int32(), nullable=False),  # from 1
        pa.field("chosen", pa.bool_(), nullable=False),  # on the validation split, one per seed
    ]
)
WRONG = "chosen on test (wrong)"  # how tables and figures call it


@dataclass(frozen=True)
class WrongChoice:
    """One metric of one training, a mean over the missing rates.

    Attributes
    ----------
    model : str
    seed : int or None
        Of training; None for the mean over the seeds.
    pattern, metric : str
    value : float or None
        Of the epoch that was chosen on the validation split: the result.
    epoch : int or None
        That epoch; None for a mean.
    wrong_value : float or None
        Of the epoch that is best on the test split by this metric: no result.
    wrong_epoch : int or None
        That epoch, the first of several; None for a mean, or where the metric is never defined.
    gain : float or None
        `wrong_value` minus `value`, what the habit is worth.
    """

    model: str
    seed: int | None
    pattern: str
    metric: str
    value: float | None
    epoch: int | None
    wrong_value: float | None
    wrong_epoch: int | None
    gain: float | None


def if_chosen_on_test(
    table: pa.Table, metric_set: MetricSet, pattern: str, rates: list[float] | None = None
) -> list[WrongChoice]:
    """Compare the epoch chosen on validation with the best on test, metric by metric.

    Parameters
    ----------
    table : pa.Table
        As `EPOCH_PREDICTIONS`.
    metric_set : {"mosi", "sims"}
    pattern : str
        Pattern of missing data.
    rates : list of float, optional
        Missing rates over which is averaged; all if left out.

    Returns
    -------
    list of WrongChoice
        By model and metric, its seeds and then their mean.

    Raises
    ------
    ValueError
        If the table has other columns, or of a training not exactly one epoch was chosen.
    """
    table = completed(table, EPOCH_PREDICTIONS)
    if table.schema.names != EPOCH_PREDICTIONS.names:
        lacking = [name for name in EPOCH_PREDICTIONS.names if name not in table.schema.names]
        raise ValueError(
            f"a table of predictions by epoch has the columns {', '.join(EPOCH_PREDICTIONS.names)}"
            + (f"; lacking: {', '.join(lacking)}" if lacking else "")
        )
    chosen = _chosen(table)
    reached: dict[tuple[str, int], dict[int, dict[str, float | None]]] = {}
    for epoch in sorted(pc.unique(table["epoch"]).to_pylist()):
        of_epoch = table.filter(pc.equal(table["epoch"], epoch)).select(PREDICTIONS.names)
        for model in by_model(of_epoch, pattern, rates):
            for seed, values in _means(model, metric_set).items():
                reached.setdefault((model.name, seed), {})[epoch] = values
    found = []
    for name in sorted({model for model, _ in reached}):
        own = {seed: by_epoch for (model, seed), by_epoch in reached.items() if model == name}
        metrics = next(iter(next(iter(own.values())).values()))
        for metric in metrics:
            rows = [
                _choice(name, seed, pattern, metric, own[seed], chosen[name, seed])
                for seed in sorted(own)
            ]
            found += [*rows, _mean(rows)]
    return found


def _chosen(table: pa.Table) -> dict[tuple[str, int], int]:
    """Return the epoch that was chosen on validation, by model and seed."""
    keys = table.select(["model", "seed", "epoch", "chosen"])
    keys = keys.set_column(0, "model", keys["model"].cast(pa.string()))
    epochs: dict[tuple[str, int], list[int]] = {}
    for row in keys.group_by(["model", "seed", "epoch", "chosen"]).aggregate([]).to_pylist():
        own = epochs.setdefault((row["model"], row["seed"]), [])
        if row["chosen"]:
            own.append(row["epoch"])
    for (model, seed), own in epochs.items():
        if len(own) != 1:
            raise ValueError(
                f"{model}, seed {seed}: {len(own)} epochs are marked as chosen on validation, not "
                "one"
            )
    return {key: epoch for key, (epoch,) in epochs.items()}


def _means(model: ModelAnswers, metric_set: MetricSet) -> dict[int, dict[str, float | None]]:
    """Return the mean over the rates of every metric, by seed."""
    of_metric = {
        metric: curve.over("mean")[:, 0]
        for metric, curve in curves(model, np.ones((len(model.label), 1)), metric_set).items()
    }
    return {
        seed: {metric: defined(values[place]) for metric, values in of_metric.items()}
        for place, seed in enumerate(model.seeds)
    }


def _choice(
    model: str,
    seed: int,
    pattern: str,
    metric: str,
    by_epoch: dict[int, dict[str, float | None]],
    chosen: int,
) -> WrongChoice:
    value, wrong_value, wrong_epoch = by_epoch[chosen][metric], None, None
    for epoch, values in by_epoch.items():
        if better(metric, values[metric], wrong_value):
            wrong_value, wrong_epoch = values[metric], epoch
    gain = None if value is None or wrong_value is None else wrong_value - value
    return WrongChoice(model, seed, pattern, metric, value, chosen, wrong_value, wrong_epoch, gain)


def _mean(rows: list[WrongChoice]) -> WrongChoice:
    first = rows[0]
    averaged = mean(
        [{"value": r.value, "wrong_value": r.wrong_value, "gain": r.gain} for r in rows]
    )
    return WrongChoice(
        first.model,
        None,
        first.pattern,
        first.metric,
        epoch=None,
        wrong_epoch=None,
        **averaged,
    )
