"""Damage to the frames of a clip, one after the other, as time goes on."""

import math
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from extractors.damage.draws import generator
from extractors.damage.picture import blackened, blurred, covered, darkened, mean_light

_EPSILON_S = 1e-4  # time stamps are rounded to the container's clock
_HOLD_S = 0.5  # a face covers where it was seen within so long, before and after
_MARGIN = 0.15  # of the box around a face, by its height and width: hair, ears, chin


class Stretch(NamedTuple):
    """A clip, and where it is in the file, s."""

    clip_id: str
    begin_s: float
    end_s: float


class Boxes(NamedTuple):
    """Where a face is: at some times, s, the corners (left, top, right, bottom), 0 to 1."""

    times_s: np.ndarray  # float [sightings], rising
    corners: np.ndarray  # float [sightings, 4]


class Scene(NamedTuple):
    """What a damage is told of the picture that it is done to."""

    damage: str
    seed: int
    name: str  # of the file: what is drawn for all of it depends on it
    stretches: list[Stretch]
    find_face: Callable[[], Boxes]


class PictureDamage:
    """Damages the frames of a clip, in order, and counts; made of a severity and a scene.

    Attributes
    ----------
    anything : bool
        Whether there is anything in the picture to damage.
    """

    anything = True

    def frame(self, picture: np.ndarray, time_s: float) -> np.ndarray:
        """The damaged frame [height, width, 3] that is shown from `time_s` on."""
        raise NotImplementedError

    def realised(self) -> dict[str, float]:
        """What was done to all frames so far."""
        raise NotImplementedError


class _OverSpans(PictureDamage):
    """Acts on one span of each clip, drawn anywhere in it."""

    def __init__(self, share: float, scene: Scene) -> None:
        self._stretches = scene.stretches
        self._spans = []
        for stretch in scene.stretches:
            length_s = stretch.end_s - stretch.begin_s
            draw = generator(scene.seed, scene.damage, stretch.clip_id)
            begin_s = stretch.begin_s + draw.uniform() * (1 - share) * length_s
            self._spans.append((begin_s, begin_s + share * length_s))
        self._inside = self._frames = 0

    def span(self, time_s: float) -> int | None:
        """The number of the span that a time is in; counts the frame."""
        time_s += _EPSILON_S
        self._frames += any(s.begin_s <= time_s < s.end_s for s in self._stretches)
        for number, (begin_s, end_s) in enumerate(self._spans):
            if begin_s <= time_s < end_s:
                self._inside += 1
                return number
        return None

    def realised(self) -> dict[str, float]:
        return {"share": self._inside / max(self._frames, 1)}


class Black(_OverSpans):
    """Black frames over a share of each clip; its sound goes on."""

    def frame(self, picture: np.ndarray, time_s: float) -> np.ndarray:
        return picture if self.span(time_s) is None else blackened(picture)


class Frozen(_OverSpans):
    """The picture stands still over a share of each clip; its sound goes on."""

    _number: int | None = None
    _held: np.ndarray

    def frame(self, picture: np.ndarray, time_s: float) -> np.ndarray:
        number = self.span(time_s)
        if number is None or number != self._number:
            self._number, self._held = number, picture
        return self._held


class Blur(PictureDamage):
    """Every frame out of focus; `sharpness` is what remains of the variance of the Laplacian."""

    def __init__(self, sigma: float, scene: Scene) -> None:
        self._sigma = sigma
        self._before = self._after = 0.0

    def frame(self, picture: np.ndarray, time_s: float) -> np.ndarray:
        damaged = blurred(picture, self._sigma)
        self._before += float(cv2.Laplacian(picture, cv2.CV_32F).var())
        self._after += float(cv2.Laplacian(damaged, cv2.CV_32F).var())
        return damaged

    def realised(self) -> dict[str, float]:
        return {"sharpness": self._after / self._before if self._before else 1.0}


class LowLight(PictureDamage):
    """Every frame exposed too little; `stops` is how much darker the frames are, in linear light.

    It is less than asked for where there is so little light that the noise of the sensor is more.
    """

    def __init__(self, stops: float, scene: Scene) -> None:
        self._stops = stops
        self._draw = generator(scene.seed, scene.damage, scene.name)
        self._before = self._after = 0.0

    def frame(self, picture: np.ndarray, time_s: float) -> np.ndarray:
        damaged = darkened(picture, self._stops, self._draw)
        self._before += mean_light(picture)
        self._after += mean_light(damaged)
        return damaged

    def realised(self) -> dict[str, float]:
        if not self._before or not self._after:
            return {"stops": self._stops}
        return {"stops": math.log2(self._before / self._after)}


class CoveredFace(PictureDamage):
    """A box over a face, from the chin up over a share of its height, wherever it was seen."""

    def __init__(self, share: float, scene: Scene) -> None:
        self._share = share
        self._boxes = scene.find_face()
        self.anything = len(self._boxes.times_s) > 0
        self._covered = self._frames = 0

    def frame(self, picture: np.ndarray, time_s: float) -> np.ndarray:
        self._frames += 1
        near = np.abs(self._boxes.times_s - time_s) <= _HOLD_S
        if not near.any() or not self._share:
            return picture
        self._covered += 1
        corners = self._boxes.corners[near]
        left, top = corners[:, :2].min(0)
        right, bottom = corners[:, 2:].max(0)
        wide, high = _MARGIN * (right - left), _MARGIN * (bottom - top)
        left, top, right, bottom = left - wide, top - high, right + wide, bottom + high
        return covered(
            picture, np.array([left, bottom - self._share * (bottom - top), right, bottom])
        )

    def realised(self) -> dict[str, float]:
        return {"share": self._covered / max(self._frames, 1)}
