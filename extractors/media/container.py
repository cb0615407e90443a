"""Opening and probing video and sound files, through PyAV (FFmpeg inside the wheel)."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import av
import fsspec

from contracts.messages import message
from extractors.errors import MediaError, SetupError

DAY_S = 24 * 3600.0


class MediaInfo(NamedTuple):
    """What a file holds.

    Size is that of the picture as shown (after rotation), in pixels; `fps` the average rate;
    all three are None without a picture.
    """

    duration_s: float
    width: int | None
    height: int | None
    fps: float | None
    has_audio: bool
    has_video: bool


class Clip(NamedTuple):
    """A stretch of a file: what an extractor works on."""

    path: str
    start_s: float  # from the beginning of the file
    duration_s: float


@dataclass
class Damage:
    """Counts what could not be decoded while a stream was read."""

    packets: int = 0
    cut: bool = False  # the file ended before its streams did

    def describe(self, stream: str) -> list[str]:
        """Warnings for the user, none where nothing was wrong."""
        found = []
        if self.packets:
            found.append(message(f"{self.packets} damaged packets of {stream} left out"))
        if self.cut:
            found.append(message(f"{stream} breaks off early"))
        return found


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a file for decoding: a local one, or one at an fsspec URL such as s3://bucket/clip.mp4.

    Raises
    ------
    MediaError
        It is missing, empty, or no container that FFmpeg knows.
    SetupError
        The package that reads such URLs is not installed.
    """
    # Whitelists: neither a name nor a playlist's content reaches elsewhere.
    if is_url(path):
        with _remote(path) as file, _container(path, file, "none") as container:
            yield container
        return
    _require_file(path)
    with _container(path, f"file:{path}", "file") as container:
        yield container


