"""Scores and comparisons as rows of Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lnln.evaluation.comparison import Difference
from lnln.evaluation.scores import Score

Row = dict[str, Any]


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
