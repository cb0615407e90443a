"""A comparison of models for a person to read: two tables, and a sentence for each pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

from rich.console import Group
from rich.table import Table
from rich.text import Text

from contracts.printable import printable, printable_json
from lnln.evaluation.comparison import Difference
from lnln.evaluation.curves import HIGH, Over
from lnln.evaluation.scores import Score
from pipeline.report.tables import PLAIN

TITLES = {
    "mae": "MAE",
    "corr": "Corr",
    "acc7": "Acc-7",
    "acc5": "Acc-5",
    "acc3": "Acc-3",
    "acc2": "Acc-2",
    "f1": "F1",
    "acc2_with_zero": "Acc-2 with zero",
    "f1_with_zero": "F1 with zero",
    "acc2_without_zero": "Acc-2 without zero",
    "f1_without_zero": "F1 without zero",
}
UNDEFINED = "undefined"
SIGNIFICANT = 0.05


class Comparison(NamedTuple):
    """What `lnln compare` found.

    Attributes
    ----------
    pattern, metric : str
    over : {"mean", "area", "high"} or float
        How curves are summed up.
    rates : sequence of float
        Missing rates that count.
    scores : sequence of Score
        One per model.
    differences : sequence of Difference
        One per pair.
    collapsed : dict
        By model the rates at which it answers a constant.
    notes : sequence of str
        What is to be known of all this.
    """

    pattern: str
    metric: str
    over: Over
    rates: Sequence[float]
    scores: Sequence[Score]
    differences: Sequence[Difference]
    collapsed: dict[str, list[float]]
    notes: Sequence[str]


def comparison_json(found: Comparison) -> str:
    """Return a comparison as JSON; undefined values are null, each pair has its sentence."""
    content = found._asdict() | {
        "scores": [asdict(row) for row in found.scores],
        "differences": [asdict(row) | {"sentence": sentence(row)} for row in found.differences],
    }
    return printable_json(content)


def comparison_tables(found: Comparison) -> Group:
    """Lay a comparison out for the terminal."""
    metric, summed = TITLES[found.metric], of_rates(found.over, found.rates)
    title = Text(f"{metric}, {summed}; pattern {printable(found.pattern)}", "table.title")
    models = Table(title=title, **PLAIN)
    models.add_column("model", overflow="fold")
    for name in (metric, "± over seeds", "95 % interval"):
        models.add_column(name, justify="right", no_wrap=True)
    models.add_column("constant", overflow="fold")
    for score in found.scores:
        models.add_row(
            Text(printable(score.model)),
            number(score.value),
            "" if score.deviation is None else number(score.deviation),
            interval(score),
            collapse_mark(found.collapsed[score.model], found.rates),
        )
    pairs = Table(title="pairs, the first minus the second", **PLAIN)
    pairs.add_column("pair", overflow="fold")
    for name in ("difference", "95 % interval", "p (Holm)"):
        pairs.add_column(name, justify="right", no_wrap=True)
    for row in found.differences:
        pairs.add_row(
            Text(printable(f"{row.a} - {row.b}")),
            number(row.difference, sign=True),
            interval(row),
            UNDEFINED if row.p_holm is None else p_value(row.p_holm)[2:].removeprefix("= "),
        )
    below = Text("constant: the missing rates at which a model answers the same to every clip.")
    return Group(
        models, below, pairs, *(Text(printable(sentence(row))) for row in found.differences)
    )


def sentence(row: Difference) -> str:
    """Say in plain English what a comparison found.

    "lnln's MAE is 0.030 lower than ridge's (95 % interval -0.050 to -0.010; p = .004 after Holm's
    correction over 3 comparisons)."
    """
    metric = TITLES[row.metric]
    if row.difference is None or row.p_holm is None:
        whose = [
            name for name, value in ((row.a, row.value_a), (row.b, row.value_b)) if value is None
        ]
        of = f" for {' and '.join(whose)}" if whose else ""
        return f"{row.a} and {row.b} cannot be compared in {metric}: it is undefined{of}."
    tested = p_value(row.p_holm)
    if row.comparisons > 1:
        tested += f" after Holm's correction over {row.comparisons} comparisons"
    found = f"95 % interval {interval(row)}; {tested}"
    size = f"{number(abs(row.difference))} {'lower' if row.difference < 0 else 'higher'}"
    if row.p_holm > SIGNIFICANT:
        return (
            f"{row.a} and {row.b}: no difference in {metric} that this test can tell ({size}; "
            f"{found})."
        )
    return f"{row.a}'s {metric} is {size} than {row.b}'s ({found})."


def number(value: float | None, *, sign: bool = False) -> str:
    """Write a metric with three digits, or that it is undefined."""
    if value is None:
        return UNDEFINED
    return f"{value:+.3f}" if sign else f"{value:.3f}"


def interval(row: Score | Difference) -> str:
    """Write an interval, with the share of resamples in which the metric is undefined."""
    if row.low is None or row.high is None:
        return UNDEFINED
    lacking = f" ({row.undefined:.0%} undefined)" if row.undefined else ""
    return f"{row.low:.3f} to {row.high:.3f}{lacking}"


def p_value(p: float) -> str:
    """Write a p-value as papers do."""
    return "p < .001" if p < 0.001 else f"p = {min(p, 1):.3f}".replace("= 0.", "= .")


def of_rates(over: Over, rates: Sequence[float]) -> str:
    """Say how a curve is summed up."""
    if isinstance(over, float):
        return f"at r = {over:g}"
    if over == "area":
        return f"area under the curve from r = {min(rates):g} to {max(rates):g}"
    averaged = [rate for rate in rates if rate >= HIGH] if over == "high" else rates
    return f"mean over r = {', '.join(f'{rate:g}' for rate in averaged)}"


def collapse_mark(collapsed: Sequence[float], rates: Sequence[float]) -> str:
    """Say at which missing rates a model answers a constant: nothing if at none."""
    if not collapsed:
        return ""
    if len(collapsed) == len(rates):
        return "at every r"
    return f"at r = {', '.join(f'{rate:g}' for rate in collapsed)}"
