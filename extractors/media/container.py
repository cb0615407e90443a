"""Open and probe video and sound files with PyAV, which includes FFmpeg."""

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

DAY_S = 24 * 3600.0  # longer durations are taken for damage


class MediaInfo(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    duration_s : float
    width, height : int or None
        Of the picture as it is shown (after rotation), pixels; None without a picture.
    fps : float or None
        Average frame rate; None without a picture.
    has_audio, has_video : bool
        Whether there is sound, and a picture, that can be decoded.
    """

    duration_s: float
    width: int | None
    height: int | None
    fps: float | None
    has_audio: bool
    has_video: bool


class Clip(NamedTuple):
    """The part of a file that an extractor works on: all of it, or a segment."""

    path: str
    start_s: float  # from the beginning of the file
    duration_s: float


@dataclass
class Damage:
    """What could not be decoded of a stream."""

    packets: int = 0
    cut: bool = False  # the file ended before its streams did

    def describe(self, stream: str) -> list[str]:
        """Warnings for the user, with the stream's name; none without damage."""
        warnings = []
        if self.packets:
            warnings.append(message(f"{self.packets} damaged packets of {stream} left out"))
        if self.cut:
            warnings.append(message(f"{stream} breaks off early"))
        return warnings


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a file for decoding: a local one, or one at an fsspec URL such as s3://bucket/clip.mp4.

    Raises
    ------
    MediaError
        It is missing, empty, or in no format that FFmpeg knows.
    SetupError
        The package that reads such URLs is not installed.
    """
    # The protocols allowed: neither a name nor a playlist can make FFmpeg open something else.
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
    """sha256 of the bytes of a local file, or of a file at an fsspec URL, hexadecimal.

    Raises
    ------
    MediaError
        It is missing, empty, or cannot be read.
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
    """Whether a path is an fsspec URL, not the path of a local file."""
    return re.match(r"[a-z][a-z0-9+.-]*://", path) is not None


@contextmanager
def _remote(url: str) -> Iterator[Any]:
    """The file at an fsspec URL, as a file object that can seek."""
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
    except Exception as error:  # each kind of storage has its own errors
        raise MediaError(url, f"cannot be opened ({_brief(error)})") from error
    if size == 0:
        raise MediaError(url, "the file is empty")
    with file:
        yield file


def _require_file(path: str) -> None:
    file = Path(path)
    try:
        exists = file.is_file()
    except OSError as error:  # the name is too long, or the folder may not be read
        raise MediaError(path, f"cannot be opened ({_brief(error)})") from error
    if not exists:
        raise MediaError(path, "no such file")
    if file.stat().st_size == 0:
        raise MediaError(path, "the file is empty")


def origin_s(container: Any) -> float:
    """Time stamp at which the file begins, s; there, ``start_s`` is 0."""
    if container.start_time is not None:
        return float(container.start_time / av.time_base)
    starts = [float(s.start_time * s.time_base) for s in container.streams if s.start_time]
    return min(starts, default=0.0)


def streams_of(container: Any, kind: str) -> list[Any]:
    """The streams of a kind, the one that players choose by default first.

    Cover pictures, and streams without a decoder, are left out.

    Parameters
    ----------
    container : av.container.InputContainer
    kind : {"audio", "video"}
    """
    flags = av.stream.Disposition
    streams = [
        stream
        for stream in container.streams
        if stream.type == kind
        and stream.codec_context is not None
        and not stream.disposition & flags.attached_pic
    ]
    return sorted(streams, key=lambda stream: not stream.disposition & flags.default)


def first_stream(container: Any, kind: str) -> Any | None:
    """The first of `streams_of`, or None."""
    return next(iter(streams_of(container, kind)), None)


def packets(container: Any, streams: Iterable[Any], damage: Damage) -> Iterator[Any]:
    """Packets of some streams, up to where the file can be read; sets `damage.cut` if it is cut."""
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
    """Frames of a packet; of a damaged one none, which `damage.packets` counts."""
    try:
        frames = packet.decode()
    except av.error.EOFError:
        return []
    except (av.error.FFmpegError, ValueError):
        damage.packets += 1
        return []
    return [frame for frame in frames if not getattr(frame, "is_corrupt", False)]


def probe(path: str) -> MediaInfo:
    """Find out what a file holds: read all of its packets, and decode the first frames.

    The duration is the time at which the last packet ends, because headers can be missing,
    estimated or wrong. The header is used only if the last time stamp is far beyond both the
    header's duration and the sum of the packets' durations.

    Raises
    ------
    MediaError
        It is not a media file, nothing in it can be decoded, or its duration cannot be found.
    SetupError
        The package that reads such URLs is not installed.
    """
    damage = Damage()
    first: dict[str, Any] = {}
    extents: dict[int, _Extent] = defaultdict(_Extent)  # by stream
    with opened(path) as container:
        pictures = first_stream(container, "video")
        streams = [pictures] if pictures is not None else []
        streams += streams_of(container, "audio")  # all: has one that can be decoded?
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
    """When a stream ends, s: by its time stamps, and by the sum of its packets' durations."""

    end_s: float = 0.0
    counted_s: float = 0.0

    def add(self, packet: Any, origin: float, fps: float | None) -> None:
        if packet.size == 0:  # how the demuxer says that the stream has ended
            return
        if packet.duration:
            lasts_s = float(packet.duration * packet.time_base)
        else:
            lasts_s = 1 / fps if fps and packet.stream.type == "video" else 0.0
        stamp = packet.pts if packet.pts is not None else packet.dts
        begin_s = self.end_s if stamp is None else float(stamp * packet.time_base) - origin
        self.end_s = max(self.end_s, begin_s + lasts_s)
        self.counted_s += min(lasts_s, 1.0)  # a longer packet is more likely damaged


def _brief(error: Exception) -> str:
    """An error's message in one line, without FFmpeg's details."""
    return str(getattr(error, "strerror", None) or error).strip().splitlines()[0]
