"""Stage `evaluate`: what the predictions for the test split say, every model beside the floors."""

import csv
from itertools import product
from pathlib import Path
from typing import Any

import rich

from contracts.files import replacing
from lnln.evaluation.by_model import MismatchError
from lnln.evaluation.summary import by_condition, by_modality, over_seeds, results
from lnln.evaluation.table import read, slices, write
from pipeline.models import compared
from pipeline.params import Params, load_dataset, load_params
from pipeline.paths import METRICS, PLOTS, PREDICTIONS, SWEPT, run_name
from pipeline.report.figures import plot_rates
from pipeline.report.tables import modalities_table, results_table
from pipeline.stage import StageError, run, write_json

Row = dict[str, Any]
# Of what `results` says, what differs between patterns and is told of each.
OF_A_PATTERN = ("models", "mean_over_rates", "deviation", "confidence")


def main() -> None:
    """Write metrics at `missing_rate` and the curves over all rates.

    The headline and the curves that DVC draws are of the first pattern; metrics and rates of the
    others stand beside them.
    """
    params, dataset = load_params(), load_dataset()
    models, patterns = compared(params), params.masks.patterns
    pattern = patterns[0]
    table = read(
        [SWEPT / f"{run_name(m, seed)}.parquet" for m in models for seed in params.train.seeds]
    )
    answers = list(slices(table))
    scored = by_condition(answers, dataset.metric_set)
    require_rates(scored, params)
    write(table, PREDICTIONS)
    summary, *others = (
        results(
            answers,
            scored,
            dataset.metric_set,
            pattern=name,
            missing_rate=params.missing_rate,
            rates=params.evaluate.rates,
            seed=params.masks.seed,
            resamples=params.evaluate.bootstrap,
        )
        for name in patterns
    )
    modalities = by_modality(answers, dataset.metric_set)
    about = {"missing_rate": params.missing_rate, "pattern": pattern}
    beside = {
        name: {key: other[key] for key in OF_A_PATTERN if key in other}
        for name, other in zip(patterns[1:], others, strict=True)
    }
    more = {"modalities": modalities, "patterns": beside}
    write_json(
        about | summary | {name: told for name, told in more.items() if told}, METRICS / "test.json"
    )
    swept = [
        row
        for row in over_seeds(scored)
        if row["pattern"] in patterns and row["rate"] in params.evaluate.rates
    ]
    swept.sort(
        key=lambda row: (patterns.index(row["pattern"]), models.index(row["model"]), row["rate"])
    )
    write_csv(swept, PLOTS / "rates.csv")
    by_rate = [row for row in swept if row["pattern"] == pattern]
    for metric in ("mae", "corr"):
        write_csv(curves(by_rate, models, metric), PLOTS / f"{metric}.csv")
    estimates = [
        {name: row.get(name) for name in ("rate", "w", "completeness")}
        for row in by_rate
        if row["model"] == params.model.name
    ]
    write_csv(estimates, PLOTS / "w.csv")
    write_csv(
        [
            {"seed": s.seed, "draw": s.condition.draw, "label": float(y), "prediction": float(p)}
            for s in answers
            if s.model == params.model.name
            and (s.condition.pattern, s.condition.rate) == (pattern, params.missing_rate)
            for y, p in zip(s.label, s.prediction, strict=True)
        ],
        PLOTS / "predictions.csv",
    )
    plot_rates(by_rate, models, PLOTS / "rates.png")
    for name in patterns:
        rich.print(f"pattern {name}")
        rich.print(results_table([row for row in swept if row["pattern"] == name], models))
    if modalities:
        rich.print(modalities_table(modalities))


def require_rates(scored: list[Row], params: Params) -> None:
    """Check that every model was asked under all patterns at all rates that are told about.

    Raises
    ------
    StageError
        One was not: its predictions are those of another run.
    """
    asked = {(r["model"], r["seed"], r["pattern"], r["rate"]) for r in scored}
    rates = (*params.evaluate.rates, params.missing_rate)
    for key in product(compared(params), params.train.seeds, params.masks.patterns, rates):
        if key not in asked:
            model, seed, pattern, rate = key
            raise StageError(
                f"{SWEPT / run_name(model, seed)}.parquet has no predictions at the missing rate "
                f"{rate:g} of the pattern {pattern}: it is of another run; run dvc repro"
            )


def curves(by_rate: list[Row], models: list[str], metric: str) -> list[Row]:
    """Return one row per missing rate, and a column per model; undefined values are empty."""
    rows: dict[float, Row] = {}
    for row in by_rate:
        empty = {"rate": row["rate"]} | dict.fromkeys(models)
        rows.setdefault(row["rate"], empty)[row["model"]] = row[metric]
    return list(rows.values())


def write_csv(rows: list[Row], path: Path) -> None:
    """Write rows as CSV, replacing the file in one step; a row may lack keys."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    run(main, MismatchError)
