"""Several people in one picture: whom the features are of."""

from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from extractors.media.container import Clip
from extractors.media.sound import SAMPLE_RATE
from extractors.vision.extractor import FaceRows, VisionExtractor
from extractors.vision.faces import Face
from extractors.vision.speaking import agreement, loudness

SAMPLE = Path(__file__).parents[3] / "data" / "sample" / "Raw"
SPEAKER, OTHER = SAMPLE / "joe" / "018.mp4", SAMPLE / "karl" / "005.mp4"
SECONDS, FPS, SIDE = 3.0, 25, 256
GREY = np.full((SIDE, SIDE, 3), 127, np.uint8)
Picture = np.ndarray


@pytest.fixture(scope="module")
def speaking() -> list[Picture]:
    return _frames(SPEAKER)


@pytest.fixture(scope="module")
def talking() -> list[Picture]:
    """Somebody who says something else, which is not heard."""
    return _frames(OTHER)


@pytest.fixture(scope="module")
def still(talking) -> list[Picture]:
    return [talking[0]] * len(talking)


@pytest.fixture(scope="module")
def speaker_rows(extractor) -> FaceRows:
    """The features of the speaker in the original clip."""
    return extractor.extract(Clip(str(SPEAKER), 0.0, SECONDS))


@pytest.fixture
def compose(
    tmp_path: Path, extractor: VisionExtractor, decode_sound: Callable[..., np.ndarray]
) -> Callable[..., FaceRows]:
    """Features of pictures one after the other, with the speaker's sound or another."""
    sound = decode_sound(SPEAKER, SECONDS)

    def make(pictures: list[Picture], sound: np.ndarray | None = sound) -> FaceRows:
        path = tmp_path / "composed.mp4"
        _write(path, pictures, sound)
        return extractor.extract(Clip(str(path), 0.0, len(pictures) / FPS))

    return make


def _frames(path: Path) -> list[Picture]:
    with av.open(str(path)) as container:
        frames = islice(container.decode(video=0), round(SECONDS * FPS))
        return [np.ascontiguousarray(frame.to_ndarray(format="rgb24")) for frame in frames]


