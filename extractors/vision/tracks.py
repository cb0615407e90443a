"""Follow the people in a clip from frame to frame.

Faces are matched by position, size and look. A person keeps their track if the landmarker lists
faces in another order, if they are missed in some frames, and if they leave and come back; and also
if they cross another person or the picture cuts to another, as far as the two look different.
"""

import math
from array import array
from typing import NamedTuple

import cv2
import numpy as np

# Correlations of looks, measured on the GRID corpus. One person: above 0.85 within 3 s of speech,
# and above 0.76 between two occasions in 95 % of the pairs. Two people: below 0.68 in four of five
# pairs. Where emotions are acted (19 people, 334 sightings; the same person half a second to 2.5 s
# later), 0.5 parts 2.4 % of the pairs of one laughing or shouting person and joins 13 % of those of
# two people. 0.45 would part 1.6 % and join 19 %: more cuts to somebody else would go unnoticed.
_SAME_LOOK = 0.5  # least correlation for a match near the last position
_SURE_LOOK = 0.75  # and anywhere else
_REACH = 0.75  # head sizes that a face may move between two rows
_REACH_GROWS_S = 0.5  # how long that grows while a face is not seen, by a head size per second
_REMEMBERED = 16  # people out of sight who can be recognised
_PASSER_BY = 1 / 3  # people in fewer rows than this share of the most frequent person's
_BLOCK = 1024  # rows
_SIDE = 16  # of the thumbnail of a face, pixels


class Sighting(NamedTuple):
    """One face in one frame. Lengths are in frame heights, as the size of frames can change."""

    centre: complex  # x + iy
    size: float  # side of the square of the same area
    look: np.ndarray  # float32 [pixels], of norm 1: the dot product of two is their correlation
    weight: float  # how large and central it is, 0 to 1
    mouth: float  # how far it is open, in face heights
    values: np.ndarray  # float32 [features]


class Track:
    """The rows in which one person was seen, and their features in these."""

    def __init__(self, row: int, face: Sighting) -> None:
        self.rows = array("l")
        self.mouth = array("f")
        self.weight = 0.0  # sum over the rows
        self._blocks: list[array[float]] = []  # features of `_BLOCK` rows each
        self._look = face.look
        self.add(row, face)

    def __len__(self) -> int:
        return len(self.rows)

    def move_values(self, table: np.ndarray) -> None:
        """Move the features into their rows of a table [rows, features]; the track is empty then.

        They are moved block by block, so that they are never in memory twice.
        """
        for begin in range(0, len(self), _BLOCK):
            rows = self.rows[begin : begin + _BLOCK]
            table[rows] = np.frombuffer(self._blocks.pop(0), np.float32).reshape(len(rows), -1)

    def add(self, row: int, face: Sighting) -> None:
        """Add the person's face in a row after all others."""
        if len(self) % _BLOCK == 0:
            self._blocks.append(array("f"))
        self._blocks[-1].frombytes(face.values.tobytes())
        self.rows.append(row)
        self.mouth.append(face.mouth)
        self.weight += face.weight
        self._look = 0.9 * self._look + 0.1 * face.look
        self._last = face

    def distance(self, row: int, step_s: float, face: Sighting) -> float:
        """How much a face in a later row differs from this person; infinite: it is another's."""
        last = self._last
        gap_s = (row - self.rows[-1]) * step_s
        moved = abs(face.centre - last.centre) * 2 / (face.size + last.size)
        moved += abs(math.log(face.size / last.size))
        # Compared with the last look and the average one: heads turn, and turn back.
        similarity = max(float(face.look @ last.look), float(face.look @ self._look))
        near = moved < _REACH + min(gap_s, _REACH_GROWS_S)
        if similarity < (_SAME_LOOK if near else _SURE_LOOK):
            return math.inf
        return moved + 2 * (1 - similarity) + min(gap_s, 1.0) / 2


class Tracks:
    """All people seen so far.

    Parameters
    ----------
    step_s : float
        Time between rows, s.
    """

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._all: list[Track] = []  # in the order of their appearance
        self._active: list[Track] = []  # those that a new face is compared with

    def add(self, row: int, faces: list[Sighting]) -> None:
        """Add each face of a row to the track that it matches best, or start a new one."""
        pairs = sorted(
            (distance, i, j)
            for i, track in enumerate(self._active)
            for j, face in enumerate(faces)
            if (distance := track.distance(row, self._step_s, face)) < math.inf
        )
        owners: dict[int, Track] = {}
        for _, i, j in pairs:
            track = self._active[i]
            if j not in owners and track not in owners.values():
                track.add(row, faces[j])
                owners[j] = track
        for j, face in enumerate(faces):
            if j not in owners:
                owners[j] = Track(row, face)
                self._all.append(owners[j])
        present = list(owners.values())
        absent = [track for track in self._active if track not in present]
        absent.sort(key=len, reverse=True)  # remember those seen most, and of equals the last
        self._active = present + absent[:_REMEMBERED]
        if len(absent) > _REMEMBERED:  # forget passers-by: they cannot gain rows any more
            lasting = self.people()
            self._all = [t for t in self._all if t in lasting or t in self._active]

    def people(self) -> list[Track]:
        """All but passers-by, who were seen in less than a third of the rows of another person."""
        most = max((len(track) for track in self._all), default=0)
        return [track for track in self._all if len(track) >= _PASSER_BY * most]


def thumbnail(picture: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The look of a face: its colours, normalised for brightness and contrast.

    Parameters
    ----------
    picture : ndarray, uint8 [height, width, 3]
    corners : ndarray [2, 2]
        x and y of the top left and bottom right of the face, pixels; may be outside the picture.

    Returns
    -------
    ndarray, float32 [pixels]
        Of norm 1, or 0 if the face is of one colour.
    """
    height, width = picture.shape[:2]
    left, right = _inside(corners[:, 0], width)
    top, bottom = _inside(corners[:, 1], height)
    small = cv2.resize(picture[top:bottom, left:right], (_SIDE, _SIDE)).astype(np.float32)
    small -= small.mean((0, 1))
    look = small.reshape(-1)
    return look / max(float(np.linalg.norm(look)), 1e-6)


def _inside(span: np.ndarray, length: int) -> tuple[int, int]:
    """First pixel of a span and one past its last, at least one pixel inside the picture."""
    begin = min(max(int(span[0]), 0), length - 1)
    return begin, min(max(math.ceil(span[1]), begin + 1), length)
