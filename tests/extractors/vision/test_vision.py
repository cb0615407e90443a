import subprocess
import sys

import numpy as np
import pytest

from extractors.errors import MissingAsset
from extractors.media.container import Clip, probe
from extractors.settings import VisionSettings
from extractors.vision.extractor import VisionExtractor, euler_angles


def value(extractor, rows, name):
    return rows.values[:, extractor.info().names.index(name)]


def test_a_face_is_observed_in_every_row(extractor, spoken_clip):
    path, _ = spoken_clip
    seconds = probe(str(path)).duration_s
    rows = extractor.extract(Clip(str(path), 0.0, seconds))
    assert rows.values.shape == (np.ceil(seconds * 10 - 1e-3), 58)
    assert rows.observed.mean() > 0.95
    assert (rows.step_s, rows.warnings) == (0.1, [])
    assert (value(extractor, rows, "head_z")[rows.observed] < -10).all()  # cm, before the camera


def test_columns_have_names_and_units(extractor):
    info = extractor.info()
    assert len(info.names) == len(set(info.names)) == len(info.units) == 58
    assert info.names[25] == "jaw_open"
    assert info.assets["face_landmarker"].startswith("64184e22")


def test_same_clip_gives_the_same_bytes(extractor, spoken_clip):
    clip = Clip(str(spoken_clip[0]), 0.0, 1.0)
    assert extractor.extract(clip).values.tobytes() == extractor.extract(clip).values.tobytes()


def test_frames_without_a_face_keep_their_place(shown, face):
    blank = np.full_like(face[0], 127)
    rows = shown([*face[:5], *[blank] * 10, None, *face[5:]])
    assert rows.observed.tolist() == [True] * 5 + [False] * 11 + [True] * 5


def test_face_is_found_at_a_width_that_is_no_multiple_of_16(make_clip, extractor, face):
    def picture(_: float) -> np.ndarray:
        image = np.full((288, 360, 3), 127, np.uint8)
        image[16:272, 52:308] = face[0]
        return image

    path = make_clip(size=(360, 288), picture=picture, audio=False)
    assert extractor.extract(Clip(str(path), 0.0, 1.0)).observed.all()


def test_turned_recording_is_seen_upright(make_clip, extractor, face):
    path = make_clip(
        size=(256, 256), rotation=90, picture=lambda _: np.rot90(face[0], k=-1), audio=False
    )
    rows = extractor.extract(Clip(str(path), 0.0, 1.0))
    assert rows.observed.all()
    assert np.abs(value(extractor, rows, "head_roll")).max() < 0.5


def test_largest_of_several_faces_is_measured(shown, face, extractor):
    small = face[:, ::2, ::2]

    def beside(left, right):
        images = np.full((10, 256, 512, 3), 127, np.uint8)
        for images_half, faces in ((images[:, :, :256], left), (images[:, :, 256:], right)):
            images_half[:, : faces.shape[1], : faces.shape[2]] = faces
        return list(images)

    large_right = shown(beside(small, face))
    large_left = shown(beside(face, small))
    assert (value(extractor, large_right, "head_x") > 0).all()
    assert (value(extractor, large_left, "head_x") < 0).all()


def test_landmarks_are_added_if_asked_for(shown, face):
    extractor = VisionExtractor(VisionSettings(landmarks=True), offline=True)
    rows = shown(list(face[:2]), using=extractor)
    assert rows.values.shape == (2, 58 + 478 * 3)
    assert len(extractor.info().units) == 58 + 478 * 3
    x = rows.values[:, 58::3]
    assert ((x > -0.2) & (x < 1.2)).all()


def test_euler_angles_undo_the_rotation():
    pitch, yaw, roll = 0.3, -0.4, 0.5
    c, s = np.cos, np.sin
    about_x = np.array([[1, 0, 0], [0, c(pitch), -s(pitch)], [0, s(pitch), c(pitch)]])
    about_y = np.array([[c(yaw), 0, s(yaw)], [0, 1, 0], [-s(yaw), 0, c(yaw)]])
    about_z = np.array([[c(roll), -s(roll), 0], [s(roll), c(roll), 0], [0, 0, 1]])
    angles = euler_angles(about_z @ about_y @ about_x)
    np.testing.assert_allclose(angles, [pitch, yaw, roll])


def test_model_that_is_not_there_is_named():
    with pytest.raises(MissingAsset, match=r"gone\.task"):
        VisionExtractor(VisionSettings(model="./gone.task"), offline=True)


_PEAK = """
import sys
from pathlib import Path
from extractors.media.container import Clip
from extractors.settings import VisionSettings
from extractors.vision.extractor import VisionExtractor

path, minutes = sys.argv[1], float(sys.argv[2])
rows = VisionExtractor(VisionSettings(fps=1), offline=True).extract(Clip(path, 0.0, 60 * minutes))
assert rows.observed.mean() > 0.95
peak = next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
print(int(peak.split()[1]) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_length_of_the_video(long_video):
    def peak_mb(minutes: float) -> float:
        command = [sys.executable, "-c", _PEAK, str(long_video(minutes)), str(minutes)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(run.stdout)

    short, long = peak_mb(3), peak_mb(18)
    assert long < 600
    assert long < 1.1 * short


def test_a_frame_that_is_held_is_looked_at_once(extractor, shown, face, monkeypatch):
    looks = []
    make = extractor._landmarker

    class Counting:
        def __init__(self):
            self.landmarker = make()

        def __enter__(self):
            self.landmarker.__enter__()
            return self

        def __exit__(self, *error):
            return self.landmarker.__exit__(*error)

        def detect_for_video(self, image, time_ms):
            looks.append(time_ms)
            return self.landmarker.detect_for_video(image, time_ms)

    monkeypatch.setattr(extractor, "_landmarker", Counting)
    first, second = face[0], face[1]
    rows = shown([first] * 3 + [None] + [second] * 300)
    assert looks == [0, 400]
    assert rows.observed.tolist() == [True] * 3 + [False] + [True] * 300
    assert (rows.values[4:] == rows.values[4]).all()
