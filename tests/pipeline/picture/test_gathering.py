"""What is shown of a clip is what its features hold, at the times at which they hold it."""

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import FeatureInfo, feature_row
from contracts.recordings import RECOGNITION
from extractors.audio.extractor import NAMES, UNITS
from extractors.errors import MediaError
from extractors.following import MOVEMENTS
from extractors.media.timeline import Rows
from extractors.vision.extractor import FaceRows
from extractors.vision.faces import Face
from extractors.workers.session import Session
from lnln.explaining.explanation import Part
from lnln.prediction import Prediction
from pipeline.picture.gathering import Gatherer, check_length, gather
from pipeline.picture.subject import Scale
from tests.extractors.conftest import write_clip

SHAPES = sorted({shape for several in MOVEMENTS.values() for shape in several})
LANDMARKS = [f"landmark_{i}_{axis}" for i in range(2) for axis in "xyz"]


def table(info: FeatureInfo, result: object) -> pa.Table:
    row = feature_row(info, result)
    named = row.add_column(0, pa.field("clip_id", pa.string(), nullable=False), pa.array(["a"]))
    return named.replace_schema_metadata({b"features": info.model_dump_json().encode()})


@pytest.fixture
def features(tmp_path: Path) -> SimpleNamespace:
    """A clip of 1 s: voice from the fifth row on, a face in the first half."""
    path = write_clip(tmp_path / "clip.mp4", seconds=1.0)
    audio = np.zeros((25, len(NAMES)), np.float32)
    audio[:, 0], audio[:, 1] = np.log(200), 0.05
    audio[10:, 1] = 0.9
    heard, seen = np.arange(25) >= 5, np.arange(10) < 5
    vision = np.zeros((10, len(SHAPES) + len(LANDMARKS)), np.float32)
    vision[seen, len(SHAPES) :] = [0.25, 0.25, 0, 0.75, 0.5, 0]
    face = Face("only", 1.0, 1)
    row = {"clip_id": "a", "path": str(path), "start_s": None, "duration_s": 1.0, "has_video": True}
    doubted = {"word": "you", "start_s": 0.4, "end_s": 0.6, "probability": 0.1}
    heard_as = {"clip_id": "a", "doubted": [doubted], "warnings": []}
    return SimpleNamespace(
        recognition=pa.Table.from_pylist([heard_as], schema=RECOGNITION),
        manifest=pa.Table.from_pylist([row]),
        audio=table(
            FeatureInfo(modality="audio", names=tuple(NAMES), units=tuple(UNITS)),
            Rows(audio, heard, 0.04, []),
        ),
        vision=table(
            FeatureInfo(modality="vision", names=(*SHAPES, *LANDMARKS)),
            FaceRows(vision, seen, 0.1, [], face),
        ),
    )


def test_frames_sound_and_face_are_shown_at_their_times(features: SimpleNamespace) -> None:
    answer = Prediction("a", 1.0, None, {"text": 1.0, "audio": 1.0, "vision": 1.0})
    subject = Gatherer().extract(features, answer, Scale((-3, 3), None, None))
    assert [frame.time_s for frame in subject.frames] == pytest.approx([0, 0.2, 0.4, 0.5, 0.7, 0.9])
    seen = [frame.points is not None for frame in subject.frames]
    assert seen == [True, True, True, False, False, False]
    height, width = subject.frames[0].picture.shape[:2]
    expected = np.array([[width / 4, height / 4], [0.75 * width, height / 2]])
    assert subject.frames[0].points == pytest.approx(expected)
    assert subject.observed["audio"] == [(pytest.approx(0.2), 1.0)]
    assert subject.observed["vision"] == [(0.0, 0.5)]
    assert np.isnan(subject.sound.pitch[:5]).all()
    assert subject.sound.pitch[5:] == pytest.approx(200)
    assert subject.sound.voiced.tolist() == [False] * 10 + [True] * 15
    assert subject.sound.greatest.max() > 0.01
    assert subject.doubted == (Part("you", 0.4, 0.6, False, 0.0),)
    assert subject.name == features.manifest["path"][0].as_py().rpartition("/")[2]


def test_crash_of_the_decoder_is_an_error_of_the_file(
    features: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.picture.gathering.Gatherer", Crash)
    answer = Prediction("a", 1.0, None, {"text": 1.0, "audio": 1.0, "vision": 1.0})
    with Session() as session, pytest.raises(MediaError, match=r"clip\.mp4: .*SIGSEGV"):
        gather(features, answer, Scale((-3, 3), None, None), session)


class Crash:
    """A decoder that damaged data brings down."""

    def extract(self, *_: object) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


def test_clip_too_long_for_one_picture_is_refused() -> None:
    check_length(119.0)
    with pytest.raises(ValueError, match=r"200 s long, and .* 120 s at most; `lnln timeline`"):
        check_length(200.0)
