"""Stage `tell`: what the studies found, as tables for the documentation and as JSON.

python -m studies.tell
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.files import replacing
from lnln.evaluation.by_model import ModelAnswers, by_model
from lnln.evaluation.collapse import collapsed_rates, collapses
from lnln.evaluation.comparison import compare
from lnln.evaluation.curves import Over
from lnln.evaluation.epochs import if_chosen_on_test
from lnln.evaluation.scores import Score, scores
from lnln.evaluation.table import read
from lnln.settings import MetricSet
from pipeline.stage import run, warn, write_json
from studies.compare import COMPARED
from studies.corpora import describe
from studies.damage import DAMAGED
from studies.settings import Studies, load_studies, seeds_of
from studies.told import Row, difference, find, markdown, short, told_apart, with_interval
from studies.vary import VARIED

METRICS = Path("metrics/studies")
TABLES = METRICS / "tables"  # Markdown, included by docs/studies
HIGH_RATES = (0.7, 0.8, 0.9)
WHOLE = "lnln"  # what variations are compared with


def main() -> None:
    """Write the tables and the findings behind them."""
    studies = load_studies()
    findings: dict[str, Any] = {}
    for corpus in studies.corpora:
        models = there(COMPARED, [f"{corpus}-{model}" for model in studies.models])
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


def compared(studies: Studies, corpus: str) -> dict[str, Any]:
    """Tell how all models do on one corpus, and what choosing on the test split would give."""
    metric_set = describe(corpus).metric_set
    table = read([COMPARED / f"{corpus}-{m}" / "predictions.parquet" for m in studies.models])
    about = {m: _about(COMPARED / f"{corpus}-{m}") for m in studies.models}
    models = _in_order(by_model(table, "random", _below_one(studies)), studies.models)
    reached = _scores(models, metric_set, studies, ("mean", "high", 0.0, *HIGH_RATES))
    pairs = [(i, models.index(m)) for m in models if m.name == WHOLE for i in range(len(models))]
    against = compare(
        models,
        metric_set,
        seed=0,
        over=["mean", "high"],
        pairs=[(i, j) for i, j in pairs if i != j],
        resamples=studies.resamples,
    )
    collapsed = collapsed_rates(collapses(models))
    _write(f"compare-{corpus}", [_summary(m.name, reached, about[m.name]) for m in models])
    _write(f"short-{corpus}", [_short(m.name, reached) for m in models])
    _write(
        f"pairs-{corpus}",
        [
            {
                "model": d.a,
                f"MAE minus {d.b}'s": difference(d),
                "over r": _words(d.over),
                "told apart": "yes" if told_apart(d) else "no",
            }
            for d in against
        ],
    )
    _write(
        f"extreme-{corpus}",
        [
            {"model": m.name}
            | {
                f"MAE, r = {r:g}": with_interval(find(reached, m.name, "mae", r))
                for r in HIGH_RATES
            }
            | _alone(table, m.name, metric_set, studies)
            | {"answers a constant at r": ", ".join(f"{r:g}" for r in collapsed[m.name]) or "-"}
            for m in models
        ],
    )
    habit = _habit(studies, corpus, metric_set)  # empty but for the first corpus
    return {
        "scores": [asdict(s) for s in reached],
        "pairs": [asdict(d) for d in against],
        "collapsed": collapsed,
        "chosen_on_test_wrong": habit,
        "about": {
            m: {k: about[m][k] for k in ("parameters", "seconds_per_epoch", "learning_rate")}
            for m in studies.models
        },
    }


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
    models = _in_order(by_model(table, "random", _below_one(studies)), [WHOLE, *names])
    reached = _scores(models, metric_set, studies, ("mean", "high", 0.0))
    against = compare(
        models,
        metric_set,
        seed=0,
        pairs=[(i, 0) for i in range(1, len(models))],
        resamples=studies.resamples,
    )
    folders = {WHOLE: COMPARED / f"{corpus}-{WHOLE}"} | {n: VARIED / study / n for n in names}
    about = {name: _about(folder) for name, folder in folders.items()}
    by_name = {d.a: d for d in against}
    rows = []
    for model in models:
        row = _summary(model.name, reached, about[model.name])
        if model.name in by_name:
            row["MAE minus the whole's"] = difference(by_name[model.name])
        rows.append(row | _adversary(about[model.name]))
    _write(study, rows)
    return {
        "scores": [asdict(s) for s in reached],
        "pairs": [asdict(d) for d in against],
        "adversary": {name: _adversary(content) for name, content in about.items()},
    }


def damaged(studies: Studies, corpus: str, names: list[str]) -> dict[str, Any]:
    """Tell what damage to raw clips does to models that were trained on whole ones."""
    metric_set = describe(corpus).metric_set
    rows: list[Row] = []
    found: dict[str, Any] = {}
    for name in names:
        table, about = read([DAMAGED / name / "predictions.parquet"]), _about(DAMAGED / name)
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
        for model in studies.models:
            row: Row = {"damage": name, "model": model}
            for pattern, said in (
                ("natural", "whole"),
                (name, "damaged"),
                (f"{name}, masks", "as much masked"),
            ):
                row[f"MAE, {said}"] = with_interval(find(of[pattern], model, "mae", "mean"))
            rows.append(row)
        found[name] |= {p: [asdict(s) for s in reached] for p, reached in of.items()}
    _write("damaged", rows)
    return found


def _scores(
    models: Sequence[ModelAnswers], metric_set: MetricSet, studies: Studies, over: Sequence[Over]
) -> list[Score]:
    return scores(
        models,
        metric_set,
        seed=0,
        resamples=studies.resamples,
        over=over,
        metrics=["mae", "corr", "acc2_without_zero" if metric_set == "mosi" else "acc2"],
    )


def _summary(name: str, reached: Sequence[Score], about: dict[str, Any]) -> Row:
    return {
        "model": name,
        "MAE, r = 0": short(find(reached, name, "mae", 0.0)),
        "MAE, mean over r": with_interval(find(reached, name, "mae", "mean")),
        "MAE, r ≥ 0.5": short(find(reached, name, "mae", "high")),
        "Corr, mean over r": with_interval(find(reached, name, "corr", "mean")),
        "parameters": f"{about['parameters']:,}" if about["learning_rate"] else "-",
        "s per epoch": f"{about['seconds_per_epoch']:.1f}",
    }


def _short(name: str, reached: Sequence[Score]) -> Row:
    """What fits on the front door: means, and the deviation over the seeds."""

    def cell(metric: str, over: Over) -> str:
        score = find(reached, name, metric, over)
        told = short(score)
        return told if not score.deviation else f"{told} ± {score.deviation:.3f}"

    return {
        "model": name,
        "MAE, r = 0": cell("mae", 0.0),
        "MAE, mean over r": cell("mae", "mean"),
        "MAE, r ≥ 0.5": cell("mae", "high"),
        "Corr, r = 0": cell("corr", 0.0),
        "Corr, mean over r": cell("corr", "mean"),
    }


def _alone(table: pa.Table, name: str, metric_set: MetricSet, studies: Studies) -> Row:
    """MAE with one modality whole and the others absent."""
    row: Row = {}
    for modality in ("text", "audio", "vision"):
        models = [m for m in by_model(table, f"only_{modality}") if m.name == name]
        own = scores(
            models,
            metric_set,
            seed=0,
            resamples=studies.resamples,
            over=["mean"],
            metrics=["mae"],
        )
        row[f"MAE, {modality} alone"] = with_interval(own[0])
    return row


def _habit(studies: Studies, corpus: str, metric_set: MetricSet) -> list[dict[str, Any]]:
    """Price the habit of choosing the epoch on the test split, a metric at a time."""
    files = [COMPARED / f"{corpus}-{m}" / "epochs.parquet" for m in studies.models]
    tables = [pq.read_table(file) for file in files if file.exists()]
    if not tables:
        return []
    choices = if_chosen_on_test(
        pa.concat_tables([t.unify_dictionaries() for t in tables]).unify_dictionaries(),
        metric_set,
        "random",
        _below_one(studies),
    )
    means = [c for c in choices if c.seed is None and c.metric in ("mae", "corr", "acc7")]
    _write(
        f"habit-{corpus}",
        [
            {
                "model": c.model,
                "metric": c.metric,
                "chosen on validation": "undefined" if c.value is None else f"{c.value:.3f}",
                "chosen on test (wrong)": "undefined"
                if c.wrong_value is None
                else f"{c.wrong_value:.3f}",
                "what the habit gives": "" if c.gain is None else f"{c.gain:+.3f}",
            }
            for c in means
        ],
    )
    return [asdict(c) for c in means]


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


def _below_one(studies: Studies) -> list[float]:
    """Rates that sums are over: at 1 nothing is left to answer from."""
    return [rate for rate in studies.rates if rate < 1]


def _in_order(models: Sequence[ModelAnswers], names: Sequence[str]) -> list[ModelAnswers]:
    by_name = {model.name: model for model in models}
    return [by_name[name] for name in names]


def _about(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "about.json").read_text("utf-8"))
    return content


def _words(over: Over) -> str:
    return {"mean": "all", "high": "0.5 and more"}.get(str(over), str(over))


def _write(name: str, rows: Sequence[Row]) -> None:
    with replacing(TABLES / f"{name}.md") as temporary:
        temporary.write_text(markdown(rows), "utf-8")


if __name__ == "__main__":
    run(main)
