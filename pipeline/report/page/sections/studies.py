"""Chapter: what the studies found, where they were run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.report.page.drawing import INK, axes, style
from pipeline.report.page.markdown import tables
from pipeline.report.page.parts import Figures, Part, Section
from pipeline.report.page.run import Run
from pipeline.report.page.standings import LEVEL

_VARIED = {  # studies that compare a model with itself as it is
    "ablations": "Parts left out",
    "weights": "Other weights of the losses",
    "adversarial": "Other adversarial settings",
}
_OTHERS = {
    "damaged": "Damaged raw clips",
    "compare": "All models, the same budget",
    "pairs": "Each model beside LNLN",
    "extreme": "Extreme missing rates, and single modalities",
    "habit": "What choosing the epoch on the test split would give: wrong as a result",
}


def studies(run: Run) -> Section | None:
    """Lay out the tables of the studies, those about LNLN as drawings too; None without any."""
    found = list(_parts(run))
    return Section("studies", "Studies", found) if found else None


def _parts(run: Run) -> Iterator[Part]:
    files = sorted((run.studies / "tables").glob("*.md"))
    order = [*_VARIED, *_OTHERS]
    known = [f for f in files if f.stem.split("-")[0] in order]
    known.sort(key=lambda f: order.index(f.stem.split("-")[0]))
    for file in known:
        kind, _, corpus = file.stem.partition("-")
        title = (_VARIED | _OTHERS)[kind] + (f", corpus {corpus}" if corpus else "")
        pairs = run.findings.get(kind, {}).get("pairs", []) if kind in _VARIED else []
        if any(pair["difference"] is not None for pair in pairs):
            yield Figures(
                f"{title}. Right of the line is worse than the whole. Lines: paired 95 % "
                f"intervals. Filled: told apart at {LEVEL:.0%}, corrected after Holm.",
                [_forest(kind, pairs)],
                size="wide",
            )
        yield from tables(file, title)


def _forest(study: str, pairs: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw differences with their intervals, one below the other."""
    known = [pair for pair in pairs if pair["difference"] is not None]
    told = []
    with axes(f"studies-{study}", width=6.4, height=0.9 + 0.26 * len(known)) as drawn:
        drawn.axes.axvline(0, color=INK, lw=1)
        for place, pair in enumerate(known):
            apart = pair["p_holm"] is not None and pair["p_holm"] < LEVEL
            colour = style(0)[0]
            if pair["low"] is not None and pair["high"] is not None:
                drawn.axes.plot([pair["low"], pair["high"]], [place, place], color=colour, lw=1.6)
            drawn.axes.plot(
                pair["difference"], place, "o", color=colour, mfc=colour if apart else "none", ms=6
            )
            told.append(
                f"{pair['a']}: {pair['difference']:+.3f}" + (", told apart" if apart else "")
            )
        drawn.axes.set_yticks(range(len(known)), [pair["a"] for pair in known])
        drawn.axes.invert_yaxis()
        drawn.axes.set(xlabel=f"{known[0]['metric'].upper()} minus that of {known[0]['b']}")
        drawn.axes.grid(axis="x", lw=0.6)
        return drawn.svg(f"Differences to {known[0]['b']}: {_VARIED[study]}", "; ".join(told) + ".")
