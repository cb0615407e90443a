"""Chapter: do the intervals hold what they promise, and which answers are worth keeping?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup

from lnln.checkpoints.intervals import confidence as confidence_of
from lnln.evaluation.confidence import Confidence, confidences
from lnln.evaluation.table import Slice
from pipeline.report.page.drawing import INK, Drawn, axes, ends, legend_below, style
from pipeline.report.page.parts import Cell, Figures, Part, Section, Table, Text, interval, row
from pipeline.report.page.run import Run

_TITLE = "Confidence"


def confidence(run: Run) -> Section:
    """Tell of the headline's pattern, and in a table of the others."""
    first, *others = run.about.patterns
    found = _of_pattern(run, run.predictions, first)
    if not found:
        said = "No model of this run knows intervals. Those that were trained before have none."
        return Section("confidence", _TITLE, [Text([said])])
    parts: list[Part] = list(_of_headline(run, found))
    of_main = run.of_model(run.about.model)
    main = [(name, own) for name in others for own in _of_pattern(run, of_main, name)]
    if main:
        parts.append(_other_patterns(main))
    return Section("confidence", _TITLE, parts)


def _of_pattern(run: Run, answers: Sequence[Slice], pattern: str) -> list[Confidence]:
    """Return what `confidences` finds, in the order of the models."""
    about = run.about
    found = confidences(answers, pattern, about.rates, seed=about.seed, resamples=about.resamples)
    by_name = {own.model: own for own in found}
    return [by_name[name] for name in about.models if name in by_name]


def _of_headline(run: Run, found: list[Confidence]) -> Iterator[Part]:
    lead = found[0]
    yield Text(
        [
            "Around each prediction stands an interval that is to hold the label of "
            f"{lead.level:.0%} of clips like those of the validation split, on which its width was "
            "measured. The speakers of the test split are other people: what is left of the "
            "promise for them is shown here.",
            "The wider the interval, the less sure is the answer. Where answers are withheld, "
            "those with the widest intervals go first: an error that falls from right to left "
            "means that the width knows which answers are bad; a level line, that it does not.",
        ]
    )
    yield Figures(
        f"Pattern {run.about.patterns[0]}. Labels inside: share of the answers whose interval "
        "holds the label; dashed: what was promised; band: 95 % interval over clips, of the first "
        "model. MAE of what is kept: all missing rates together, each counts the same.",
        [_covered(run, found), _widths(run, found), _risk(run, found)],
    )
    rows: list[Sequence[Cell]] = [
        [
            Cell(f"{at.rate:g}"),
            Cell(f"{at.covered:.0%}", _percent(at.covered_interval)),
            Cell(f"{at.width:.2f}"),
            Cell(f"{_sure(run, at.width):.2f}"),
        ]
        for at in lead.rates
    ]
    yield Table(
        f"Intervals of {lead.model} over the missing rate",
        ["missing rate", "labels inside", "mean width", "mean confidence"],
        rows,
        f"Promised: {lead.level:.0%}. Small: 95 % intervals over clips, or groups where there are "
        "ten or more. Confidence: share of the scale that an interval rules out.",
    )
    yield Table(
        f"What is kept when the least confident answers of {lead.model} are withheld",
        ["kept", "MAE", "labels inside", "confidence at least"],
        [
            row(
                f"{kept.share:.0%}",
                f"{kept.mae:.3f}",
                f"{kept.covered:.0%}",
                f"{_floor(_sure(run, kept.width)):.2f}",
            )
            for kept in lead.kept
        ],
        "The last column is what lnln predict --min-confidence takes. Intervals promise nothing of "
        "a part of the answers.",
    )


def _other_patterns(found: list[tuple[str, Confidence]]) -> Table:
    rows = []
    for name, own in found:
        told = own.asdict()
        rows.append(row(name, f"{told['covered']:.0%}", f"{told['width']:.2f}"))
    return Table(
        f"Intervals of {found[0][1].model} under other patterns, means over the missing rates",
        ["pattern", "labels inside", "mean width"],
        rows,
        "Widths were measured under the pattern random; under others nothing is promised.",
    )


def _covered(run: Run, found: list[Confidence]) -> Markup:
    lead = found[0]
    rates = [at.rate for at in lead.rates]
    bands = [at.covered_interval or [np.nan, np.nan] for at in lead.rates]
    with axes("confidence-covered", height=3.4) as drawn:
        drawn.axes.axhline(lead.level, ls="--", color=INK, lw=1, zorder=1)
        drawn.axes.fill_between(
            rates,
            [low for low, _ in bands],
            [high for _, high in bands],
            color=style(run.about.models.index(lead.model))[0],
            alpha=0.12,
            lw=0,
            zorder=1,
        )
        lines = {own.model: [(at.rate, at.covered) for at in own.rates] for own in found}
        return _finished(drawn, run, lines, "missing rate r", "Labels inside the interval")


def _widths(run: Run, found: list[Confidence]) -> Markup:
    with axes("confidence-width", height=3.4) as drawn:
        lines = {own.model: [(at.rate, at.width) for at in own.rates] for own in found}
        return _finished(drawn, run, lines, "missing rate r", "Width of the interval")


def _risk(run: Run, found: list[Confidence]) -> Markup:
    with axes("confidence-risk", height=3.4) as drawn:
        lines = {own.model: [(kept.share, kept.mae) for kept in own.kept] for own in found}
        return _finished(drawn, run, lines, "share of the answers kept", "MAE of what is kept")


def _finished(
    drawn: Drawn, run: Run, lines: dict[str, list[tuple[float, float]]], over: str, title: str
) -> Markup:
    """Draw a line per model, in the colour that it has in every chapter."""
    told = []
    for model, points in lines.items():
        place = run.about.models.index(model)
        colour, line = style(place)
        x, y = [x for x, _ in points], [y for _, y in points]
        drawn.axes.plot(
            x,
            y,
            line,
            color=colour,
            label=model,
            ms=4,
            lw=2.2 if place == 0 else 1.3,
            zorder=4 - place / len(run.about.models),
        )
        told.append(ends(model, x, y))
    drawn.axes.set(xlabel=over, title=title)
    drawn.axes.grid(alpha=1, lw=0.6)
    legend_below(drawn)
    return drawn.svg(f"{title} over the {over}", " ".join(told))


def _sure(run: Run, width: float) -> float:
    return float(confidence_of(0.0, width, run.about.label_range))


def _floor(value: float) -> float:
    """Round down to two digits, so that as a threshold it keeps what it was read from."""
    return math.floor(100 * value + 1e-9) / 100


def _percent(ends: list[float] | None) -> str:
    return "" if ends is None else interval(100 * ends[0], 100 * ends[1], 0) + " %"
