"""Who is who, from one frame to the next, without a face model."""

import numpy as np
import pytest

from extractors.vision.tracks import Sighting, Tracks, thumbnail

ANN, BEN = np.eye(2, 8, dtype=np.float32)  # two looks


def sighting(look, x=0.5, *, y=0.5, size=0.3, name=0.0):
    values = np.array([name], np.float32)
    return Sighting(complex(x, y), size, look, 0.1, 0.0, values)


def followed(rows, step_s=0.1):
    """Tracks of rows of faces: row numbers and values of each person."""
    tracks = Tracks(step_s)
    for row, faces in enumerate(rows):
        tracks.add(row, faces)
    return [(list(track.rows), values(track)) for track in tracks.people()]


def values(track):
    """What `sighting` called the faces of a track."""
    table = np.zeros((max(track.rows) + 1, 1), np.float32)
    track.move_values(table)
    return table[track.rows, 0].tolist()


def test_order_of_the_landmarker_does_not_matter():
    left, right = sighting(ANN, 0.4, name=1), sighting(ANN, 1.2, name=2)  # twins
    people = followed([[left, right], [right, left], [right, left], [left, right]])
    assert people == [([0, 1, 2, 3], [1] * 4), ([0, 1, 2, 3], [2] * 4)]


@pytest.mark.parametrize("gap", [1, 5, 600])
def test_a_face_found_again_in_its_place_is_the_same(gap):
    people = followed([[sighting(ANN)], *[[]] * gap, [sighting(ANN, 0.6)]])
    assert [rows for rows, _ in people] == [[0, gap + 1]]


def test_a_face_that_left_is_not_replaced_by_its_neighbour():
    ann, ben = sighting(ANN, 0.3, name=1), sighting(ANN, 0.8, name=2)  # twins
    people = followed([[ann, ben], [ben], [ben], [ben, ann]])
    assert people == [([0, 3], [1, 1]), ([0, 1, 2, 3], [2] * 4)]


def test_people_who_cross_are_told_apart_by_their_look():
    way = np.linspace(0.3, 1.3, 11)
    rows = [[sighting(ANN, x, name=1), sighting(BEN, 1.6 - x, name=2)] for x in way]
    rows[5] = rows[5][:1]  # one hides the other
    people = followed(rows)
    assert [set(values) for _, values in people] == [{1}, {2}]
    assert [len(rows) for rows, _ in people] == [11, 10]


def test_a_cut_to_somebody_else_in_the_same_place_is_somebody_else():
    ann, ben = sighting(ANN, name=1), sighting(BEN, name=2)
    people = followed([[ann], [ann], [ben], [ben], [ann]])
    assert people == [([0, 1, 4], [1] * 3), ([2, 3], [2] * 2)]


def test_a_cut_to_another_frame_of_the_same_person_is_the_same_person():
    assert len(followed([[sighting(ANN, 0.3)], [sighting(ANN, 1.2, size=0.6)]])) == 1


def test_passers_by_are_left_out_and_cost_nothing():
    rng = np.random.default_rng(0)
    tracks = Tracks(0.1)
    for row in range(300):
        look = rng.normal(size=500).astype(np.float32)
        look[:8] = 0
        stranger = sighting(look / np.linalg.norm(look), rng.uniform(1, 5))
        tracks.add(row, [sighting(np.eye(1, 500, dtype=np.float32)[0], name=1), stranger])
    (track,) = tracks.people()
    assert values(track) == [1] * 300
    assert len(tracks._all) < 30


def test_few_rows_a_second_leave_time_to_move():
    rows = [[sighting(ANN, x)] for x in (0.5, 0.8, 0.5)]
    assert len(followed(rows, step_s=1.0)) == 1


def test_features_come_back_in_their_rows():
    tracks = Tracks(0.1)
    for row in range(0, 6000, 2):
        tracks.add(row, [sighting(ANN, name=row + 1)])
    (track,) = tracks.people()
    table = np.zeros((6000, 1), np.float32)
    track.move_values(table)
    np.testing.assert_array_equal(table[::2, 0], np.arange(1, 6001, 2))
    assert not table[1::2].any()


@pytest.mark.parametrize("corners", [((-9, -9), (200, 200)), ((63.5, 47.5), (63.6, 47.6))])
def test_a_face_half_outside_the_picture_has_a_look(corners):
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    look = thumbnail(picture, np.array(corners, float))
    assert np.isfinite(look).all() and look.shape == (768,)


def test_the_look_does_not_depend_on_the_light():
    picture = np.random.default_rng(0).integers(0, 120, (48, 64, 3), np.uint8)
    corners = np.array([[8.0, 8.0], [40.0, 40.0]])
    brighter = thumbnail(2 * picture + 10, corners)
    assert thumbnail(picture, corners) @ brighter == pytest.approx(1, abs=1e-3)
