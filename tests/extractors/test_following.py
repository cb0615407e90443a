"""The face that was followed: where it was, what it did, and that features are what they were."""

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import feature_info, feature_row
from extractors.following import (
    MOVEMENTS,
    FollowedFace,
    contours,
    followed,
    with_landmarks,
    without_landmarks,
)
from extractors.media.clip import Clip
from extractors.settings import ExtractorSettings, VisionSettings
from extractors.vision.extractor import VisionExtractor

SETTINGS = ExtractorSettings()


def table_of(settings: VisionSettings, path: str) -> pa.Table:
    extractor = VisionExtractor(settings, offline=True)
    row = feature_row(extractor.info(), extractor.extract(Clip(path, 0.0, 0.6)))
    named = row.add_column(0, pa.field("clip_id", pa.string(), nullable=False), pa.array(["a"]))
    return named.replace_schema_metadata(
        {b"features": extractor.info().model_dump_json(exclude_defaults=True).encode()}
    )


@pytest.fixture(scope="module")
def path(spoken_clip) -> str:
    return str(spoken_clip[0])


@pytest.fixture(scope="module")
def vision(path: str) -> pa.Table:
    return table_of(with_landmarks(SETTINGS).vision, path)


def test_features_without_landmarks_are_those_that_are_extracted_without(
    vision: pa.Table, path: str
) -> None:
    plain = without_landmarks(vision, SETTINGS.vision, offline=True)
    extracted = table_of(SETTINGS.vision, path)
    assert feature_info(plain) == feature_info(extracted)
    assert plain.to_pydict() == extracted.to_pydict()
    asked_for = with_landmarks(SETTINGS).vision
    assert without_landmarks(vision, asked_for, offline=True) is vision


def test_box_holds_the_landmarks_and_lies_in_the_frame(vision: pa.Table) -> None:
    face = followed(vision, "a")
    assert face.points.shape == (6, 478, 2) and face.seen.all()
    left, top, right, bottom = face.boxes.T
    assert (left > 0).all() and (right < 1).all() and (top > 0).all() and (bottom < 1).all()
    assert (right - left > 0.1).all() and (bottom - top > 0.1).all()
    assert {point for line in contours() for point in line} <= set(range(478))
    assert (face.chosen_by, face.faces) == ("only", 1)


def test_movements_are_named_and_no_blendshape_is_forgotten(vision: pa.Table) -> None:
    face = followed(vision, "a")
    assert set(face.movements) == set(MOVEMENTS)
    assert len(face.strongest()) == 4 and set(face.strongest(99)) == set(MOVEMENTS)
    shapes = [shape for several in MOVEMENTS.values() for shape in several]
    blendshapes = feature_info(vision).names[1:52]  # the first is "neutral"
    assert sorted(shapes) == sorted(blendshapes)


def test_what_a_face_does_all_the_time_is_no_movement() -> None:
    rest, moving = np.full(50, 0.9, np.float32), np.linspace(0, 0.3, 50, dtype=np.float32)
    seen = np.arange(50) < 40
    for values in (rest, moving):
        values[~seen] = np.nan
    face = FollowedFace(0.1, seen, np.zeros((50, 478, 2)), {"a": rest, "b": moving}, "only", 1)
    assert face.strongest() == ["b", "a"]


def test_face_that_is_never_seen_does_nothing() -> None:
    empty = np.full(3, np.nan, np.float32)
    face = FollowedFace(0.1, np.zeros(3, bool), np.full((3, 478, 2), np.nan), {"a": empty}, "", 0)
    assert face.strongest() == [] and np.isnan(face.boxes).all()


def test_features_without_landmarks_are_no_face(vision: pa.Table) -> None:
    with pytest.raises(ValueError, match=r"extract them with vision\.landmarks"):
        followed(without_landmarks(vision, SETTINGS.vision, offline=True), "a")
    with pytest.raises(KeyError, match="no clip 'b'"):
        followed(vision, "b")
