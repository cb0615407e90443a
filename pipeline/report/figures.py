"""Figures of a run, as PNG: to look at, and for the README."""

from itertools import cycle
from pathlib import Path
from typing import Any

import pyarrow as pa

from contracts.files import replacing
from contracts.schemas import MODALITIES

# Colours that the colour-blind tell apart (Okabe and Ito), and lines that do without colours.
STYLES = (
    ("#0072b2", "o-"),
    ("#009e73", "^-."),
    ("#d55e00", "s--"),
    ("#cc79a7", "v:"),
    ("#777777", ":"),
    ("#e69f00", "D-"),
    ("#56b4e9", "x--"),
)
REASONS = {  # what kept a modality from being observed, and its colour
    "complete": "#2e7d5b",
    "with gaps": "#9ccbb0",
    "no transcript": "#d9822b",
    "no speech": "#f2c28b",
    "no audio track": "#b5473c",
    "silence": "#e5a39b",
    "no picture": "#5b4a8a",
    "no face": "#b3a6d6",
    "quarantined": "#444444",
}


def plot_observed(observed: pa.Table, path: Path) -> None:
    """Plot what share of the clips is complete, has gaps, or lacks a modality and why.

    Parameters
    ----------
    observed : pa.Table
        As `extractors.observation.observe` makes it.
    path : Path
        PNG to write.
    """
    from matplotlib.figure import Figure

    splits = observed["split"].to_pylist()
    present = [split for split in ("train", "valid", "test") if split in splits]
    bars = [(split, modality) for split in present for modality in MODALITIES]
    figure = Figure(figsize=(9, 0.7 + 0.34 * len(bars)), layout="constrained")
    axes = figure.subplots()
    for place, (split, modality) in enumerate(bars):
        clips = [
            state_of(clip)
            for clip, of in zip(observed[f"observed_{modality}"].to_pylist(), splits, strict=True)
            if of == split
        ]
        left = 0.0
        for state, colour in REASONS.items():
            share = clips.count(state) / len(clips)
            axes.barh(place, share, left=left, color=colour, height=0.8)
            if share > 0.02:
                axes.text(
                    left + share / 2,
                    place,
                    str(clips.count(state)),
                    ha="center",
                    va="center",
                    fontsize=8,
                )
            left += share
    columns = [observed[f"observed_{modality}"].to_pylist() for modality in MODALITIES]
    shown = {state_of(clip) for column in columns for clip in column}
    handles = [
        axes.barh(0, 0, color=REASONS[state], label=state) for state in REASONS if state in shown
    ]
    axes.set_yticks(range(len(bars)), [f"{split} {modality}" for split, modality in bars])
    axes.invert_yaxis()
    axes.set(
        xlim=(0, 1), xlabel="share of the clips (numbers: clips)", title="what could be observed"
    )
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png", metadata={"Software": None})


def state_of(clip: dict[str, Any] | None) -> str:
    """Say what could be observed of a modality of a clip: a key of `REASONS`."""
    if clip is None:
        return "quarantined"
    if clip["missing"]:
        return str(clip["missing"])
    return "complete" if clip["share"] == 1 else "with gaps"


def plot_rates(by_rate: list[dict[str, Any]], models: list[str], path: Path) -> None:
    """Plot MAE and Corr over the missing rate, a model beside its floors.

    Parameters
    ----------
    by_rate : list of dict
        Rows of `lnln.evaluation.summary.over_seeds`; a deviation over seeds is a band.
    models : list of str
        In the order of the legend.
    path : Path
        PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    titles = {"mae": "MAE (less is better)", "corr": "Corr"}
    for axes, (metric, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for model, (colour, style) in zip(models, cycle(STYLES), strict=False):
            rows = [r for r in by_rate if r["model"] == model and r[metric] is not None]
            if not rows:
                continue
            rates = [row["rate"] for row in rows]
            axes.plot(rates, [r[metric] for r in rows], style, label=model, ms=4, color=colour)
            if all(row[f"{metric}_deviation"] for row in rows):
                low, high = (
                    [row[metric] + sign * row[f"{metric}_deviation"] for row in rows]
                    for sign in (-1, 1)
                )
                axes.fill_between(rates, low, high, color=colour, alpha=0.2, lw=0)
        axes.set(xlabel="missing rate r", title=title)
        axes.grid(alpha=0.3)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False
    )
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png", metadata={"Software": None})