@contextmanager
def _container(path: str, source: Any, protocols: str) -> Iterator[Any]:
    try:
        container = av.open(
            source, metadata_errors="replace", options={"protocol_whitelist": protocols}
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaError(path, f"not a readable video or sound file ({_brief(error)})") from error
    with container:
        yield container


def content_hash(path: str) -> str:
    """sha256 of a file's bytes, hexadecimal; of a local file or an fsspec URL.

    Raises
    ------
    MediaError
        It is missing, empty or cannot be read.
    SetupError
        The package that reads such URLs is not installed.
    """
    if not is_url(path):
        _require_file(path)
    try:
        with _remote(path) if is_url(path) else Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(path, f"cannot be read ({_brief(error)})") from error


def is_url(path: str) -> bool:
    """Whether a path is an fsspec URL, not the name of a local file."""
    return re.match(r"[a-z][a-z0-9+.-]*://", path) is not None


@contextmanager
def _remote(url: str) -> Iterator[Any]:
    """What is at an fsspec URL, as a file object that can seek."""
    try:
        system, inside = fsspec.core.url_to_fs(url)
        size = system.size(inside)
        file = system.open(inside, "rb")
    except ImportError as error:
        raise SetupError(
            f"{url} cannot be read here ({_brief(error)}): pip install 'lnln[s3]' for s3://, "
            "what fsspec names for others"
        ) from error
    except FileNotFoundError as error:
        raise MediaError(url, "no such file") from error
    except Exception as error:  # each kind of storage has errors of its own
        raise MediaError(url, f"cannot be opened ({_brief(error)})") from error
    if size == 0:
        raise MediaError(url, "the file is empty")
    with file:
        yield file


def _require_file(path: str) -> None:
    file = Path(path)
    try:
        there = file.is_file()
    except OSError as error:  # a name that is too long, a folder that is closed to us
        raise MediaError(path, f"cannot be opened ({_brief(error)})") from error
    if not there:
        raise MediaError(path, "no such file")
    if file.stat().st_size == 0:
        raise MediaError(path, "the file is empty")


def origin_s(container: Any) -> float:
    """Time stamp of the file's beginning, s: what start_s = 0 means."""
    if container.start_time is not None:
        return float(container.start_time / av.time_base)
    starts = [float(s.start_time * s.time_base) for s in container.streams if s.start_time]
    return min(starts, default=0.0)


def streams_of(container: Any, kind: str) -> list[Any]:
    """Streams of a kind ("audio" or "video"), the one that players choose first.

    Cover pictures and what no decoder is known for are left out.
    """
    flags = av.stream.Disposition
    found = [
        stream
        for stream in container.streams
        if stream.type == kind
        and stream.codec_context is not None
        and not stream.disposition & flags.attached_pic
    ]
    return sorted(found, key=lambda stream: not stream.disposition & flags.default)


def first_stream(container: Any, kind: str) -> Any | None:
    """First of `streams_of`."""
    return next(iter(streams_of(container, kind)), None)


def packets(container: Any, streams: Iterable[Any], damage: Damage) -> Iterator[Any]:
    """Packets of some streams; a file that breaks off ends the iteration and is noted."""
    demuxer = container.demux(*streams)
    while True:
        try:
            packet = next(demuxer)
        except StopIteration:
            return
        except (av.error.FFmpegError, ValueError):
            damage.cut = True
            return
        yield packet


def decoded(packet: Any, damage: Damage) -> list[Any]:
    """Frames of a packet, none where it is damaged."""
    try:
        frames = packet.decode()
    except av.error.EOFError:
        return []
    except (av.error.FFmpegError, ValueError):
        damage.packets += 1
        return []
    return [frame for frame in frames if not getattr(frame, "is_corrupt", False)]


def probe(path: str) -> MediaInfo:
    """Find out what a file holds, by reading it through once and decoding its first frames.

    The clip lasts until its last packet ends: headers can be missing, estimated or false. Only
    where a time stamp lies far beyond both the duration in the header and what the packets add
    up to is the header believed.

    Raises
    ------
    MediaError
        Not a media file, or nothing in it can be decoded, or its duration cannot be found.
    SetupError
        As `opened`.
    """
    damage = Damage()
    first: dict[str, Any] = {}
    extents: dict[int, _Extent] = defaultdict(_Extent)  # of each stream
    with opened(path) as container:
        pictures = first_stream(container, "video")
        streams = [pictures] if pictures is not None else []
        streams += streams_of(container, "audio")  # any that can be decoded
        if not streams:
            raise MediaError(path, "holds neither a picture nor a sound stream")
        origin = origin_s(container)
        fps = _frame_rate(pictures)
        for packet in packets(container, streams, damage):
            kind = packet.stream.type
            if kind not in first:
                for frame in decoded(packet, damage)[:1]:
                    first[kind] = frame
            extents[packet.stream.index].add(packet, origin, fps)
        header_s = container.duration / av.time_base if container.duration else None
    if not first:
        raise MediaError(path, "no picture and no sound in it can be decoded")
    end_s = max(extent.end_s for extent in extents.values())
    counted_s = max(extent.counted_s for extent in extents.values())
    if header_s is not None and (end_s <= 0 or end_s > 2 * max(header_s, counted_s) + 1):
        end_s = header_s
    if not 0 < end_s < DAY_S:
        raise MediaError(path, f"its duration cannot be right: {end_s:.0f} s")
    if "video" not in first:
        return MediaInfo(end_s, None, None, None, has_audio=True, has_video=False)
    frame = first["video"]
    sideways = round(frame.rotation / 90) % 2 == 1
    width, height = (frame.height, frame.width) if sideways else (frame.width, frame.height)
    return MediaInfo(end_s, width, height, fps, has_audio="audio" in first, has_video=True)


def _frame_rate(stream: Any | None) -> float | None:
    rate = (stream.average_rate or stream.guessed_rate) if stream is not None else None
    return float(rate) if rate else None


@dataclass
class _Extent:
    """How far a stream reaches: by its time stamps, and by the number of its packets."""

    end_s: float = 0.0
    counted_s: float = 0.0

    def add(self, packet: Any, origin: float, fps: float | None) -> None:
        if packet.size == 0:  # the demuxer's sign that the stream has ended
            return
        if packet.duration:
            lasts_s = float(packet.duration * packet.time_base)
        else:
            lasts_s = 1 / fps if fps and packet.stream.type == "video" else 0.0
        stamp = packet.pts if packet.pts is not None else packet.dts
        begin_s = self.end_s if stamp is None else float(stamp * packet.time_base) - origin
        self.end_s = max(self.end_s, begin_s + lasts_s)
        self.counted_s += min(lasts_s, 1.0)  # more is more likely damage


def _brief(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).strip().splitlines()[0]
