"""Expression and head pose of the face in a clip, by the MediaPipe Face Landmarker."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from contracts.features import FeatureInfo
from contracts.messages import message
from extractors.assets.libraries import require_libraries
from extractors.assets.resolving import resolve
from extractors.fingerprint import describe
from extractors.media.clip import Clip
from extractors.media.container import Damage
from extractors.media.timeline import row_count
from extractors.settings import VisionSettings
from extractors.vision.faces import Face, choose
from extractors.vision.frames import sample_frames
from extractors.vision.landmarks import FaceLandmarks, faces_of
from extractors.vision.small_faces import SmallFaces
from extractors.vision.tracks import Sighting, Tracks, thumbnail

LANDMARKS = 478
_MOUTH = (10, 152, 0, 17)  # landmarks: forehead, chin, upper and lower edge of the lips
_POSE = ("head_pitch", "head_yaw", "head_roll", "head_x", "head_y", "head_z")


class FaceRows(NamedTuple):
    """Features of one clip, one row every `step_s` from its start; unobserved rows are 0."""

    values: np.ndarray  # float32 [rows, features]
    observed: np.ndarray  # bool [rows]
    step_s: float  # time between rows
    warnings: list[str]
    face: Face


class VisionExtractor:
    """52 blendshapes, rotation and position of the head, and optionally 478 landmarks.

    Parameters
    ----------
    settings : VisionSettings
    offline : bool
        Never download the model.

    Raises
    ------
    SetupError
        System libraries or the face model are missing.
    """

    def __init__(self, settings: VisionSettings, *, offline: bool = False) -> None:
        require_libraries()
        from mediapipe.tasks.python.vision.face_landmarker import Blendshapes

        self.settings = settings
        self._model = resolve(settings.model, offline=offline)
        names = [shape.name.lower() for shape in Blendshapes] + list(_POSE)
        units = ["1"] * len(Blendshapes) + ["rad"] * 3 + ["cm"] * 3
        if settings.landmarks:
            names += [f"landmark_{i}_{axis}" for i in range(LANDMARKS) for axis in "xyz"]
            units += ["frame width", "frame height", "frame width"] * LANDMARKS
        self._info = describe("vision", names, units, settings, offline=offline)

    def info(self) -> FeatureInfo:
        """What the columns are and how they are made."""
        return self._info

    def extract(self, clip: Clip) -> FaceRows:
        """Features of the person whom a clip is about.

        A row is observed if that person's face is seen in its frame. `extractors.vision.faces`
        chooses the person. Where no face is found in the whole frame, small ones are looked for
        (`extractors.vision.small_faces`).

        Returns
        -------
        FaceRows
            Columns are the names in `info`.

        Raises
        ------
        MediaError
            The file cannot be opened.
        """
        import mediapipe as mp

        damage = Damage()
        step_s = 1 / self.settings.fps
        rows = row_count(clip.duration_s, step_s)
        tracks = Tracks(step_s)
        pictures = sample_frames(clip, rows, step_s, self.settings.max_side, damage)
        seen: np.ndarray | None = None
        sightings: list[Sighting] = []
        with ExitStack() as stack:
            # A new landmarker for every clip, because it keeps state from frame to frame.
            landmarker = stack.enter_context(self._landmarker())
            small = SmallFaces(
                lambda: stack.enter_context(self._landmarker("IMAGE")),
                self.settings.max_faces,
                step_s,
            )
            for row, picture in enumerate(pictures):
                if picture is None:
                    continue
                if picture is not seen:  # a frame that is held is looked at once
                    image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
                    detection = landmarker.detect_for_video(image, round(row * step_s * 1000))
                    faces = small.add(row, picture, faces_of(detection))
                    seen, sightings = picture, [self._sighting(picture, face) for face in faces]
                tracks.add(row, sightings)
        person, face = choose(tracks.people(), step_s, clip)
        values = np.zeros((rows, len(self._info.names)), np.float32)
        observed = np.zeros(rows, bool)
        if person is not None:
            person.move_values(values)
            observed[person.rows] = True
        return FaceRows(values, observed, step_s, damage.describe(message("the picture")), face)

    def _landmarker(self, mode: Literal["IMAGE", "VIDEO"] = "VIDEO") -> Any:
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(self._model)),
            running_mode=vision.RunningMode[mode],
            num_faces=self.settings.max_faces,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        with _quiet():
            return vision.FaceLandmarker.create_from_options(options)

    def _sighting(self, picture: np.ndarray, face: FaceLandmarks) -> Sighting:
        height, width = picture.shape[:2]
        places = face.points[:, :2] * (width, height)
        corners = face.corners(picture)
        middle, sides = corners.mean(0), np.maximum(np.ptp(corners, axis=0), 1)
        off_centre = np.hypot(*(2 * middle / (width, height) - 1)) / 2**0.5
        forehead, chin, upper_lip, lower_lip = (places[i] for i in _MOUTH)
        parts: list[Any] = [
            face.blendshapes,
            euler_angles(face.pose[:3, :3]),
            face.pose[:3, 3],
        ]
        if self.settings.landmarks:
            parts.append(face.points.reshape(-1))
        return Sighting(
            centre=complex(*middle) / height,
            size=float(sides.prod() ** 0.5) / height,
            look=thumbnail(picture, corners),
            weight=float(sides.prod()) / (width * height) * max(0.01, 1 - float(off_centre)),
            mouth=float(np.hypot(*(upper_lip - lower_lip)) / max(np.hypot(*(forehead - chin)), 1)),
            values=np.concatenate(parts).astype(np.float32),
        )


def euler_angles(rotation: np.ndarray) -> np.ndarray:
    """Pitch, yaw and roll of a rotation matrix R = Rz(roll) Ry(yaw) Rx(pitch).

    Parameters
    ----------
    rotation : ndarray [3, 3]

    Returns
    -------
    ndarray [3]
        Radians, about the axes x (right in the picture), y (up) and z (towards the camera).
    """
    pitch = np.arctan2(rotation[2, 1], rotation[2, 2])
    yaw = np.arctan2(-rotation[2, 0], np.hypot(rotation[0, 0], rotation[1, 0]))
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return np.array([pitch, yaw, roll])


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard what native code writes to standard error.

    MediaPipe's C++ code logs several lines per landmarker, before its logging can be configured.
    """
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
