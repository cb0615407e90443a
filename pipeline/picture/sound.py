"""Panels: the waveform with its level, and the pitch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.picture.colours import OBSERVED, QUIET
from pipeline.picture.subject import Sound

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_PEAK = 0.02  # of full scale: noise below is not magnified to look like a voice


def draw_wave(axes: Axes, sound: Sound, duration_s: float) -> None:
    """Draw the waveform, and the level above it."""
    edges = np.linspace(0, duration_s, len(sound.least) + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    axes.fill_between(middles, sound.least, sound.greatest, color=QUIET, alpha=0.55, linewidth=0)
    times = np.arange(len(sound.level)) * sound.step_s
    axes.plot(times, sound.level, color=OBSERVED["audio"], linewidth=1.4, label="level (RMS)")
    peak = max(float(np.abs([sound.least, sound.greatest]).max()), _LEAST_PEAK)
    axes.set_ylim(-1.1 * peak, 1.7 * peak)  # with room for the legend
    axes.set_yticks([-peak, 0, peak], [f"−{peak:.2f}", "0", f"{peak:.2f}"])
    if np.isfinite(sound.level).any():
        axes.legend(loc="upper right", fontsize=7, handlelength=1.5, borderpad=0.1)
    else:
        axes.text(duration_s / 2, 0.5 * peak, "no sound observed", ha="center", fontsize=8)


def draw_pitch(axes: Axes, sound: Sound, duration_s: float) -> None:
    """Draw the pitch as the model gets it; dots are where there is a voice beyond doubt."""
    there = sound.pitch[np.isfinite(sound.pitch)]
    if not len(there):
        axes.set(yticks=[], ylim=(0, 1))
        axes.text(duration_s / 2, 0.5, "no pitch", ha="center", va="center", fontsize=8)
        return
    times = np.arange(len(sound.pitch)) * sound.step_s
    axes.plot(times, sound.pitch, color=OBSERVED["audio"], linewidth=0.9, alpha=0.5)
    at = sound.voiced & np.isfinite(sound.pitch)
    axes.plot(times[at], sound.pitch[at], ".", color=OBSERVED["audio"], markersize=5)
    low, high = float(there.min()), float(there.max())
    room = max(0.15 * (high - low), 5.0)
    axes.set_ylim(low - room, high + room)
    ends = [low, high] if high - low >= 10 else [(low + high) / 2]
    axes.set_yticks(ends, [f"{end:.0f} Hz" for end in ends])
