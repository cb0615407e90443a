"""Figures of a run, as PNG: to look at, and for the README."""

from pathlib import Path
from typing import Any

from extractors.tables import replacing

LABELS = {"lnln": "LNLN", "ridge": "ridge on pooled features", "constant": "constant"}
COLOURS = {"lnln": "#1f5fa8", "ridge": "#d9822b", "constant": "#888888"}
STYLES = {"lnln": "o-", "ridge": "s--", "constant": ":"}


def plot_rates(by_rate: list[dict[str, Any]], path: Path) -> None:
    """Plot MAE and Corr over the missing rate, LNLN beside its floors.

    Parameters
    ----------
    by_rate : list of dict
        `lnln.evaluation.Evaluation.by_rate`.
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
        axes.set(xlabel="missing rate r", title=title)
        axes.grid(alpha=0.3)
    figure.axes[0].legend(frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png", metadata={"Software": None})
