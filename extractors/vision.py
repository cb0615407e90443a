"""Expression and head pose of the face in a clip, by the MediaPipe Face Landmarker."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from extractors.assets import checksum, resolve
from extractors.fingerprint import fingerprint
from extractors.frames import sample_frames
from extractors.media import Clip, Damage
from extractors.settings import VisionSettings
from extractors.system import require_libraries
from extractors.tables import FeatureInfo
from extractors.timeline import Rows, row_count

LANDMARKS = 478
_POSE = ("head_pitch", "head_yaw", "head_roll", "head_x", "head_y", "head_z")


class VisionExtractor:
    """52 blendshapes, head rotation and translation, and the landmarks if asked for.

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
        dump = settings.model_dump(mode="json")
        assets = {settings.model: checksum(self._model)}
        names = [shape.name.lower() for shape in Blendshapes] + list(_POSE)
        units = ["1"] * len(Blendshapes) + ["rad"] * 3 + ["cm"] * 3
        if settings.landmarks:
            names += [f"landmark_{i}_{axis}" for i in range(LANDMARKS) for axis in "xyz"]
            units += ["frame width", "frame height", "frame width"] * LANDMARKS
        self._info = FeatureInfo(
            modality="vision",
            names=names,
            units=units,
            settings=dump,
            assets=assets,
            fingerprint=fingerprint(
                dump,
                assets,
                ("mediapipe", "numpy", "av"),
                (__name__, "extractors.frames", "extractors.media", "extractors.timeline"),
            ),
        )

    def info(self) -> FeatureInfo:
        """What the columns are and how they are made."""
        return self._info

    def extract(self, clip: Clip) -> Rows:
        """Features of one clip; a row is observed where a face is found in the frame shown then.

        Raises
        ------
        MediaError
            The file cannot be opened.
        """
        import mediapipe as mp

        damage = Damage()
        step_s = 1 / self.settings.fps
        rows = row_count(clip.duration_s, step_s)
        values = np.zeros((rows, len(self._info.names)), np.float32)
        observed = np.zeros(rows, bool)
        pictures = sample_frames(clip, rows, step_s, self.settings.max_side, damage)
        # One landmarker per clip: it tracks from frame to frame.
        with self._landmarker() as landmarker:
            for row, picture in enumerate(pictures):
                if picture is None:
                    continue
                image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
                found = landmarker.detect_for_video(image, round(row * step_s * 1000))
                if found.face_landmarks:
                    observed[row] = True
                    values[row] = self._measure(found, picture.shape)
        return Rows(values, observed, step_s, damage.describe("the picture"))

    def _landmarker(self) -> Any:
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(self._model)),
            running_mode=vision.RunningMode.VIDEO,
            num_faces=self.settings.max_faces,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        with _quiet():
            return vision.FaceLandmarker.create_from_options(options)

    def _measure(self, found: Any, shape: tuple[int, ...]) -> np.ndarray:
        faces = [np.array([(p.x, p.y, p.z) for p in face]) for face in found.face_landmarks]
        sizes = [np.prod(np.ptp(face[:, :2], axis=0) * (shape[1], shape[0])) for face in faces]
        largest = int(np.argmax(sizes))
        blendshapes = [category.score for category in found.face_blendshapes[largest]]
        pose = np.asarray(found.facial_transformation_matrixes[largest])
        parts = [np.array(blendshapes), euler_angles(pose[:3, :3]), pose[:3, 3]]
        if self.settings.landmarks:
            parts.append(faces[largest].reshape(-1))
        return np.concatenate(parts).astype(np.float32)


def euler_angles(rotation: np.ndarray) -> np.ndarray:
    """Pitch, yaw and roll of a rotation matrix R = Rz(roll) Ry(yaw) Rx(pitch).

    Parameters
    ----------
    rotation : ndarray [3, 3]

    Returns
    -------
    ndarray [3]
        Radians, about the axes x (to the picture's right), y (up) and z (to the viewer).
    """
    pitch = np.arctan2(rotation[2, 1], rotation[2, 2])
    yaw = np.arctan2(-rotation[2, 0], np.hypot(rotation[0, 0], rotation[1, 0]))
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return np.array([pitch, yaw, roll])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what native code says on standard error to itself.

    MediaPipe logs several lines per landmarker from C++ before its logging can be configured.
    """
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
