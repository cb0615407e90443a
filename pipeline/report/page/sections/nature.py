"""Chapter: what was missing by nature, before anything was dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from contracts.schemas import MODALITIES, SPLITS
from pipeline.report.figures import REASONS, state_of
from pipeline.report.page.drawing import INK, axes
from pipeline.report.page.parts import Figures, Section, Table, number, row
from pipeline.report.page.run import Run

_HATCHES = ("", "", "////", "..", "xxxx", "\\\\\\\\", "oo", "++", "----")

Bars = dict[tuple[str, str], Counter[str]]


def nature(run: Run) -> Section:
    """Count the clips of every split by what could be observed of each modality, and why not."""
    splits = [s for s in SPLITS if any(clip["split"] == s for clip in run.observed)]
    counts: Bars = {}
    shares: dict[tuple[str, str], list[float]] = {}
    for split in splits:
        own = [clip for clip in run.observed if clip["split"] == split]
        for modality in MODALITIES:
            found = [clip[f"observed_{modality}"] for clip in own]
            counts[split, modality] = Counter(state_of(clip) for clip in found)
            shares[split, modality] = [clip["share"] for clip in found if clip is not None]
    shown = [reason for reason in REASONS if any(c[reason] for c in counts.values())]
    return Section(
        "nature",
        "Missing by nature",
        [
            Figures(
                "What could be observed of the clips, before anything was dropped.",
                [_drawing(counts, shown)] if counts else [],
                size="wide",
            ),
            _table(counts, shares, shown),
        ],
    )


def _table(counts: Bars, shares: dict[Any, list[float]], shown: Sequence[str]) -> Table:
    rows = [
        row(
            f"{split}, {modality}",
            str(counted.total()),
            number(_mean(shares[split, modality])),
            *(str(counted[reason] or "–") for reason in shown),
        )
        for (split, modality), counted in counts.items()
    ]
    return Table(
        "Clips by what could be observed",
        ["split, modality", "clips", "mean share observed", *shown],
        rows,
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _drawing(counts: Bars, shown: Sequence[str]) -> Markup:
    hatches = dict(zip(REASONS, _HATCHES, strict=True))
    with axes("nature", width=7.2, height=1.0 + 0.27 * len(counts)) as drawn:
        left = [0.0] * len(counts)
        for reason in shown:
            widths = [counted[reason] / counted.total() for counted in counts.values()]
            drawn.axes.barh(
                range(len(counts)),
                widths,
                left=left,
                height=0.8,
                color=REASONS[reason],
                hatch=hatches[reason],
                edgecolor=INK,
                lw=0.5,
                label=reason,
            )
            left = [a + b for a, b in zip(left, widths, strict=True)]
        names = [f"{split} {modality}" for split, modality in counts]
        drawn.axes.set_yticks(range(len(counts)), names)
        drawn.axes.invert_yaxis()
        drawn.axes.set(xlim=(0, 1), xlabel="share of the clips")
        drawn.axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
        told = (
            f"{split} {modality}: "
            + ", ".join(f"{counted[reason]} {reason}" for reason in shown if counted[reason])
            for (split, modality), counted in counts.items()
        )
        return drawn.svg("What could be observed of the clips", "; ".join(told) + ".")
