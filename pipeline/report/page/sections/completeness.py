"""Chapter: does w, the completeness that a model estimates, follow the truth?"""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from lnln.checkpoints.completeness import LEAST_CORRELATION, MOST_ERROR, w_withheld
from lnln.evaluation.metrics import correlation
from lnln.evaluation.table import Slice
from pipeline.report.page.drawing import GRID, INK, axes, style
from pipeline.report.page.parts import Figures, Part, Section, Table, Text, number, row
from pipeline.report.page.run import Run, Training

Values = NDArray[np.float64]

_BINS = 10  # of the true completeness
_CELLS = 20  # of the drawing, along each side


def completeness(run: Run) -> Section:
    """Compare w with the true completeness, over all rates of the headline's pattern."""
    drawings, rows = [], []
    trainings = run.trainings()
    for place, name in enumerate(run.about.models):
        estimates = _estimates(
            [s for s in run.of_model(name) if s.condition.pattern == run.about.patterns[0]]
        )
        if estimates is None:
            continue
        truth, w = estimates
        drawings.append(_drawing(name, place, truth, w))
        corr = correlation(truth, w)
        rows.append(
            row(
                name,
                f"{len(w):,}",
                number(float(np.abs(w - truth).mean())),
                number(float((w - truth).mean())),
                number(float(w.std())),
                number(corr),
                _shown([t for t in trainings if t.model == name]),
            )
        )
    title = "Estimated completeness w"
    if not rows:
        return Section("w", title, [Text(["No model of this run estimates the completeness."])])
    parts: list[Part] = [
        Text(
            [
                "w is what a model estimates of the share of the words that is left. Where it "
                "follows the truth it lies on the diagonal; where it is level, it says the same "
                "whatever is missing.",
                "People are shown it (by lnln predict) only where it was learned: where, on the "
                f"validation split, it correlates with the truth by at least {LEAST_CORRELATION:g} "
                f"and its mean distance from it is below {MOST_ERROR:g}.",
            ]
        ),
        Figures(
            "w over the true completeness of language, all missing rates together. Circles: "
            "answers, the larger the more. Squares: mean of w, with the middle 80 %.",
            drawings,
        ),
        Table(
            "w against the truth",
            [
                "model",
                "answers",
                "mean distance",
                "mean of w − truth",
                "spread of w",
                "correlation",
                "shown to people",
            ],
            rows,
            "A spread near 0 means that w says the same of every clip, whatever is missing.",
        ),
    ]
    return Section("w", title, parts)


def _shown(trainings: list[Training]) -> str:
    """Say whether w of a model's checkpoints passes on the validation split."""
    verdicts = []
    for training in trainings:
        at_best = {
            term.removeprefix("valid/"): dict(points).get(training.best_epoch or 0)
            for term, points in training.curves.items()
        }
        verdicts.append(w_withheld({"w_mae": None} | at_best) is None)
    if not verdicts:
        return "not known"
    if len(set(verdicts)) == 1:
        return "yes" if verdicts[0] else "no"
    return f"by {sum(verdicts)} of {len(verdicts)} trainings"


def _estimates(answers: list[Slice]) -> tuple[Values, Values] | None:
    truth = np.concatenate([s.completeness for s in answers] or [np.zeros(0)])
    w = np.concatenate([s.w for s in answers] or [np.zeros(0)])
    known = ~np.isnan(w)
    return (truth[known], w[known]) if known.any() else None


def _drawing(name: str, place: int, truth: Values, w: Values) -> Markup:
    counts, _, _ = np.histogram2d(truth, w, bins=_CELLS, range=((0, 1), (0, 1)))
    at = (np.arange(_CELLS) + 0.5) / _CELLS
    x, y = np.meshgrid(at, at, indexing="ij")
    there = counts > 0
    bins = np.minimum((truth * _BINS).astype(int), _BINS - 1)
    filled = [b for b in range(_BINS) if (bins == b).any()]
    centres = np.array([truth[bins == b].mean() for b in filled])
    means = np.array([w[bins == b].mean() for b in filled])
    low, high = (np.array([np.quantile(w[bins == b], q) for b in filled]) for q in (0.1, 0.9))
    with axes(f"w-{place}", height=3.7) as drawn:
        drawn.axes.plot([0, 1], [0, 1], "--", color=INK, lw=1)
        drawn.axes.scatter(
            x[there],
            y[there],
            s=2 + 120 * counts[there] / counts.max(),
            color=GRID,
            edgecolors=INK,
            linewidths=0.3,
        )
        drawn.axes.errorbar(
            centres,
            means,
            # The mean of skewed estimates can lie outside of their middle.
            yerr=np.stack([np.maximum(means - low, 0), np.maximum(high - means, 0)]),
            fmt="s-",
            color=style(place)[0],
            ms=5,
            capsize=2.5,
            lw=1.6,
        )
        drawn.axes.set(
            xlim=(-0.03, 1.03),
            ylim=(-0.03, 1.03),
            xlabel="true completeness",
            ylabel="w",
            title=name,
            aspect="equal",
        )
        said = ", ".join(f"{m:.2f} at {c:.2f}" for c, m in zip(centres, means, strict=True))
        return drawn.svg(
            f"w of {name} over the true completeness",
            f"Mean of w at the true completeness: {said}.",
        )