def _write(path: Path, pictures: list[Picture], sound: np.ndarray | None) -> None:
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=FPS, options={"crf": "18", "preset": "veryfast"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = (
            out.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if sound is not None else None
        )
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None and sound is not None:
            for begin in range(0, len(sound), 1024):
                part = av.AudioFrame.from_ndarray(
                    sound[None, begin : begin + 1024], format="fltp", layout="mono"
                )
                part.sample_rate, part.pts = SAMPLE_RATE, begin
                part.time_base = Fraction(1, SAMPLE_RATE)
                out.mux(audio.encode(part))
            out.mux(audio.encode(None))


def _beside(left: list[Picture], right: list[Picture]) -> list[Picture]:
    return [np.hstack(pair) for pair in zip(left, right, strict=True)]


def _smaller(pictures: list[Picture], share: float) -> list[Picture]:
    side = round(SIDE * share)
    before, after = (SIDE - side) // 2, SIDE - side - (SIDE - side) // 2
    room = ((before, after), (before, after), (0, 0))
    return [np.pad(cv2.resize(p, (side, side)), room, constant_values=127) for p in pictures]


def _assert_same_person(rows: FaceRows, speaker_rows: FaceRows, extractor: VisionExtractor) -> None:
    """The features are about those of the speaker in the original clip."""
    names = extractor.info().names
    both = rows.observed & speaker_rows.observed
    assert both.sum() >= 15
    shapes = np.abs(rows.values[both, :52] - speaker_rows.values[both, :52])
    assert shapes.mean() < 0.03
    jaw = names.index("jaw_open")
    assert np.corrcoef(rows.values[both, jaw], speaker_rows.values[both, jaw])[0, 1] > 0.9


def _side(rows: FaceRows, extractor: VisionExtractor) -> str:
    x = rows.values[rows.observed, extractor.info().names.index("head_x")]
    assert (x > 0).all() or (x < 0).all(), "the face jumps"
    return "right" if x[0] > 0 else "left"


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("beside", ["still", "talking"])
def test_the_face_that_speaks_is_followed(
    request, compose, extractor, speaking, speaker_rows, beside, side
):
    other = request.getfixturevalue(beside)
    rows = compose(_beside(speaking, other) if side == "left" else _beside(other, speaking))
    assert (rows.face.chosen_by, rows.face.faces) == ("speech", 2)
    assert 0.2 < rows.face.confidence < 1
    assert _side(rows, extractor) == side
    assert rows.observed.all()
    _assert_same_person(rows, speaker_rows, extractor)


def test_speech_counts_more_than_size(compose, extractor, speaking, still):
    rows = compose(_beside(still, _smaller(speaking, 0.6)))
    assert rows.face.chosen_by == "speech"
    assert _side(rows, extractor) == "right"


@pytest.mark.parametrize("sound", [None, np.zeros(3 * SAMPLE_RATE, np.float32)])
def test_in_silence_the_larger_face_is_followed(compose, extractor, speaking, talking, sound):
    rows = compose(_beside(_smaller(speaking, 0.6), talking), sound)
    assert (rows.face.chosen_by, rows.face.faces) == ("size", 2)
    assert rows.face.confidence > 0.3
    assert _side(rows, extractor) == "right"


def test_of_two_faces_of_one_size_the_more_central_is_followed(compose, extractor, still, speaking):
    grey = [GREY[:, :128]] * len(still)
    rows = compose([np.hstack(parts) for parts in zip(grey, still, speaking, strict=True)], None)
    assert rows.face.chosen_by == "size"
    assert _side(rows, extractor) == "left"


def test_a_face_that_comes_back_is_the_same_person(
    compose, extractor, speaking, still, speaker_rows
):
    gone = [*speaking[:25], *[GREY] * 25, *speaking[50:]]
    rows = compose(_beside(gone, still))
    assert (rows.face.chosen_by, rows.face.faces) == ("speech", 2)
    assert _side(rows, extractor) == "left"
    assert rows.observed[:9].all() and rows.observed[-8:].all()
    assert not rows.observed[11:19].any()  # nobody else stands in
    _assert_same_person(rows, speaker_rows, extractor)


def test_a_passer_by_does_not_steal_the_clip(compose, extractor, speaking, talking):
    small = _smaller(speaking, 0.6)
    rows = compose(_beside([*[GREY] * 30, *talking[30:45], *[GREY] * 30], small))
    assert rows.face == Face("only", 1.0, 1)
    assert _side(rows, extractor) == "right"
    assert rows.observed.mean() > 0.9


def test_without_a_choice_the_sound_is_not_read(monkeypatch, compose, speaking):
    monkeypatch.setattr("extractors.vision.faces.loudness", lambda _: pytest.fail("sound was read"))
    assert compose(speaking[:10]).face == Face("only", 1.0, 1)
    assert compose([GREY] * 10).face == Face("none", 0.0, 0)


def test_loudness_is_that_of_the_row_times(tmp_path, speaking):
    sound = np.zeros(3 * SAMPLE_RATE, np.float32)
    sound[SAMPLE_RATE : 2 * SAMPLE_RATE] = 0.25
    path = tmp_path / "step.mkv"
    _write(path, speaking, sound * np.sin(np.arange(len(sound))).astype(np.float32))
    level = loudness(Clip(str(path), 0.0, 3.0))
    assert level.shape == (75,)
    assert level[30:45] == pytest.approx(0.42, abs=0.03)  # (0.25 / sqrt 2) ** 0.5
    assert np.ptp(level[:20]) == np.ptp(level[55:]) == 0


@pytest.mark.parametrize("late_s", [-0.2, 0.0, 0.2])
def test_sound_out_of_step_is_forgiven(late_s):
    times_s, level = _speech()
    opening = 0.05 * np.interp(times_s - late_s, (np.arange(len(level)) + 0.5) * 0.04, level)
    assert agreement(times_s, opening, level) > 0.55


def test_a_face_at_rest_and_a_silent_clip_agree_with_nothing():
    times_s, level = _speech()
    opening = np.interp(times_s, (np.arange(len(level)) + 0.5) * 0.04, level)
    assert agreement(times_s, 1e-4 * opening, level) < 0.05
    assert agreement(times_s, 0.05 * opening, np.full_like(level, 0.03)) == 0
    assert agreement(times_s[:5], opening[:5], level) == 0


def _speech() -> tuple[np.ndarray, np.ndarray]:
    """Times of rows, and a loudness in syllables."""
    noise = np.random.default_rng(0).random(250)
    return np.arange(100) / 10, np.convolve(noise, np.hanning(7), "same")
