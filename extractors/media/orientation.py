"""How a decoded picture has to be turned to be upright, by its file's display matrix."""

import math
from typing import Any, NamedTuple

import numpy as np
from av.sidedata.sidedata import Type


class Orientation(NamedTuple):
    """What makes a picture upright: first mirroring it left to right, then turning it.

    Mirroring and one turn are all that a display matrix can ask for besides scaling, which is left
    out: a vertical flip is mirroring and half a turn, transposing is mirroring and a quarter.
    """

    mirrored: bool
    degrees: float  # anticlockwise, -180 to 180

    @property
    def sideways(self) -> bool:
        """Whether width and height change places."""
        return round(self.degrees / 90) % 2 == 1


AS_STORED = Orientation(mirrored=False, degrees=0.0)


def orientation_of(frame: Any) -> Orientation:
    """The orientation of a decoded frame, from its container or its codec's own messages."""
    try:
        side_data = frame.side_data.get(Type.DISPLAYMATRIX)
    except ValueError:  # PyAV has no name for something else that comes with the frame
        return Orientation(mirrored=False, degrees=float(frame.rotation))
    if side_data is None:
        return AS_STORED
    return from_matrix(np.frombuffer(bytes(side_data), np.int32).tolist())


def from_matrix(matrix: list[int]) -> Orientation:
    """Read a display matrix.

    Parameters
    ----------
    matrix : list of int
        a, b, u, c, d, v, x, y, w as in QuickTime's files: the pixel at (p, q), q pointing down, is
        shown at (a p + c q, b p + d q). One that would show nothing is taken for no matrix.
    """
    a, b, _, c, d, *_ = matrix
    determinant = a * d - b * c
    if determinant == 0:
        return AS_STORED
    if determinant < 0:  # what is left to do once the picture is mirrored
        a, b = -a, -b
    return Orientation(determinant < 0, math.degrees(math.atan2(-b, a)))
