"""Faces that are too small for the landmarker's own detector."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from extractors.damage.picture import covered
from extractors.vision import small_faces
from extractors.vision.extractor import euler_angles
from extractors.vision.faces import Face
from extractors.vision.landmarks import Window
from extractors.vision.small_faces import SmallFaces

HEIGHT, WIDTH = 360, 640
FACE = 0.55  # of the height of the bundled clips' frames, the height of the face
NOTHING = SimpleNamespace(face_landmarks=[], face_blendshapes=[], facial_transformation_matrixes=[])


def room(*people, height=HEIGHT, width=WIDTH):
    """A grey picture with people: a frame, the share of the height of its face, and where it is."""
    picture = np.full((height, width, 3), 127, np.uint8)
    for frame, share, (x, y) in people:
        side = round(share / FACE * height)
        left, top = round(x * width - side / 2), round(y * height - side / 2)
        small = cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, left : left + side] = small
    return picture


@pytest.fixture
def searches(monkeypatch):
    """The rows in which tiles are searched."""
    rows = []
    search = SmallFaces._search
    monkeypatch.setattr(
        SmallFaces, "_search", lambda self, *a: rows.append(self._searched) or search(self, *a)
    )
    return rows


def column(extractor, rows, name):
    return rows.values[rows.observed, extractor.info().names.index(name)]


@pytest.mark.parametrize("share", [0.1, 0.15, 0.2, 0.25])
@pytest.mark.parametrize("place", [(0.2, 0.25), (0.6, 0.75)])
def test_a_face_from_a_tenth_of_the_height_on_is_found_in_every_frame(shown, face, share, place):
    assert shown([room((frame, share, place)) for frame in face[:3]]).observed.all()


@pytest.mark.parametrize(("height", "width"), [(640, 360), (240, 320), (200, 800)])
def test_the_shape_of_the_frame_does_not_matter(shown, face, height, width):
    pictures = [room((f, 0.12, (0.4, 0.6)), height=height, width=width) for f in face[:2]]
    assert shown(pictures).observed.all()


def test_the_features_of_a_small_face_are_those_of_the_large_one(shown, face, extractor):
    large = shown(list(face))
    small = shown([room((f, 0.15, (0.3, 0.4)), height=720, width=1280) for f in face])
    assert np.abs(small.values[:, :52] - large.values[:, :52]).mean() < 0.03
    farther = column(extractor, small, "head_z") / column(extractor, large, "head_z")
    np.testing.assert_allclose(farther, FACE / 0.15, rtol=0.1)
    assert (column(extractor, small, "head_x") < -10).all()
    assert (column(extractor, small, "head_y") > 5).all()


def test_a_face_in_a_window_has_the_place_and_pose_of_the_frame(extractor, face):
    frame = room((face[0], 0.42, (0.25, 0.45)))
    with extractor._landmarker("IMAGE") as landmarker:
        small = SmallFaces(lambda: landmarker, 1, 0.1)
        (whole,) = small._look(frame, Window(0, 0, WIDTH, HEIGHT))
        (part,) = small._look(frame, Window(20, 20, 270, 290))
    np.testing.assert_allclose(part.points, whole.points, atol=0.006)
    np.testing.assert_allclose(part.pose[:3, 3], whole.pose[:3, 3], atol=1.5)
    turns = [euler_angles(face.pose[:3, :3]) for face in (part, whole)]
    np.testing.assert_allclose(*turns, atol=0.06)


def test_a_small_face_is_searched_once_and_then_followed(shown, face, searches):
    way = np.linspace(0.2, 0.5, 10)  # almost half a face from frame to frame
    pictures = [room((f, 0.12, (x, 0.5))) for f, x in zip(face, way, strict=True)]
    rows = shown(pictures)
    assert rows.observed.all() and rows.face == Face("only", 1.0, 1)
    assert searches == [0]


def test_a_small_face_that_was_hidden_is_found_where_it_was(shown, face):
    seen = [room((frame, 0.12, (0.4, 0.4))) for frame in face[:3]]
    rows = shown([*seen, room(), room(), *seen])
    assert rows.observed.tolist() == [True] * 3 + [False] * 2 + [True] * 3


def test_of_several_small_faces_each_is_followed(shown, face):
    pictures = [
        room((frame, 0.12, (0.3, 0.5)), (frame[:, ::-1], 0.18, (0.62, 0.5))) for frame in face[:4]
    ]
    rows = shown(pictures)
    assert (rows.face.chosen_by, rows.face.faces) == ("size", 2)
    assert rows.observed.all()


def test_a_frame_with_a_face_is_looked_at_once(shown, face, monkeypatch):
    monkeypatch.setattr(SmallFaces, "_look", lambda *_: pytest.fail("looked again"))
    assert shown(list(face)).observed.all()


def test_the_same_pictures_give_the_same_bytes_after_others(shown, face):
    pictures = [room((frame, 0.12, (0.4, 0.4))) for frame in face[:3]]
    first = shown(pictures)
    shown([room((face[0], 0.2, (0.7, 0.4)))])
    assert shown(pictures).values.tobytes() == first.values.tobytes()


def test_frames_without_people_are_searched_ever_more_seldom(searches):
    small = SmallFaces(lambda: SimpleNamespace(detect=lambda _: NOTHING), 4, 0.1)
    for row in range(100):
        assert small.add(row, room(), []) == []
    assert searches == [0, 2, 6, 14, 30, 50, 70, 90]


def test_a_face_that_comes_and_goes_costs_no_more_searches(extractor, face, searches):
    with extractor._landmarker("IMAGE") as landmarker:
        (large,) = SmallFaces(lambda: landmarker, 1, 0.1)._look(face[0], Window(0, 0, 256, 256))
    small = SmallFaces(lambda: SimpleNamespace(detect=lambda _: NOTHING), 4, 0.1)
    for row in range(200):
        small.add(row, face[0], [large] if row % 2 else [])
    assert len(searches) < 20


def _shapes(seed):
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), rng.integers(0, 255, 3), np.uint8)
    for _ in range(40):
        colour = tuple(int(x) for x in rng.integers(0, 255, 3))
        place, axes = rng.integers(0, WIDTH, 2).tolist(), rng.integers(4, 70, 2).tolist()
        cv2.ellipse(picture, place, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    return picture


def test_nobody_is_found_where_nobody_is(shown, face):
    noise = np.random.default_rng(0).normal(127, 60, (HEIGHT, WIDTH, 3)).clip(0, 255)
    noise = noise.astype(np.uint8)
    nobody = [room(), 0 * room(), noise, cv2.GaussianBlur(noise, (0, 0), 4), _shapes(0), _shapes(1)]
    hidden = covered(face[0], np.array([0.1, 0.05, 0.9, 0.98]))
    for picture in [*nobody, hidden, room((hidden, 0.2, (0.4, 0.5)))]:
        assert not shown([picture]).observed.any()


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (128, 128), (720, 1280)])
def test_tiles_cover_every_picture_and_stay_inside(size):
    reached = np.zeros(size, bool)
    for window in small_faces._tiles(np.zeros((*size, 3), np.uint8)):
        assert window.left >= 0 and window.left + window.width <= size[1]
        assert window.top >= 0 and window.top + window.height <= size[0]
        reached[window.top :][: window.height, window.left :][:, : window.width] = True
    assert reached.all()


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2)])
def test_frames_hardly_there_are_frames_without_a_face(shown, size):
    assert not shown([np.zeros((*size, 3), np.uint8)]).observed.any()
