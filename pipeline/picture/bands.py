"""Panels: what was observed when, and what each half second of voice and face did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contracts.schemas import MODALITIES
from pipeline.picture.colours import OBSERVED, QUIET, of
from pipeline.picture.subject import Span, Subject
from pipeline.picture.words import timed
from pipeline.report.tables import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lnln.explaining.explanation import Explanation


def draw_bands(axes: Axes, subject: Subject) -> None:
    """Draw a band per modality: full where it was observed, hatched where it was not read."""
    prediction, end_s = subject.prediction, subject.duration_s
    words = subject.words
    of_words: list[Span] = [(0.0, end_s)] if any(word.observed for word in words) else []
    if timed(words):
        of_words = [(w.start_s or 0.0, w.end_s or 0.0) for w in words if w.observed]
    observed = subject.observed | {"text": of_words}
    for line, modality in enumerate(MODALITIES):
        axes.broken_barh([(0, end_s)], (line + 0.2, 0.6), facecolor=QUIET, alpha=0.18)
        bars = [(begin_s, stop_s - begin_s) for begin_s, stop_s in observed[modality]]
        axes.broken_barh(bars, (line + 0.2, 0.6), facecolor=OBSERVED[modality], linewidth=0)
        read_s = prediction.read_s.get(modality)
        if read_s is not None and read_s < end_s - 1e-3:
            axes.broken_barh(
                [(read_s, end_s - read_s)],
                (line + 0.2, 0.6),
                facecolor="none",
                edgecolor=QUIET,
                hatch="////",
                linewidth=0.5,
            )
            axes.text(end_s, line + 0.01, "not read", ha="right", va="center", fontsize=6)
    axes.set(ylim=(len(MODALITIES), -0.2))
    shares = [f"{NAMES[m]} {prediction.observed[m]:.0%}" for m in MODALITIES]
    axes.set_yticks(np.arange(len(MODALITIES)) + 0.5, shares)
    axes.tick_params(axis="y", length=0)


def draw_stretches(axes: Axes, explanation: Explanation | None) -> None:
    """Draw what each half second of voice, and of face, added to the answer."""
    axes.axhline(0, color=QUIET, linewidth=0.6)
    parts = [] if explanation is None else [("audio", explanation.audio)]
    parts += [] if explanation is None else [("vision", explanation.vision)]
    most = 0.0
    for place, (modality, stretches) in enumerate(parts):
        for part in stretches:
            if not part.observed or part.start_s is None or part.end_s is None:
                continue
            width_s = (part.end_s - part.start_s) / 2
            axes.bar(
                part.start_s + (place + 0.5) * width_s,
                part.contribution,
                width=0.86 * width_s,
                color=OBSERVED[modality],
            )
            most = max(most, abs(part.contribution))
    limit = max(most, 0.02)
    axes.set(ylim=(-1.15 * limit, 1.7 * limit))  # with room for the legend
    axes.set_yticks([-limit, 0, limit])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:+.2f}" if value else "0")
    for modality in ("audio", "vision"):
        axes.bar(0, 0, color=OBSERVED[modality], label=NAMES[modality])
    axes.legend(loc="upper right", fontsize=7, ncols=2, handlelength=1, borderpad=0.1)


def draw_movements(axes: Axes, subject: Subject, most: int = 4) -> None:
    """Draw the strongest movements of the face, a line each, all on one scale."""
    face, names = subject.face, subject.face.strongest(most)
    if not names:
        axes.set(yticks=[], ylim=(0, 1))
        axes.text(subject.duration_s / 2, 0.5, "no face seen", ha="center", va="center", fontsize=8)
        return
    times = np.arange(len(face.seen)) * face.step_s
    highest = max(float(np.nanmax(face.movements[name])) for name in names)
    for line, name in enumerate(names):
        values = face.movements[name] / max(highest, 1e-6)
        axes.fill_between(
            times, line + 0.9, line + 0.9 - 0.8 * values, color=OBSERVED["vision"], alpha=0.75
        )
        axes.axhline(line + 0.9, color=QUIET, linewidth=0.4)
    axes.set(ylim=(len(names), 0))
    axes.set_yticks(np.arange(len(names)) + 0.6, names)
    axes.tick_params(axis="y", length=0)


def draw_answer(axes: Axes, subject: Subject) -> None:
    """Draw how the answer comes about: from that with nothing observed, modality by modality."""
    prediction, (low, high) = subject.prediction, subject.scale.label_range
    axes.set(xlim=(low, high), yticks=[])
    axes.set_xlabel("answer, on the scale of the labels", fontsize=8)
    explanation = prediction.explanation
    if explanation is None or prediction.prediction is None:
        axes.text((low + high) / 2, 0.5, "no prediction", ha="center", va="center", fontsize=9)
        axes.set_ylim(0, 1)
        return
    names, at = ["nothing observed"], explanation.nothing
    axes.plot([at], [0], "o", color=QUIET, markersize=5)
    reached = [at]
    for line, modality in enumerate(MODALITIES, start=1):
        share = explanation.modalities[modality]
        axes.barh(line, share, left=at, height=0.62, color=of(share))
        axes.plot([at, at], [line - 1, line], color=QUIET, linewidth=0.8)
        beyond, side = (max(at, at + share), "left") if share >= 0 else (at + share, "right")
        axes.annotate(
            f"{share:+.2f}" if prediction.observed[modality] else "not observed",
            (beyond, line),
            xytext=(4 if share >= 0 else -4, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=8,
        )
        at += share
        reached.append(at)
        names.append(NAMES[modality])
    line = len(names)
    if prediction.low is not None and prediction.high is not None:
        axes.barh(
            line,
            prediction.high - prediction.low,
            left=prediction.low,
            height=0.62,
            color=QUIET,
            alpha=0.3,
        )
    axes.plot([prediction.prediction], [line], "D", color=of(prediction.prediction), markersize=6)
    names.append("answer")
    room = 0.09 * (high - low)
    axes.set(xlim=(min(low, *reached) - room, max(high, *reached) + room), ylim=(line + 0.6, -0.6))
    axes.set_yticks(range(len(names)), names)
    axes.axvline(0, color=QUIET, linewidth=0.6, linestyle=":")
