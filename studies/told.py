"""Scores and comparisons as rows of Markdown tables: what all studies tell with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from contracts.files import read_json, replacing
from lnln.evaluation.by_model import ModelAnswers
from lnln.evaluation.comparison import Difference
from lnln.evaluation.curves import Over
from lnln.evaluation.scores import Score, scores
from lnln.settings import MetricSet
from studies.settings import Studies

Row = dict[str, Any]
METRICS = Path("metrics/studies")
TABLES = METRICS / "tables"  # Markdown, included by docs/studies
WHOLE = "lnln"  # what variations are compared with


def markdown(rows: Iterable[Row]) -> str:
    """Lay rows out as a table, a column per key, in the order of the first row that has it."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    lines += ["| " + " | ".join(str(row.get(name, "")) for name in names) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def with_interval(score: Score) -> str:
    """Write a score, its 95 % interval over clips, and its deviation over seeds."""
    if score.value is None:
        return "undefined"
    text = f"{score.value:.3f}"
    if score.low is not None and score.high is not None:
        text += f" ({score.low:.3f} to {score.high:.3f})"
    return text + (f" ± {score.deviation:.3f}" if score.deviation is not None else "")


def short(score: Score) -> str:
    """Write a score alone."""
    return "undefined" if score.value is None else f"{score.value:.3f}"


def difference(row: Difference) -> str:
    """Write a difference, its paired interval, and the corrected p-value."""
    if row.difference is None:
        return "undefined"
    text = f"{row.difference:+.3f}"
    if row.low is not None and row.high is not None:
        text += f" ({row.low:+.3f} to {row.high:+.3f})"
    if row.p_holm is None:
        return text
    return text + (", p < 0.001" if row.p_holm < 0.0005 else f", p = {row.p_holm:.3f}")


def told_apart(row: Difference) -> bool:
    """Whether the paired test, corrected, tells the two models apart."""
    return row.p_holm is not None and row.p_holm < 0.05


def find(scores: Sequence[Score], model: str, metric: str, over: Any) -> Score:
    """Return the score of one model, metric and sum over the rates."""
    return next(s for s in scores if (s.model, s.metric) == (model, metric) and s.over == over)


def score(
    models: Sequence[ModelAnswers], metric_set: MetricSet, studies: Studies, over: Sequence[Over]
) -> list[Score]:
    """Score models by MAE, Corr and Acc-2."""
    return scores(
        models,
        metric_set,
        seed=0,
        resamples=studies.resamples,
        over=over,
        metrics=["mae", "corr", "acc2_without_zero" if metric_set == "mosi" else "acc2"],
    )


def summary(name: str, reached: Sequence[Score], about: dict[str, Any]) -> Row:
    """Sum one model up, in a row."""
    return {
        "model": name,
        "MAE, r = 0": short(find(reached, name, "mae", 0.0)),
        "MAE, mean over r": with_interval(find(reached, name, "mae", "mean")),
        "MAE, r ≥ 0.5": short(find(reached, name, "mae", "high")),
        "Corr, mean over r": with_interval(find(reached, name, "corr", "mean")),
        "parameters": f"{about['parameters']:,}" if about["learning_rate"] else "-",
        "s per epoch": f"{about['seconds_per_epoch']:.1f}",
    }


def below_one(studies: Studies) -> list[float]:
    """Rates that sums are over: at 1 nothing is left to answer from."""
    return [rate for rate in studies.rates if rate < 1]


def in_order(models: Sequence[ModelAnswers], names: Sequence[str]) -> list[ModelAnswers]:
    """Put models in the order of their names."""
    by_name = {model.name: model for model in models}
    return [by_name[name] for name in names]


def about_of(folder: Path) -> dict[str, Any]:
    """Read what a run wrote about itself."""
    return read_json(folder / "about.json")


def write_rows(name: str, rows: Sequence[Row]) -> None:
    """Write a table for the documentation."""
    with replacing(TABLES / f"{name}.md") as temporary:
        temporary.write_text(markdown(rows), "utf-8")
