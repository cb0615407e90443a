"""A timeline as a picture: scores with their intervals, and what could be observed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.files import replacing
from contracts.schemas import MODALITIES
from pipeline.report.look import METADATA, look, settle
from pipeline.report.tables import NAMES, word
from pipeline.timeline.recording import Timeline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# As in the report: the colour-blind tell them apart (Okabe and Ito).
COLOURS = {"negative": "#d55e00", "neutral": "#777777", "positive": "#0072b2"}
_OBSERVED = "#2e7d5b"


def draw(timeline: Timeline, path: Path) -> None:
    """Write a picture of a recording's timeline; the same timeline gives the same bytes.

    Each utterance is a line at its score within its interval; the dashed line is the mean over the
    recording, and the band around it is the spread. Below, per modality, the darker the more was
    observed.

    Parameters
    ----------
    timeline : Timeline
        Of one recording.
    path : Path
        PNG or SVG, as its ending says.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(look("timeline")):
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        _draw_into(figure, timeline)
        settle(figure)
        kind = path.suffix.lower().removeprefix(".")
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=130, format=kind, metadata=METADATA[kind])


def _draw_into(figure: Figure, timeline: Timeline) -> None:
    from matplotlib.ticker import FuncFormatter

    rows = timeline.table.to_pylist()
    low, high = timeline.about["label_range"]
    axes, bands = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    axes.axhline(0, color="#bbbbbb", lw=0.8)
    _draw_scores(axes, rows, (low, high))
    for mean in timeline.means:
        if mean.prediction is not None and mean.spread is not None:
            axes.axhline(mean.prediction, color="black", ls="--", lw=1)
            ends = mean.prediction - mean.spread, mean.prediction + mean.spread
            axes.axhspan(max(ends[0], low), min(ends[1], high), color="black", alpha=0.07, lw=0)
            axes.set_title(
                f"mean {mean.prediction:+.2f}, spread {mean.spread:.2f}, "
                f"{mean.scored} of {mean.utterances} utterances scored",
                fontsize=10,
            )
    axes.set(ylim=(low, high), ylabel="prediction")
    for place, modality in enumerate(reversed(MODALITIES)):
        spans = [(row["start_s"], row["end_s"] - row["start_s"]) for row in rows]
        shares = [(_OBSERVED, row[f"observed_{modality}"]) for row in rows]
        bands.broken_barh(spans, (place - 0.4, 0.8), facecolors=shares)
    bands.set_yticks(range(3), [NAMES[m] for m in reversed(MODALITIES)])
    bands.set(xlabel="time", ylim=(-0.6, 2.6))
    bands.set_xlim(0, max((mean.duration_s for mean in timeline.means), default=1.0))
    bands.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: clock(seconds)))


def _draw_scores(axes: Any, rows: list[dict[str, Any]], label_range: tuple[float, float]) -> None:
    from matplotlib.collections import LineCollection, PolyCollection

    scored = [row for row in rows if row["prediction"] is not None]
    colours = [COLOURS[word(row["prediction"], label_range)] for row in scored]
    boxes = [
        (
            colour,
            [
                (row["start_s"], row["low"]),
                (row["end_s"], row["low"]),
                (row["end_s"], row["high"]),
                (row["start_s"], row["high"]),
            ],
        )
        for row, colour in zip(scored, colours, strict=True)
        if row["low"] is not None
    ]
    axes.add_collection(
        PolyCollection([b for _, b in boxes], facecolors=[c for c, _ in boxes], alpha=0.18, lw=0)
    )
    lines = [[(row[end], row["prediction"]) for end in ("start_s", "end_s")] for row in scored]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=2.5))


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours where there are any: ``1:02:03``."""
    minutes, second = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{second:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"
