"""Recordings of real people, which the project does not carry.

`LNLN_REAL_CLIPS` names a folder with GRID clips (MPEG-1, 360x288) under ``grid/`` and a public
recording of two people, one of them speaking, ``speech/obama_speech.mp4``, and clips of acted
emotions (h264, 360x270) under ``javanese/``.
"""

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from extractors.media.container import Clip, Damage, probe
from extractors.settings import VisionSettings
from extractors.vision.extractor import VisionExtractor
from extractors.vision.frames import sample_frames

FOLDER = os.environ.get("LNLN_REAL_CLIPS")
needs_real_clips = pytest.mark.skipif(
    not FOLDER, reason="LNLN_REAL_CLIPS does not name the folder of real clips"
)


@needs_real_clips
def test_a_face_is_observed_in_99_percent_of_real_frames():
    extractor = VisionExtractor(VisionSettings(), offline=True)
    files = sorted(Path(FOLDER or "", "grid").glob("*.mpg"))
    assert files, f"no GRID clip in {FOLDER}/grid"
    observed = total = 0
    for file in files:
        rows = extractor.extract(Clip(str(file), 0.0, probe(str(file)).duration_s))
        observed += rows.observed.sum()
        total += len(rows.observed)
    assert observed >= 0.99 * total


@needs_real_clips
def test_of_two_real_faces_the_one_that_speaks_is_followed(tmp_path):
    """Each beside another who listens: what they do in the third of a second before they speak."""
    files = sorted(Path(FOLDER or "", "grid").glob("x*.mpg"))
    extractor = VisionExtractor(VisionSettings(), offline=True)
    by_speech = 0
    for i, file in enumerate(files):
        turn = 1 if i % 2 else -1
        path = tmp_path / f"{i}.mkv"
        _put_beside(path, file, files[i - len(files) // 2], turn)
        rows = extractor.extract(Clip(str(path), 0.0, 2.9))
        head_x = rows.values[rows.observed, extractor.info().names.index("head_x")]
        assert len(set(np.sign(head_x))) == 1, "the face jumps"
        if rows.face.chosen_by == "speech":
            by_speech += 1
            assert np.sign(head_x[0]) == -turn, file
    assert by_speech >= 0.7 * len(files)


@needs_real_clips
def test_the_speaker_of_a_real_recording_is_followed():
    file = Path(FOLDER or "", "speech", "obama_speech.mp4")
    rows = VisionExtractor(VisionSettings(), offline=True).extract(
        Clip(str(file), 0.0, probe(str(file)).duration_s)
    )
    assert (rows.face.chosen_by, rows.face.faces) == ("speech", 2)
    assert rows.observed.mean() > 0.95


@needs_real_clips
@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.15, 0.2])
def test_small_real_faces_are_observed_in_90_percent_of_the_frames(monkeypatch, share):
    """Of clips scaled down in the middle of a grey frame, where their faces are large."""
    extractor = VisionExtractor(VisionSettings(landmarks=True), offline=True)
    grid = sorted(Path(FOLDER or "", "grid").glob("*.mpg"))
    acted = sorted(Path(FOLDER or "", "javanese").glob("*.mp4"))
    observed = total = 0
    for file in [*grid[::6], *acted[::32]]:
        clip = Clip(str(file), 0.0, 1.0)
        pictures = [p for p in sample_frames(clip, 10, 0.1, 1280, Damage()) if p is not None]
        rows = extractor.extract(clip)
        if not rows.observed.all():
            continue  # it is not known how large the face is
        down = rows.values[0, 59::3]
        scale = share / float(np.ptp(down))
        small = [_smaller(picture, scale) for picture in pictures]
        with monkeypatch.context() as patch:
            patch.setattr("extractors.vision.extractor.sample_frames", lambda *_, s=small: iter(s))
            rows = extractor.extract(clip)
        observed += rows.observed.sum()
        total += len(rows.observed)
    assert observed >= 0.9 * total > 50


def _smaller(picture: np.ndarray, scale: float) -> np.ndarray:
    """A picture scaled down, in the middle of a grey one of 16:9."""
    height, width = picture.shape[:2]
    size = round(width * scale), round(height * scale)
    frame = np.full((height, height * 16 // 9, 3), 127, np.uint8)
    top, left = (frame.shape[0] - size[1]) // 2, (frame.shape[1] - size[0]) // 2
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    frame[top : top + size[1], left : left + size[0]] = small
    return frame


def _put_beside(path: Path, speaker: Path, listener: Path, turn: int) -> None:
    """Write the speaker on the left (turn 1) or right (-1) of the listener, with their sound."""
    with av.open(str(listener)) as source:
        quiet = [f.to_ndarray(format="rgb24") for f in source.decode(video=0)][:8]
    quiet += quiet[::-1]  # back and forth, without a jump
    with av.open(str(speaker)) as source, av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"crf": "18", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = 720, 288, "yuv420p"
        sound = out.add_stream_from_template(source.streams.audio[0])
        begin = source.start_time or 0
        for i, frame in enumerate(source.decode(video=0)):
            both = [frame.to_ndarray(format="rgb24"), quiet[i % len(quiet)]][::turn]
            picture = av.VideoFrame.from_ndarray(np.hstack(both), format="rgb24")
            picture.pts, picture.time_base = i, Fraction(1, 25)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        source.seek(begin)
        for packet in source.demux(audio=0):
            if packet.pts is not None:
                packet.pts -= round(begin / av.time_base / packet.time_base)
                packet.dts = packet.pts
                packet.stream = sound
                out.mux(packet)
