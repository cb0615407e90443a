"""Where the face is in the picture, small enough to be kept and sent: its box and its lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from extractors.following import contours, followed
from pipeline.serve.answers import FaceLines, FaceRow

_DIGITS = 3  # of a coordinate: a pixel in a frame of 1000


@dataclass(frozen=True)
class FaceTrack:
    """The face that was followed through all clips of a video.

    Attributes
    ----------
    step_s : float
        Time between rows, s; 0 without rows.
    times : array, [rows] float64
        Where each row begins, s from the beginning of the video; rows without a face are left out.
    boxes : array, [rows, 4] float32
        Left, top, right and bottom, in frame widths and heights.
    points : array, [rows, points, 2] float32
        Of the lines that are drawn.
    movements : dict of str to list of str
        By clip, what the face does most.
    """

    step_s: float
    times: np.ndarray
    boxes: np.ndarray
    points: np.ndarray
    movements: dict[str, list[str]]

    @classmethod
    def of(cls, vision: pa.Table, begins: Iterable[tuple[str, float]]) -> FaceTrack:
        """Take it from features with landmarks.

        Parameters
        ----------
        vision : pa.Table
        begins : iterable of (clip_id, float)
            The clips in order, and where each begins in the video, s.
        """
        used, _ = _lines()
        times: list[np.ndarray] = [np.zeros(0)]
        boxes: list[np.ndarray] = [np.zeros((0, 4))]
        points: list[np.ndarray] = [np.zeros((0, len(used), 2))]
        movements, step_s = {}, 0.0
        for clip_id, begin_s in begins:
            face = followed(vision, clip_id)
            step_s = face.step_s
            seen = np.flatnonzero(face.seen)
            times.append(begin_s + seen * face.step_s)
            boxes.append(face.boxes[seen])
            points.append(face.points[seen][:, used])
            movements[clip_id] = face.strongest()
        return cls(
            step_s,
            np.concatenate(times),
            np.concatenate(boxes).astype(np.float32),
            np.concatenate(points).astype(np.float32),
            movements,
        )

    def within(self, start_s: float, end_s: float) -> FaceLines:
        """The rows of a stretch of the video."""
        first, last = np.searchsorted(self.times, [start_s - self.step_s, end_s])
        _, lines = _lines()
        rows = [
            FaceRow(time_s=round(float(time), 3), box=box, points=points)
            for time, box, points in zip(
                self.times[first:last],
                np.round(self.boxes[first:last].astype(np.float64), _DIGITS).tolist(),
                np.round(self.points[first:last].astype(np.float64), _DIGITS).tolist(),
                strict=True,
            )
        ]
        return FaceLines(step_s=self.step_s, lines=lines, rows=rows)


def _lines() -> tuple[list[int], list[tuple[int, int]]]:
    """Landmarks that lines go through, and the lines as pairs of places in that list."""
    pairs = contours()
    used = sorted({landmark for pair in pairs for landmark in pair})
    place = {landmark: i for i, landmark in enumerate(used)}
    return used, [(place[a], place[b]) for a, b in pairs]
