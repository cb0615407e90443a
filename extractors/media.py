"""Opening and probing video and sound files, through PyAV (FFmpeg inside the wheel)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import av

from extractors.errors import MediaError

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
            found.append(f"{self.packets} damaged packets of {stream} left out")
        if self.cut:
            found.append(f"{stream} breaks off early")
        return found


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a local file for decoding.

    Raises
    ------
    MediaError
        It is missing, empty, or no container that FFmpeg knows.
    """
    file = Path(path)
    if not file.is_file():
        raise MediaError(path, "no such file")
    if file.stat().st_size == 0:
        raise MediaError(path, "the file is empty")
    try:
        # "file:" and the whitelist: neither a name nor a playlist's content reaches elsewhere.
        container = av.open(
            f"file:{path}", metadata_errors="replace", options={"protocol_whitelist": "file"}
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaError(path, f"not a readable video or sound file ({_brief(error)})") from error
    with container:
        yield container


def origin_s(container: Any) -> float:
    """Time stamp of the file's beginning, s: what start_s = 0 means."""
    if container.start_time is not None:
        return float(container.start_time / av.time_base)
    starts = [float(s.start_time * s.time_base) for s in container.streams if s.start_time]
    return min(starts, default=0.0)


def first_stream(container: Any, kind: str) -> Any | None:
    """First stream of a kind ("audio" or "video") that is not a cover picture."""
    for stream in container.streams:
        cover = stream.disposition & av.stream.Disposition.attached_pic
        if stream.type == kind and stream.codec_context is not None and not cover:
            return stream
    return None


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
    where a time stamp lies far beyond the duration in the header is the header believed.

    Raises
    ------
    MediaError
        Not a media file, or nothing in it can be decoded, or its duration cannot be found.
    """
    damage = Damage()
    first: dict[str, Any] = {}
    end_s = 0.0
    with opened(path) as container:
        streams = {
            k: s for k in ("video", "audio") if (s := first_stream(container, k)) is not None
        }
        if not streams:
            raise MediaError(path, "holds neither a picture nor a sound stream")
        origin = origin_s(container)
        fps = _frame_rate(streams.get("video"))
        for packet in packets(container, streams.values(), damage):
            kind = packet.stream.type
            if kind not in first:
                for frame in decoded(packet, damage)[:1]:
                    first[kind] = frame
            end_s = max(end_s, _end_s(packet, fps) - origin)
        header_s = container.duration / av.time_base if container.duration else None
    if not first:
        raise MediaError(path, "no picture and no sound in it can be decoded")
    if header_s is not None and (end_s <= 0 or end_s > 2 * header_s + 1):
        end_s = header_s
    if not 0 < end_s < DAY_S:
        raise MediaError(path, f"its duration cannot be right: {end_s:.0f} s")
    if "video" not in first:
        return MediaInfo(end_s, None, None, None, has_audio=True, has_video=False)
    frame = first["video"]
    sideways = frame.rotation % 180 != 0
    width, height = (frame.height, frame.width) if sideways else (frame.width, frame.height)
    return MediaInfo(end_s, width, height, fps, has_audio="audio" in first, has_video=True)


def _frame_rate(stream: Any | None) -> float | None:
    rate = (stream.average_rate or stream.guessed_rate) if stream is not None else None
    return float(rate) if rate else None


def _end_s(packet: Any, fps: float | None) -> float:
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is None:
        return 0.0
    end_s = float((stamp + (packet.duration or 0)) * packet.time_base)
    if not packet.duration and packet.stream.type == "video":
        end_s += 1 / fps if fps else 0.0
    return end_s


def _brief(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).strip().splitlines()[0]
