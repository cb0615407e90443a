"""Short clips made on the spot, and the complete clips of the bundled corpus."""

import csv
from collections.abc import Callable, Iterator
from fractions import Fraction
from heapq import merge
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pytest

from contracts.schemas import MANIFEST
from extractors.datasets.listing import probe_files
from extractors.media.container import Clip, Damage
from extractors.media.sound import sound_blocks
from extractors.settings import RunSettings
from extractors.workers.cache import Cache

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

    def make(name: str = "clip.mp4", **options: object) -> Path:
        return write_clip(tmp_path / name, **options)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def decode_sound() -> Callable[..., np.ndarray]:
    """Decodes all sound of a clip: `decode_sound(path, seconds, start_s=0.0, damage=None)`."""

    def decode(
        path: Path | str, seconds: float, start_s: float = 0.0, damage: Damage | None = None
    ) -> np.ndarray:
        clip = Clip(str(path), start_s, seconds)
        return np.concatenate(list(sound_blocks(clip, damage or Damage(), 60.0)))

    return decode


@pytest.fixture(scope="session")
def one_worker() -> RunSettings:
    return RunSettings(workers=1, offline=True)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache of the test's own."""
    return Cache(str(tmp_path / "cache"))


@pytest.fixture
def listed(one_worker: RunSettings, cache: Cache) -> Callable[..., pa.Table]:
    """Lists files or folders: `listed(*paths, language="en", texts=None)` gives a manifest."""

    def manifest(*paths: Path, language: str = "en", texts: list[str] | None = None) -> pa.Table:
        table = probe_files(paths, language=language, run=one_worker, cache=cache).manifest
        if texts is None:
            return table
        index = table.schema.get_field_index("text")
        return table.set_column(index, MANIFEST.field("text"), [texts])

    return manifest


@pytest.fixture(scope="session")
def spoken_clips() -> list[tuple[Path, str]]:
    """The complete clips of the bundled corpus, and the words spoken in each."""
    with (SAMPLE / "label.csv").open(newline="", encoding="utf-8-sig") as f:
        return [
            (SAMPLE / "Raw" / row["video_id"] / f"{row['clip_id']}.mp4", row["text"])
            for row in csv.DictReader(f)
            if row["text"] and not row["incomplete"] and not row["broken"]
        ]


@pytest.fixture(scope="session")
def spoken_clip(spoken_clips: list[tuple[Path, str]]) -> tuple[Path, str]:
    """One of `spoken_clips`."""
    return spoken_clips[0]


@pytest.fixture(scope="session")
def long_video(
    tmp_path_factory: pytest.TempPathFactory, spoken_clips: list[tuple[Path, str]]
) -> Callable[[float], Path]:
    """Makes a video of a number of minutes: one face, and a minute of speech, both repeated.

    Only that minute of sound is encoded. Packets are copied, so that an hour takes seconds.
    """
    folder = tmp_path_factory.mktemp("long")
    clips = [path for path, _ in spoken_clips[:20]]
    sound = folder / "sound.m4a"
    with av.open(str(sound), "w") as out:
        stream = out.add_stream("aac", rate=16_000, layout="mono")
        for clip in clips:
            with av.open(str(clip)) as source:
                for frame in source.decode(audio=0):
                    frame.pts = None
                    out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    def make(minutes: float) -> Path:
        path = folder / f"{minutes:g}.mp4"
        if not path.exists():
            with (
                av.open(str(path), "w") as out,
                av.open(str(clips[0])) as pictures,
                av.open(str(sound)) as sounds,
            ):
                kinds = (pictures.streams.video[0], sounds.streams.audio[0])
                endless = merge(*(_repeated(s, out) for s in kinds), key=lambda item: item[0])
                for _, packet in takewhile(lambda item: item[0] < 60 * minutes, endless):
                    out.mux(packet)
        return path

    return make


def _repeated(stream: Any, out: Any) -> Iterator[tuple[float, Any]]:
    """A stream's packets over and over, each with its time, s, ready to be written to `out`."""
    target = out.add_stream_from_template(stream)
    packets = [(p, p.pts, p.dts) for p in stream.container.demux(stream) if p.dts is not None]
    base = stream.time_base
    last, pts, _ = max(packets, key=lambda item: item[1])
    length = pts + last.duration - min(dts for _, _, dts in packets)
    for begin in count(0, length):
        for packet, pts, dts in packets:
            packet.stream = target
            packet.time_base = base
            packet.pts, packet.dts = pts + begin, dts + begin
            yield float(packet.dts * base), packet
