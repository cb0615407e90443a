"""Find and follow faces that are too small for the landmarker's own detector.

That detector looks at a whole frame scaled down to 128 pixels, and needs a face of about 18: in a
picture of 16:9 one of a fifth to a quarter of the frame's height. Where it finds none, the frame is
looked at again in overlapping tiles of half its height; a face found there is looked at in a window
of the full resolution, and followed from window to window.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np

from extractors.vision.landmarks import FaceLandmarks, Window, faces_of

# Measured on 18 people of GRID and the Javanese clips: of faces 21 pixels high in the detector's
# 128 it finds 98 %, of 25 all, of 18 85 %, of 15 41 %. A tenth of 256 pixels is 25.
_TILE = 128  # pixels
_FRAME_HEIGHT = 256  # of the frame that is cut into tiles, pixels
_STRIDE = 68  # pixels from tile to tile, at most; what is not cut by a tile's edge can be as large
_SHARE = 0.4  # of a window's side, the height of the face in it
_NEAR = 0.5  # face heights: what is closer is the same face
_KEPT_S = 1.0  # how long a face is looked for where it was
_LONGEST_S = 2.0  # between two searches


class _Place(NamedTuple):
    """A small face that is followed, and the row in which it was seen last."""

    face: FaceLandmarks
    row: int


class SmallFaces:
    """Small faces in one clip, frame by frame.

    Tiles are searched in the first frame in which no face is found. After every search in vain the
    next waits twice as long, up to 2 s; every row with a face shortens the wait by half a row. A
    face once found is followed in a window around its last position, for 1 s longer than it is
    seen, and others are searched for every 2 s.

    Parameters
    ----------
    landmarker : callable
        Makes a landmarker for single images, when it is first needed.
    most : int
        Faces followed at a time.
    step_s : float
        Time between rows, s.
    """

    def __init__(self, landmarker: Callable[[], Any], most: int, step_s: float) -> None:
        self._make = landmarker
        self._landmarker: Any = None
        self._most = most
        self._kept = _KEPT_S / step_s
        self._longest = max(_LONGEST_S / step_s, 1.0)
        self._wait = 1.0  # rows between two searches while no face is seen
        self._searched = -math.inf  # row of the last search
        self._places: list[_Place] = []

    def add(self, row: int, picture: np.ndarray, faces: list[FaceLandmarks]) -> list[FaceLandmarks]:
        """Faces of a frame, with the small ones.

        Parameters
        ----------
        row : int
            After all rows before.
        picture : ndarray, uint8 [height, width, 3]
        faces : list of FaceLandmarks
            What was found in the whole frame.

        Returns
        -------
        list of FaceLandmarks
            `faces` as they are, and then the small ones.
        """
        seen = list(faces)
        places: list[_Place] = []
        for place in self._places:
            face = _nearest(place.face, seen, picture)
            if face is None:
                face = self._closer(place.face, picture)
                if face is not None and _nearest(face, seen, picture) is None:
                    seen.append(face)
            if face is None and row - place.row < self._kept:
                places.append(place)
            elif face is not None and all(face is not other.face for other in places):
                places.append(_Place(face, row))
        if not faces and row - self._searched >= (self._longest if seen else self._wait):
            self._searched = row
            for face in self._search(picture, seen):
                seen.append(face)
                places.insert(0, _Place(face, row))
            if not seen:
                self._wait = min(2 * self._wait, self._longest)
        elif seen:
            self._wait = max(self._wait - 0.5, 1.0)
        self._places = places[: self._most]
        return seen

    def _search(self, picture: np.ndarray, seen: list[FaceLandmarks]) -> list[FaceLandmarks]:
        """Faces in the tiles of a frame that are not among those seen."""
        height, width = picture.shape[:2]
        size = max(round(width * _FRAME_HEIGHT / height), 1), _FRAME_HEIGHT
        shrinks = height > _FRAME_HEIGHT
        small = cv2.resize(
            picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        new: list[FaceLandmarks] = []
        for window in _tiles(small):
            for face in self._look(small, window):
                if len(seen) + len(new) >= self._most:
                    return new
                if _nearest(face, seen + new, picture) is None:
                    sharp = self._closer(face, picture)
                    if sharp is not None and _nearest(sharp, seen + new, picture) is None:
                        new.append(sharp)
        return new

    def _closer(self, face: FaceLandmarks, picture: np.ndarray) -> FaceLandmarks | None:
        """The face that is seen in a window around where one was."""
        height, width = picture.shape[:2]
        middle, size = _place(face, picture)
        side = min(max(round(size / _SHARE), 1), height, width)
        left = min(max(round(middle.real - side / 2), 0), width - side)
        top = min(max(round(middle.imag - side / 2), 0), height - side)
        found = self._look(picture, Window(left, top, side, side))
        return min(found, key=lambda f: abs(_place(f, picture)[0] - middle), default=None)

    def _look(self, picture: np.ndarray, window: Window) -> list[FaceLandmarks]:
        import mediapipe as mp

        if self._landmarker is None:
            self._landmarker = self._make()
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=window.of(picture))
        found = faces_of(self._landmarker.detect(image))
        return [face.in_frame(window, picture) for face in found]


def _tiles(picture: np.ndarray) -> list[Window]:
    """Overlapping tiles that cover a picture [height, width, 3]."""
    height, width = picture.shape[:2]
    return [
        Window(left, top, min(_TILE, width), min(_TILE, height))
        for top in _starts(height)
        for left in _starts(width)
    ]


def _starts(length: int) -> list[int]:
    """Where tiles along a side begin."""
    last = max(length - _TILE, 0)
    return [round(start) for start in np.linspace(0, last, math.ceil(last / _STRIDE) + 1)]


def _nearest(
    face: FaceLandmarks, others: list[FaceLandmarks], picture: np.ndarray
) -> FaceLandmarks | None:
    """The one of the other faces that is in the same place; None if there is none."""
    middle, size = _place(face, picture)
    for other in others:
        centre, other_size = _place(other, picture)
        if abs(middle - centre) < _NEAR * max(size, other_size):
            return other
    return None


def _place(face: FaceLandmarks, picture: np.ndarray) -> tuple[complex, float]:
    """Middle, x + iy, and height of a face, pixels."""
    corners = face.corners(picture)
    return complex(*corners.mean(0)), float(np.ptp(corners, axis=0).max())
