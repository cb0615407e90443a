"""Panel: frames of the clip, with the face that was followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.picture.colours import OBSERVED
from pipeline.picture.subject import Frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGIN = 0.06  # of the face, between its outermost landmarks and its box


def draw_frame(axes: Axes, frame: Frame, lines: Sequence[tuple[int, int]]) -> None:
    """Draw one frame, the box of the face, and its landmarks joined by lines.

    Parameters
    ----------
    axes : Axes
    frame : Frame
    lines : sequence of (int, int)
        Pairs of landmarks, see `extractors.following.contours`.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Rectangle

    height, width = frame.picture.shape[:2]
    axes.imshow(frame.picture, aspect="equal", interpolation="antialiased")
    axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))
    axes.set_frame_on(False)
    label = f"{frame.time_s:.1f} s"
    if frame.points is None:
        label += ", no face seen"
    else:
        strokes = [frame.points[list(pair)] for pair in lines]
        axes.add_collection(LineCollection(strokes, colors="white", linewidths=0.5, alpha=0.9))
        corner, size = frame.points.min(axis=0), np.ptp(frame.points, axis=0)
        axes.add_patch(
            Rectangle(
                tuple(corner - _MARGIN * size),
                *(size * (1 + 2 * _MARGIN)),
                fill=False,
                edgecolor=OBSERVED["vision"],
                linewidth=1.4,
            )
        )
    axes.set_xlabel(label, fontsize=8, labelpad=3)
