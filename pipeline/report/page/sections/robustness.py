"""Chapter: every metric over the missing rate, under every pattern, and who is the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from lnln.evaluation.collapse import Collapse, collapsed_rates, collapses
from lnln.evaluation.curves import HIGH, Over
from lnln.evaluation.summary import SPREAD
from lnln.missing.patterns import PATTERNS
from pipeline.report.page.drawing import axes, ends, legend_below, style
from pipeline.report.page.names import TITLES, title
from pipeline.report.page.parts import (
    UNDEFINED,
    Cell,
    Figures,
    Folded,
    Part,
    Section,
    Table,
    Text,
    interval,
    number,
    row,
)
from pipeline.report.page.run import Run
from pipeline.report.page.standings import LEVEL, Standings, standings, told_apart

_OVER: dict[Over, str] = {
    "mean": "mean over the missing rates",
    "high": f"mean over the missing rates of {HIGH:g} and more",
}


def robustness(run: Run) -> Section:
    """Tell of every pattern, the headline's first and the others folded."""
    first, *others = run.about.patterns
    parts = list(_of_pattern(run, first))
    parts += [Folded(f"Pattern {name}", list(_of_pattern(run, name))) for name in others]
    return Section("robustness", "Robustness to missing data", parts)


def _of_pattern(run: Run, pattern: str) -> Iterator[Part]:
    yield Text([f"Pattern {pattern}: lost is {PATTERNS[pattern].loses}."])
    there = run.answers(pattern, [run.about.missing_rate])
    if there:
        of_rate = standings(there, run.about, ["mean"], at_rates=False)
        yield _table(of_rate, "mean", f"Test split at the missing rate {run.about.missing_rate:g}")
    models = run.answers(pattern, run.about.rates)
    if not models:
        yield Text(["Nobody was asked under this pattern."])
        return
    over: list[Over] = [
        kind for kind in _OVER if kind == "mean" or any(r >= HIGH for r in models[0].rates)
    ]
    swept = standings(models, run.about, over, at_rates=True)
    checked = collapses(models)
    constant = collapsed_rates(checked)
    for kind in over:
        yield _table(swept, kind, f"Test split, {_OVER[kind]}")
    yield Text([_reading(swept)])
    lead, *rest = models
    if rest:
        yield _pairs(swept, lead.name)
    yield Figures(
        "Every metric over the missing rate r. Bands: 95 % intervals over clips. A cross marks "
        "where a model answers a constant.",
        [_all_models(swept, metric, pattern, constant) for metric in swept.metrics],
    )
    if rest and pattern == run.about.patterns[0]:
        yield Figures(
            f"{lead.name} (solid) beside each other model (dashed), with 95 % intervals over "
            "clips.",
            [
                _two_models(swept, metric, pattern, lead.name, other.name, 1 + place)
                for metric in SPREAD
                for place, other in enumerate(rest)
                if any(score.value is not None for score in swept.curve(other.name, metric))
            ],
            size="small",
        )
    yield _collapse_table(checked, constant)
    yield Folded("All numbers", [_numbers(swept, metric) for metric in swept.metrics])


def _table(found: Standings, over: Over, caption: str) -> Table:
    best = {metric: found.best(metric, over) for metric in found.metrics}
    rows = []
    for model in found.models:
        cells = [Cell(model.name)]
        for metric in found.metrics:
            score = found.scores[model.name, metric, over]
            spread = "" if score.deviation is None else f" ± {score.deviation:.3f}"
            cells.append(
                Cell(
                    number(score.value) + spread,
                    interval(score.low, score.high),
                    marked=best[metric] == model.name,
                )
            )
        rows.append(cells)
    return Table(caption, ["model", *map(title, found.metrics)], rows)


def _reading(found: Standings) -> str:
    """Say what intervals, deviations and stars of the tables mean."""
    one = next(iter(found.scores.values()))
    drawn = f"{one.units} {'groups (speakers or videos)' if one.unit == 'group' else 'clips'}"
    said = f"Small: 95 % intervals, bootstrap over {drawn}."
    if one.seeds > 1:
        said += f" ±: standard deviation over {one.seeds} seeds of training."
    if found.differences:
        said += (
            " ★: the best of its column, and told from every other model by the paired test at "
            f"{LEVEL:.0%}, corrected after Holm for all comparisons by the same metric. No star: "
            "chance alone may have made the order."
        )
    return said


