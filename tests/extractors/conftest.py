"""Short clips made on the spot, and the complete clips of the bundled corpus."""

import csv
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from extractors.settings import RunSettings

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
MakeClip = Callable[..., Path]


def write_clip(
    path: Path,
    *,
    seconds: float = 1.0,
    size: tuple[int, int] = (64, 48),
    fps: int = 25,
    video: bool = True,
    audio: bool = True,
    video_codec: str = "libx264",
    audio_codec: str = "aac",
    layout: str = "mono",
    rate: int = 44_100,
    tone_hz: float = 220.0,
    level: float = 0.5,
    times: list[float] | None = None,
    audio_span: tuple[float, float] | None = None,
    rotation: int = 0,
    picture: Callable[[float], np.ndarray] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a clip whose grey level grows by 100 a second and whose sound is a tone.

    `times` are the frames' time stamps (default: every 1 / fps); `audio_span` is the part of the
    clip with sound; `picture` makes a frame [height, width, 3] for a time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    with av.open(str(path), "w", options=options or {}) as out:
        if video:
            pictures = out.add_stream(video_codec, rate=fps)
            pictures.width, pictures.height = width, height
            pictures.pix_fmt = "yuv420p"
            pictures.codec_context.time_base = Fraction(1, 1000 if times else fps)
            if rotation:
                pictures.set_display_rotation(rotation)
        if audio:
            sound = out.add_stream(audio_codec, rate=rate, layout=layout)
        if video:
            stamps = times if times is not None else [i / fps for i in range(round(seconds * fps))]
            for time in stamps:
                grey = min(255, round(time * 100))
                image = np.full((height, width, 3), grey, np.uint8)
                frame = av.VideoFrame.from_ndarray(
                    picture(time) if picture else image, format="rgb24"
                )
                frame.time_base = pictures.codec_context.time_base
                frame.pts = round(time / float(frame.time_base))
                out.mux(pictures.encode(frame))
            out.mux(pictures.encode(None))
        if audio:
            begin, end = audio_span or (0.0, seconds)
            time = np.arange(round(begin * rate), round(end * rate)) / rate
            wave = (level * np.sin(2 * np.pi * tone_hz * time)).astype(np.float32)
            channels = av.AudioLayout(layout).nb_channels
            planes = np.tile(wave, (channels, 1))
            step = 1024
            for first in range(0, planes.shape[1], step):
                block = np.ascontiguousarray(planes[:, first : first + step])
                if audio_codec.startswith("pcm"):
                    packed = (block.T.reshape(1, -1) * 32767).astype(np.int16)
                    part = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
                else:
                    part = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
                part.sample_rate = rate
                part.time_base = Fraction(1, rate)
                part.pts = round(begin * rate) + first
                out.mux(sound.encode(part))
            out.mux(sound.encode(None))
    return path


@pytest.fixture(scope="session")
def clip_writer() -> MakeClip:
    return write_clip


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """`write_clip` into the test's folder."""

    def make(name: str = "clip.mp4", **wishes: object) -> Path:
        return write_clip(tmp_path / name, **wishes)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def one_worker() -> RunSettings:
    return RunSettings(workers=1, offline=True)


@pytest.fixture(scope="session")
def spoken_clip() -> tuple[Path, str]:
    """A complete clip of the bundled corpus, and the words spoken in it."""
    with (SAMPLE / "label.csv").open(newline="", encoding="utf-8-sig") as f:
        for row in csv.DictReader(f):
            if row["text"] and not row["incomplete"] and not row["broken"]:
                return SAMPLE / "Raw" / row["video_id"] / f"{row['clip_id']}.mp4", row["text"]
    pytest.fail(f"{SAMPLE} holds no complete clip")
