"""What the picture of a clip shows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from extractors.following import FollowedFace
    from lnln.explaining.explanation import Part
    from lnln.prediction import Prediction

Span = tuple[float, float]  # begin and end, s from the beginning of the clip


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes
    ----------
    time_s : float
    picture : array, [height, width, 3] uint8
    points : array, [478, 2], or None
        Landmarks of the face that was followed, pixels; None where it was not seen.
    """

    time_s: float
    picture: np.ndarray
    points: np.ndarray | None


@dataclass(frozen=True)
class Sound:
    """The sound of a clip.

    Attributes
    ----------
    least, greatest : array, [bins]
        Of the samples in each of equally long bins, full scale is 1.
    step_s : float
        Time between rows of `level` and `pitch`.
    level : array, [rows]
        RMS, full scale is 1; NaN where nothing was observed.
    pitch : array, [rows]
        Hz, as the model gets it: interpolated where there is no voice, NaN where nothing was
        observed.
    voiced : array, [rows] bool
        Where there is a voice beyond doubt.
    """

    least: np.ndarray
    greatest: np.ndarray
    step_s: float
    level: np.ndarray
    pitch: np.ndarray
    voiced: np.ndarray


@dataclass(frozen=True)
class Scale:
    """What answers of the model are measured on.

    Attributes
    ----------
    label_range : tuple of float
    level : float or None
        Share of the labels that an interval is to hold.
    notice : str or None
        What the model was trained on.
    """

    label_range: tuple[float, float]
    level: float | None
    notice: str | None


@dataclass(frozen=True)
class Subject:
    """A clip and all that is shown of it.

    Attributes
    ----------
    name : str
        Of the file.
    duration_s : float
    frames : list of Frame
        Empty where there is no picture.
    sound : Sound
    face : FollowedFace
    observed : dict of str to list of Span
        Where something of voice and face was observed.
    prediction : Prediction
        With its explanation, where there is a prediction.
    scale : Scale
    doubted : tuple of Part
        Words that were recognised and are not believed: the model did not read them.
    """

    name: str
    duration_s: float
    frames: list[Frame]
    sound: Sound
    face: FollowedFace
    observed: dict[str, list[Span]]
    prediction: Prediction
    scale: Scale
    doubted: tuple[Part, ...] = ()

    @property
    def words(self) -> tuple[Part, ...]:
        """Words that are read, each with what it did to the answer; none without a prediction."""
        explanation = self.prediction.explanation
        return () if explanation is None else explanation.words


def spans(flags: np.ndarray, step_s: float, end_s: float) -> list[Span]:
    """Join rows that follow each other into spans of time.

    Parameters
    ----------
    flags : array, [rows] bool
    step_s : float
        Time between rows, s.
    end_s : float
        Of the clip; no span ends later.
    """
    return [
        (first * step_s, min(last * step_s, end_s)) for first, last, flag in runs(flags) if flag
    ]


def runs(kinds: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Join rows of the same kind that follow each other.

    Parameters
    ----------
    kinds : array, [rows] int or bool

    Yields
    ------
    tuple of (int, int, int)
        The first row, that after the last, and their kind.
    """
    changes = np.flatnonzero(np.diff(kinds)) + 1
    for first, last in itertools.pairwise([0, *changes.tolist(), len(kinds)]):
        if last > first:
            yield first, last, int(kinds[first])
