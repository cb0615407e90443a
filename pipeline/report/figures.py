"""Figures of a run, as PNG: to look at, and for the README."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from contracts.files import replacing
from contracts.schemas import MODALITIES

LABELS = {"lnln": "LNLN", "ridge": "ridge on pooled features", "constant": "constant"}
COLOURS = {"lnln": "#1f5fa8", "ridge": "#d9822b", "constant": "#888888"}
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
STYLES = {"lnln": "o-", "ridge": "s--", "constant": ":"}


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
            _state(clip)
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
    shown = {_state(clip) for column in columns for clip in column}
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


def _state(clip: dict[str, Any] | None) -> str:
    if clip is None:
        return "quarantined"
    if clip["missing"]:
        return str(clip["missing"])
    return "complete" if clip["share"] == 1 else "with gaps"


def plot_rates(by_rate: list[dict[str, Any]], path: Path) -> None:
    """Plot MAE and Corr over the missing rate, LNLN beside its floors.

    Parameters
    ----------
    by_rate : list of dict
        `lnln.evaluation.judging.Evaluation.by_rate`; a deviation over seeds is a band.
    path : Path
        PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (metric, title) in zip(
        figure.subplots(1, 2), {"mae": "MAE (less is better)", "corr": "Corr"}.items(), strict=True
    ):
        for predictor, label in LABELS.items():
            points = [
                (row["rate"], row[metric])
                for row in by_rate
                if row["predictor"] == predictor and row[metric] is not None
            ]
            if points:
                axes.plot(
                    *zip(*points, strict=True),
                    STYLES[predictor],
                    label=label,
                    ms=4,
                    color=COLOURS[predictor],
                )
            band = [
                (row["rate"], row[metric] - spread, row[metric] + spread)
                for row in by_rate
                if row["predictor"] == predictor and (spread := row.get(f"{metric}_deviation"))
            ]
            if band:
                axes.fill_between(*zip(*band, strict=True), color=COLOURS[predictor], alpha=0.2)
        axes.set(xlabel="missing rate r", title=title)
        axes.grid(alpha=0.3)
    figure.axes[0].legend(frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png", metadata={"Software": None})
