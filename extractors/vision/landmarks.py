"""What the landmarker says of one face, in a picture or in a window of it."""

import math
from typing import Any, NamedTuple

import cv2
import numpy as np

# MediaPipe takes every picture for one by a camera that sees so much from top to bottom.
_FIELD_OF_VIEW = math.radians(63)
# How far the points of a face are before the origin of its pose. With this distances and positions
# of faces seen in a window are within 3 % of those seen in the frame, without it 5 to 12 % greater.
_BEFORE_ORIGIN_CM = 2.6
# Points are projected along rays, and what is nearer is moved less to the side. The landmarker
# takes that shear for a rotation by this share of the angle to the face (measured: 0.20 to 0.26).
_TURNS = 0.23


class Window(NamedTuple):
    """A part of a picture, pixels."""

    left: int
    top: int
    width: int
    height: int

    def of(self, picture: np.ndarray) -> np.ndarray:
        """The part of a picture [height, width, 3], contiguous."""
        rows = picture[self.top : self.top + self.height]
        return np.ascontiguousarray(rows[:, self.left : self.left + self.width])


class FaceLandmarks(NamedTuple):
    """One face in a picture."""

    points: np.ndarray  # float64 [478, 3]: x and z in picture widths, y in heights
    blendshapes: list[float]
    pose: np.ndarray  # [4, 4], rotation and position (cm) before the camera

    def corners(self, picture: np.ndarray) -> np.ndarray:
        """Top left and bottom right in a picture [height, width, 3], x and y in pixels."""
        height, width = picture.shape[:2]
        places = self.points[:, :2] * (width, height)
        return np.stack((places.min(0), places.max(0)))

    def in_frame(self, window: Window, frame: np.ndarray) -> "FaceLandmarks":
        """The same face in the whole frame [height, width, 3], of which this picture is a window.

        Position and rotation become those that the landmarker would give for the frame.
        """
        height, width = frame.shape[:2]
        scale = np.array((window.width / width, window.height / height, window.width / width))
        offset = np.array((window.left / width, window.top / height, 0.0))
        focal = height / 2 / math.tan(_FIELD_OF_VIEW / 2)  # pixels
        right = (window.left + (window.width - width) / 2) / focal  # to the middle of the window
        up = -(window.top + (window.height - height) / 2) / focal
        turn, _ = cv2.Rodrigues(np.array((up, -right, 0.0)) * _TURNS)
        distance = (-self.pose[2, 3] - _BEFORE_ORIGIN_CM) * height / window.height
        pose = np.array(self.pose, np.float64)
        pose[:3, :3] = turn @ pose[:3, :3]
        pose[:3, 3] = (
            pose[0, 3] + right * distance,
            pose[1, 3] + up * distance,
            -distance - _BEFORE_ORIGIN_CM,
        )
        return FaceLandmarks(self.points * scale + offset, self.blendshapes, pose)


def faces_of(detection: Any) -> list[FaceLandmarks]:
    """All faces of a result of the landmarker."""
    parts = zip(
        detection.face_landmarks,
        detection.face_blendshapes,
        detection.facial_transformation_matrixes,
        strict=True,
    )
    return [
        FaceLandmarks(
            np.array([(point.x, point.y, point.z) for point in points]),
            [shape.score for shape in blendshapes],
            np.asarray(matrix),
        )
        for points, blendshapes, matrix in parts
    ]
