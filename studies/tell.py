"""Stage `tell`: what the studies found, as tables for the documentation and as JSON.

python -m studies.tell
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lnln.evaluation.by_model import ModelAnswers, by_model
from lnln.evaluation.comparison import compare
from lnln.evaluation.scores import scores
from lnln.evaluation.table import read
from lnln.settings import MetricSet
from pipeline.stage import run, warn, write_json
from studies.compare import COMPARED
from studies.comparison import compared
from studies.corpora import describe
from studies.damage import DAMAGED
from studies.settings import Studies, load_studies, results_of, seeds_of
from studies.told import (
    METRICS,
    WHOLE,
    Row,
    about_of,
    below_one,
    difference,
    find,
    in_order,
    score,
    summary,
    told_apart,
    with_interval,
    write_rows,
)
from studies.vary import VARIED


def main() -> None:
    """Write the tables and the findings behind them."""
    studies = load_studies()
    findings: dict[str, Any] = {}
    for corpus in studies.corpora:
        models = there(COMPARED, [f"{corpus}-{result}" for result in results_of(studies)])
        own = studies.model_copy(update={"models": [m.removeprefix(f"{corpus}-") for m in models]})
        if WHOLE in own.models:
            findings[f"compare-{corpus}"] = compared(own, corpus)
    corpus = studies.corpora[0]
    for study in ("ablations", "weights", "adversarial"):
        if names := there(VARIED / study, list(getattr(studies, study))):
            findings[study] = varied(studies, corpus, study, names)
    if names := there(DAMAGED, list(studies.damages)):
        findings["damaged"] = damaged(studies, corpus, names)
    write_json(findings, METRICS / "findings.json")


def there(folder: Path, names: list[str]) -> list[str]:
    """Return which of some results are there, and say which are not."""
    missing = [name for name in names if not (folder / name / "about.json").exists()]
    if missing:
        warn([f"{folder}: not run yet, and left out: {', '.join(missing)}"])
    return [name for name in names if name not in missing]


def varied(studies: Studies, corpus: str, study: str, names: list[str]) -> dict[str, Any]:
    """Tell what LNLN with other settings does, beside LNLN itself."""
    metric_set = describe(corpus).metric_set
    table = read(
        [
            COMPARED / f"{corpus}-{WHOLE}" / "predictions.parquet",
            *(VARIED / study / name / "predictions.parquet" for name in names),
        ]
    )
    of_seeds = pa.array(seeds_of(study, studies))
    table = table.filter(pc.is_in(table["seed"], of_seeds))
    models = in_order(by_model(table, "random", below_one(studies)), [WHOLE, *names])
    reached = score(models, metric_set, studies, ("mean", "high", 0.0))
    against = compare(
        models,
        metric_set,
        seed=0,
        pairs=[(i, 0) for i in range(1, len(models))],
        resamples=studies.resamples,
    )
    folders = {WHOLE: COMPARED / f"{corpus}-{WHOLE}"} | {n: VARIED / study / n for n in names}
    about = {name: about_of(folder) for name, folder in folders.items()}
    by_name = {d.a: d for d in against}
    rows = []
    for model in models:
        row = summary(model.name, reached, about[model.name])
        del row["s per epoch"]  # the comparison tells it, measured under the same load for all
        if model.name in by_name:
            row["MAE minus the whole's"] = difference(by_name[model.name])
        rows.append(row | _adversary(about[model.name]))
    write_rows(study, rows)
    return {
        "scores": [asdict(s) for s in reached],
        "pairs": [asdict(d) for d in against],
        "by_rate": by_rate(models, metric_set, study, studies),
        "adversary": {name: _adversary(content) for name, content in about.items()},
    }


def by_rate(
    models: list[ModelAnswers], metric_set: MetricSet, study: str, studies: Studies
) -> list[dict[str, Any]]:
    """Tell at which missing rate a variation first differs from the whole, corrected over all."""
    rates = below_one(studies)
    against = compare(
        models,
        metric_set,
        seed=0,
        over=rates,
        pairs=[(i, 0) for i in range(1, len(models))],
        resamples=studies.resamples,
    )
    rows: list[Row] = []
    for model in models[1:]:
        own = {d.over: d for d in against if d.a == model.name}
        apart = [rate for rate in rates if told_apart(own[rate])]
        row: Row = {"model": model.name}
        for rate in rates:
            value = own[rate].difference
            row[f"r = {rate:g}"] = "undefined" if value is None else f"{value:+.3f}"
        rows.append(row | {"first told apart at r": f"{apart[0]:g}" if apart else "none"})
    write_rows(f"{study}-by-rate", rows)
    return [asdict(d) for d in against]


def damaged(studies: Studies, corpus: str, names: list[str]) -> dict[str, Any]:
    """Tell what damage to raw clips does to models that were trained on whole ones."""
    metric_set = describe(corpus).metric_set
    rows: list[Row] = []
    found: dict[str, Any] = {}
    for name in names:
        table, about = read([DAMAGED / name / "predictions.parquet"]), about_of(DAMAGED / name)
        found[name] = about
        of = {
            pattern: scores(
                by_model(table, pattern),
                metric_set,
                seed=0,
                resamples=studies.resamples,
                over=["mean"],
                metrics=["mae", "corr"],
            )
            for pattern in ("natural", name, f"{name}, masks")
        }
        asked = {answers.name for answers in by_model(table, name)}
        for model in (m for m in studies.models if m in asked):
            row: Row = {"damage": name, "model": model}
            for pattern, said in (
                ("natural", "whole"),
                (name, "damaged"),
                (f"{name}, masks", "as much masked"),
            ):
                row[f"MAE, {said}"] = with_interval(find(of[pattern], model, "mae", "mean"))
            rows.append(row)
        found[name] |= {p: [asdict(s) for s in reached] for p, reached in of.items()}
    write_rows("damaged", rows)
    return found


def _adversary(about: dict[str, Any]) -> Row:
    """What became of discriminator and proxy, means over the seeds; empty where there is none."""
    last = [seed["history"][-1] for seed in about["seeds"].values()]
    key = "train/discriminator_accuracy"
    if key not in last[0] or "proxy_variance" not in about:
        return {}
    accuracies = [row[key] for row in last]

    def mean(name: str) -> float:
        return float(sum(about[name]) / len(about[name]))

    return {
        "discriminator": f"{sum(accuracies) / len(accuracies):.2f}",
        "variance of the proxy / of language": f"{mean('proxy_variance'):.3f} / "
        f"{mean('language_variance'):.3f}",
        "distance to language": f"{mean('proxy_distance'):.3f}",
    }


if __name__ == "__main__":
    run(main)
