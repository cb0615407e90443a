"""What the comparison of all models on one corpus says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from contracts.parquet import read_table
from lnln.evaluation.by_model import by_model
from lnln.evaluation.collapse import collapsed_rates, collapses
from lnln.evaluation.comparison import compare
from lnln.evaluation.curves import Over
from lnln.evaluation.epochs import if_chosen_on_test
from lnln.evaluation.scores import Score, scores
from lnln.evaluation.table import read
from lnln.settings import MetricSet
from studies.compare import COMPARED
from studies.corpora import describe
from studies.settings import Studies
from studies.told import (
    WHOLE,
    Row,
    about_of,
    below_one,
    difference,
    find,
    in_order,
    score,
    short,
    summary,
    told_apart,
    with_interval,
    write_rows,
)

HIGH_RATES = (0.7, 0.8, 0.9)


def compared(studies: Studies, corpus: str) -> dict[str, Any]:
    """Tell how all models do on one corpus, and what choosing on the test split would give."""
    metric_set = describe(corpus).metric_set
    table = read([COMPARED / f"{corpus}-{m}" / "predictions.parquet" for m in studies.models])
    about = {m: about_of(COMPARED / f"{corpus}-{m}") for m in studies.models}
    models = in_order(by_model(table, "random", below_one(studies)), studies.models)
    reached = score(models, metric_set, studies, ("mean", "high", 0.0, *HIGH_RATES))
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
    write_rows(f"compare-{corpus}", [summary(m.name, reached, about[m.name]) for m in models])
    write_rows(f"short-{corpus}", [_short(m.name, reached) for m in models])
    write_rows(
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
    write_rows(
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
    tables = [read_table(file) for file in files if file.exists()]
    if not tables:
        return []
    choices = if_chosen_on_test(
        pa.concat_tables(
            [t.unify_dictionaries() for t in tables], promote_options="default"
        ).unify_dictionaries(),
        metric_set,
        "random",
        below_one(studies),
    )
    means = [c for c in choices if c.seed is None and c.metric in ("mae", "corr", "acc7")]
    write_rows(
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


def _words(over: Over) -> str:
    return {"mean": "all", "high": "0.5 and more"}.get(str(over), str(over))