def _pairs(found: Standings, lead: str) -> Table:
    """Tabulate what lies between the main model and each other, as the paired test sees it."""
    rows = []
    for other in [m.name for m in found.models if m.name != lead]:
        cells = [Cell(other)]
        for metric in SPREAD:
            (pair,) = [d for d in found.pairs(metric, "mean", lead) if other in (d.a, d.b)]
            sign = 1 if pair.a == lead else -1
            if pair.difference is None:
                cells += [Cell(UNDEFINED), Cell(UNDEFINED)]
                continue
            low, high = sorted(sign * end for end in (pair.low or 0.0, pair.high or 0.0))
            cells.append(
                Cell(
                    f"{sign * pair.difference:+.3f}",
                    "" if pair.low is None else f"{low:+.3f} … {high:+.3f}",
                )
            )
            cells.append(Cell(number(pair.p_holm), "told apart" if told_apart(pair) else ""))
        rows.append(cells)
    columns = [name for m in SPREAD for name in (f"Δ {title(m)}", f"p of Δ {TITLES[m]}")]
    return Table(
        f"{lead} minus each other model, mean over the missing rates",
        ["model", *columns],
        rows,
        "Small: paired 95 % interval. p: of the paired test, corrected after Holm.",
    )


def _all_models(
    found: Standings, metric: str, pattern: str, constant: dict[str, list[float]]
) -> Markup:
    told = []
    with axes(f"{pattern}-{metric}", height=3.4) as drawn:
        for place, model in enumerate(found.models):
            curve = found.curve(model.name, metric)
            colour, line = style(place)
            values = [_nan(score.value) for score in curve]
            front = 4 - place / len(found.models)  # the first in front
            drawn.axes.plot(
                model.rates,
                values,
                line,
                color=colour,
                label=model.name,
                ms=4,
                lw=2.2 if place == 0 else 1.3,
                zorder=front,
            )
            drawn.axes.fill_between(
                model.rates,
                [_nan(score.low) for score in curve],
                [_nan(score.high) for score in curve],
                color=colour,
                alpha=0.12,
                lw=0,
                zorder=1,
            )
            at = [i for i, rate in enumerate(model.rates) if rate in constant[model.name]]
            drawn.axes.plot(
                [model.rates[i] for i in at],
                [values[i] for i in at],
                "x",
                color=colour,
                ms=8,
                mew=1.6,
                zorder=front,
            )
            told.append(ends(model.name, model.rates, [score.value for score in curve]))
        drawn.axes.set(xlabel="missing rate r", title=title(metric))
        drawn.axes.grid(alpha=1, lw=0.6)
        legend_below(drawn)
        return drawn.svg(
            f"{TITLES[metric]} over the missing rate, pattern {pattern}", " ".join(told)
        )


def _two_models(
    found: Standings, metric: str, pattern: str, lead: str, other: str, place: int
) -> Markup:
    told = []
    with axes(f"{pattern}-{metric}-{place}", width=2.9, height=2.3) as drawn:
        for name, number_, line, hatch in ((lead, 0, "o-", None), (other, place, "s--", "////")):
            curve = found.curve(name, metric)
            rates = next(m.rates for m in found.models if m.name == name)
            colour = style(number_)[0]
            drawn.axes.plot(
                rates, [_nan(s.value) for s in curve], line, color=colour, ms=3, label=name
            )
            drawn.axes.fill_between(
                rates,
                [_nan(s.low) for s in curve],
                [_nan(s.high) for s in curve],
                facecolor=colour if hatch is None else "none",
                edgecolor=colour,
                alpha=0.25 if hatch is None else 0.45,
                hatch=hatch,
                lw=0,
            )
            told.append(ends(name, rates, [s.value for s in curve]))
        drawn.axes.set(xlabel="r", title=f"{title(metric)}  {other}")
        drawn.axes.grid(alpha=1, lw=0.6)
        return drawn.svg(
            f"{TITLES[metric]} of {lead} and {other}, pattern {pattern}", " ".join(told)
        )


def _collapse_table(checked: Sequence[Collapse], constant: dict[str, list[float]]) -> Table:
    rows = []
    for name, rates in constant.items():
        own = [found for found in checked if found.model == name]
        spreads = [c.relative_spread for c in own if c.relative_spread is not None]
        least = number(min(spreads), 2) if spreads else number(None)
        worst = [c.mae_ratio for c in own if c.mae_ratio is not None]
        rows.append(
            row(
                name,
                ", ".join(f"{rate:g}" for rate in rates) or "–",
                least,
                number(max(worst), 2) if worst else number(None),
            )
        )
    return Table(
        "Does a model answer, or does it say the same whatever it is shown?",
        [
            "model",
            "answers a constant at r",
            "least spread of its answers / of the labels",
            "greatest MAE / that of the best constant",
        ],
        rows,
    )


def _numbers(found: Standings, metric: str) -> Table:
    rates = found.models[0].rates
    rows = [
        [
            Cell(model.name),
            *(
                Cell(number(s.value), interval(s.low, s.high))
                for s in found.curve(model.name, metric)
            ),
        ]
        for model in found.models
    ]
    return Table(
        f"{title(metric)} at each missing rate, with 95 % intervals",
        ["model", *(f"r = {rate:g}" for rate in rates)],
        rows,
    )


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value
