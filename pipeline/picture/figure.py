"""The whole picture of a clip."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.files import replacing
from contracts.printable import printable
from extractors.following import contours
from pipeline.picture.bands import draw_answer, draw_bands, draw_movements, draw_stretches
from pipeline.picture.frames import draw_frame
from pipeline.picture.sound import draw_pitch, draw_wave
from pipeline.picture.subject import Subject
from pipeline.picture.words import draw_words, timed
from pipeline.report.look import METADATA, look, settle
from pipeline.report.tables import word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 11.0, 10.2  # inches
_ROWS = {"wave": 1.0, "pitch": 0.7, "words": 0.85, "observed": 0.85, "stretches": 0.9, "face": 1.2}


def draw(figure: Figure, subject: Subject) -> None:
    """Draw a clip into an empty figure of `WIDTH` by `HEIGHT` inches."""
    whole = figure.add_gridspec(3, 1, height_ratios=[1.55, sum(_ROWS.values()), 1.35])
    _frames(figure, whole[0], subject)
    explanation, end_s = subject.prediction.explanation, subject.duration_s
    grid = whole[1].subgridspec(len(_ROWS), 1, height_ratios=[*_ROWS.values()])
    panels = {name: figure.add_subplot(grid[place]) for place, name in enumerate(_ROWS)}
    draw_wave(panels["wave"], subject.sound, end_s)
    draw_pitch(panels["pitch"], subject.sound, end_s)
    draw_words(panels["words"], subject)
    draw_bands(panels["observed"], subject)
    draw_stretches(panels["stretches"], explanation)
    draw_movements(panels["face"], subject)
    titles = {
        "wave": "waveform",
        "pitch": "pitch",
        "words": "words" if timed(subject.words) else "words\n(times not\nknown)",
        "stretches": "moved by\neach half\nsecond",
    }
    for name, axes in panels.items():
        axes.set_xlim(0, end_s)
        axes.grid(axis="x", alpha=0.6)
        axes.set_axisbelow(True)
        if name != "face":
            axes.tick_params(axis="x", labelbottom=False)
        if name in titles:
            axes.set_ylabel(titles[name], rotation=0, ha="right", va="center", fontsize=8)
        axes.tick_params(labelsize=8)
    panels["face"].set_xlabel("s", fontsize=8)
    answer = figure.add_subplot(whole[2])
    draw_answer(answer, subject)
    answer.tick_params(labelsize=8)
    figure.align_ylabels([*panels.values()])


def headline(subject: Subject) -> str:
    """Say in one line what the answer is."""
    prediction, scale = subject.prediction, subject.scale
    if prediction.prediction is None:
        return "no prediction"
    said = f"{prediction.prediction:+.2f} {word(prediction.prediction, scale.label_range)}"
    if prediction.low is not None and prediction.high is not None and scale.level is not None:
        said += f", {prediction.low:+.2f} … {prediction.high:+.2f} ({scale.level:.0%})"
    return said


def remarks(subject: Subject) -> list[str]:
    """List what is to be known of the answer, that of the model last."""
    notice = subject.scale.notice
    own = [printable(told) for told in subject.prediction.warnings if told != notice]
    return own + ([f"This model was {printable(notice)}."] if notice else [])


def write_picture(subject: Subject, svg: Path, png: Path) -> None:
    """Write the picture of a clip as SVG and as PNG; the same clip gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(look("clip")):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained", facecolor="white")
        draw(figure, subject)
        title = f"{printable(subject.name)}\n{headline(subject)}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, parse_math=False)
        below = "\n".join(line for told in remarks(subject) for line in textwrap.wrap(told, 170))
        figure.supxlabel(below, x=0.01, ha="left", fontsize=7.5, parse_math=False)
        settle(figure)
        with replacing(svg) as temporary:
            figure.savefig(temporary, format="svg", metadata=METADATA["svg"])
        with replacing(png) as temporary:
            figure.savefig(temporary, format="png", dpi=130, metadata=METADATA["png"])


def _frames(figure: Figure, place: Any, subject: Subject) -> None:
    if not subject.frames:
        axes = figure.add_subplot(place)
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no picture", ha="center", va="center", fontsize=10)
        return
    lines = contours() if subject.face.seen.any() else []
    grid = place.subgridspec(1, len(subject.frames))
    for column, frame in enumerate(subject.frames):
        draw_frame(figure.add_subplot(grid[column]), frame, lines)
