"""The face is sent in pieces that a phone can bear, with times of the video."""

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import FeatureInfo, feature_row, feature_schema
from extractors.following import MOVEMENTS, contours
from extractors.vision.extractor import FaceRows
from extractors.vision.faces import Face
from pipeline.serve.video.faces import FaceTrack

SHAPES = sorted({shape for shapes in MOVEMENTS.values() for shape in shapes})
NAMES = [*SHAPES, *(f"landmark_{i}_{axis}" for i in range(478) for axis in "xyz")]


@pytest.fixture(scope="module")
def vision() -> pa.Table:
    """Two clips of ten rows; the face of the first is seen in the last five of them."""
    info = FeatureInfo(modality="vision", names=tuple(NAMES))
    rows = []
    for clip_id, first in (("video/0001", 5), ("video/0002", 0)):
        values = np.random.default_rng(0).uniform(0.25, 0.75, (10, len(NAMES))).astype(np.float32)
        seen = np.arange(10) >= first
        values[~seen] = 0
        row = feature_row(info, FaceRows(values, seen, 0.1, [], Face("only", 1.0, 1)))
        rows.append(row.add_column(0, feature_schema(info).field(0), [[clip_id]]))
    return pa.concat_tables(rows).cast(feature_schema(info))


def test_rows_have_times_of_the_video_and_those_without_a_face_are_left_out(
    vision: pa.Table,
) -> None:
    track = FaceTrack.of(vision, [("video/0001", 0.0), ("video/0002", 1.0)])
    assert track.times == pytest.approx(0.5 + 0.1 * np.arange(15))
    assert set(track.movements) == {"video/0001", "video/0002"}
    some = track.within(1.0, 1.25)
    # A row holds until the next: the one before the beginning may still be shown.
    assert [row.time_s for row in some.rows] == pytest.approx([0.9, 1.0, 1.1, 1.2])
    assert some.step_s == pytest.approx(0.1)
    for row in some.rows:
        left, top, right, bottom = row.box
        assert 0.2 < left < right < 0.8 and 0.2 < top < bottom < 0.8
        assert len(row.points) == 1 + max(max(pair) for pair in some.lines)
    assert len(some.lines) == len(contours())


def test_stretch_without_a_face_is_empty(vision: pa.Table) -> None:
    track = FaceTrack.of(vision, [("video/0001", 0.0)])
    assert track.within(0.0, 0.3).rows == []
    assert track.within(50.0, 60.0).rows == []
