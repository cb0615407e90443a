"""The people in a clip: which face of one frame is which of the next.

Faces are told apart by where they are, how large, and how they look. They keep their track when
the landmarker names them in another order, miss some frames, leave and come back, and, as far as
they look different, when they cross or the picture cuts to somebody else.
"""

import math
from array import array
from typing import NamedTuple

import cv2
import numpy as np

# The look of one person stays above .85 over 3 s of speech (GRID corpus); that of two people is
# below .68 in four of five pairs, and of one person on two occasions above .76 in 95 % of them.
_SAME_LOOK = 0.5  # at the place where the face was
_SURE_LOOK = 0.75  # anywhere
_REACH = 0.75  # head sizes that a face may move between two rows
_REACH_GROWS_S = 0.5  # while it is unseen: by a head size a second, for so long
_REMEMBERED = 16  # people out of sight who are recognised
_PASSER_BY = 1 / 3  # seen in less than this share of the rows of the one seen most
_BLOCK = 1024  # rows
_SIDE = 16  # of the thumbnail that is compared, pixels


class Sighting(NamedTuple):
    """One face in one frame. Lengths are in frame heights, so that they outlive a new size."""

    centre: complex  # x + iy
    size: float  # side of the square of the same area
    look: np.ndarray  # float32 [pixels], of length 1; the product of two is their correlation
    weight: float  # how large and central it is, 0 to 1
    mouth: float  # how far it is open, in face heights
    values: np.ndarray  # float32 [features]


class Track:
    """What was seen of one person; only the rows in which they were."""

    def __init__(self, row: int, seen: Sighting) -> None:
        self.rows = array("l")
        self.mouth = array("f")
        self.weight = 0.0  # sum over the rows
        self._blocks: list[array[float]] = []  # features, of so many rows each
        self._look = seen.look
        self.add(row, seen)

    def __len__(self) -> int:
        return len(self.rows)

    def move_values(self, table: np.ndarray) -> None:
        """Move the features out of here, into the rows of a table [rows, features].

        Block by block, so that those of an hour are never there twice.
        """
        for begin in range(0, len(self), _BLOCK):
            rows = self.rows[begin : begin + _BLOCK]
            table[rows] = np.frombuffer(self._blocks.pop(0), np.float32).reshape(len(rows), -1)

    def add(self, row: int, seen: Sighting) -> None:
        """Note that the person was seen, later than ever before."""
        if len(self) % _BLOCK == 0:
            self._blocks.append(array("f"))
        self._blocks[-1].frombytes(seen.values.tobytes())
        self.rows.append(row)
        self.mouth.append(seen.mouth)
        self.weight += seen.weight
        self._look = 0.9 * self._look + 0.1 * seen.look
        self._last = seen

    def distance(self, row: int, step_s: float, seen: Sighting) -> float:
        """How unlike this person a face of a later row is; infinite where it is another's."""
        last = self._last
        gap_s = (row - self.rows[-1]) * step_s
        moved = abs(seen.centre - last.centre) * 2 / (seen.size + last.size)
        moved += abs(math.log(seen.size / last.size))
        # As it was last, or as it is on the whole: a head turns, and turns back.
        alike = max(float(seen.look @ last.look), float(seen.look @ self._look))
        near = moved < _REACH + min(gap_s, _REACH_GROWS_S)
        if alike < (_SAME_LOOK if near else _SURE_LOOK):
            return math.inf
        return moved + 2 * (1 - alike) + min(gap_s, 1.0) / 2


class Tracks:
    """Everybody seen so far.

    Parameters
    ----------
    step_s : float
        Time between rows, s.
    """

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._all: list[Track] = []  # in the order of their appearance
        self._known: list[Track] = []  # whom a face can be recognised as

    def add(self, row: int, faces: list[Sighting]) -> None:
        """Give each face of a row to a person, known or new; the best matches first."""
        pairs = sorted(
            (distance, i, j)
            for i, track in enumerate(self._known)
            for j, face in enumerate(faces)
            if (distance := track.distance(row, self._step_s, face)) < math.inf
        )
        owners: dict[int, Track] = {}
        for _, i, j in pairs:
            track = self._known[i]
            if j not in owners and track not in owners.values():
                track.add(row, faces[j])
                owners[j] = track
        for j, face in enumerate(faces):
            if j not in owners:
                owners[j] = Track(row, face)
                self._all.append(owners[j])
        here = list(owners.values())
        away = [track for track in self._known if track not in here]
        away.sort(key=len, reverse=True)  # those seen most, and of equals the last, are remembered
        self._known = here + away[:_REMEMBERED]
        if len(away) > _REMEMBERED:  # passers-by who are forgotten stay passers-by
            lasting = self.people()
            self._all = [t for t in self._all if t in lasting or t in self._known]

    def people(self) -> list[Track]:
        """Everybody but passers-by, who were seen in less than a third of the rows of another."""
        most = max((len(track) for track in self._all), default=0)
        return [track for track in self._all if len(track) >= _PASSER_BY * most]


def thumbnail(picture: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The look of a face: its colours, whatever their brightness and the strength of contrasts.

    Parameters
    ----------
    picture : ndarray, uint8 [height, width, 3]
    corners : ndarray [2, 2]
        x and y of the face's top left and bottom right, pixels; they may lie outside.

    Returns
    -------
    ndarray, float32 [pixels]
        Of length 1, or 0 where the face is of one colour.
    """
    height, width = picture.shape[:2]
    left, right = _inside(corners[:, 0], width)
    top, bottom = _inside(corners[:, 1], height)
    small = cv2.resize(picture[top:bottom, left:right], (_SIDE, _SIDE)).astype(np.float32)
    small -= small.mean((0, 1))
    look = small.reshape(-1)
    return look / max(float(np.linalg.norm(look)), 1e-6)


def _inside(span: np.ndarray, length: int) -> tuple[int, int]:
    """First and one past the last of the pixels in a span, at least one of them."""
    begin = min(max(int(span[0]), 0), length - 1)
    return begin, min(max(math.ceil(span[1]), begin + 1), length)
