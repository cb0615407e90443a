"""Open and probe video and sound files with PyAV, which includes FFmpeg."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import av

from extractors.errors import MediaError
from extractors.media.clip import (
    Clip,
    brief,
    content_hash,
    is_url,
    remote,
    require_file,
    state_of,
)
from extractors.media.damaged import Damage
from extractors.media.orientation import orientation_of
from extractors.media.stamps import Stamps

__all__ = ["Clip", "Damage", "Media", "MediaInfo", "content_hash", "is_url", "opened", "probe"]

DAY_S = 24 * 3600.0  # longer durations are taken for damage

# Formats that hold their own pictures and sounds. FFmpeg knows others that name further files or
# addresses to read: playlists, lists of files to join, numbered pictures, recipes of filters.
FORMATS = (
    *("mov", "matroska", "avi", "mpeg", "mpegts", "mpegvideo", "flv", "asf", "ogg", "rm", "mxf"),
    *("nut", "dv", "ivf", "gxf", "wtv", "gif", "apng", "h261", "h263", "h264", "hevc", "vvc"),
    *("obu", "m4v", "mjpeg", "mp3", "aac", "ac3", "eac3", "flac", "wav", "w64", "aiff", "caf"),
    *("au", "amr", "tta", "wv", "ape", "mpc", "mpc8"),
)


class MediaInfo(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    duration_s : float
    width, height, fps : int, int and float, or None
        Of the picture as it is shown (after rotation), pixels and frames per second on average;
        None without a picture.
    has_audio, has_video : bool
        Whether there is sound, and a picture, that can be decoded.
    """

    duration_s: float
    width: int | None
    height: int | None
    fps: float | None
    has_audio: bool
    has_video: bool


class Media:
    """A file that is open for decoding, on a time line that begins at 0 and has no holes.

    Attributes
    ----------
    container : av.container.InputContainer
    stamps : Stamps
        Of its first picture and all its sound streams: where they start again or jump.
    origin_s : float
        Time stamp at which the file begins, s.
    """

    def __init__(self, container: Any, stamps: Stamps) -> None:
        self.container = container
        self.stamps = stamps
        self.origin_s = origin_s(container)

    def streams(self, kind: str) -> list[Any]:
        """Streams of "audio" or "video", that which players choose first; no cover pictures."""
        return streams_of(self.container, kind)

    def first_stream(self, kind: str) -> Any | None:
        """The first of `streams`, or None."""
        return next(iter(self.streams(kind)), None)

    def seek(self, time_s: float) -> bool:
        """Go near a time before decoding; False: it has to be read from its beginning."""
        if not self.stamps.regular:  # a stamp does not say where a packet is
            return False
        try:
            self.container.seek(int((self.origin_s + time_s) * av.time_base))
        except av.error.FFmpegError:
            return False
        return True

    def packets(self, streams: Iterable[Any], damage: Damage) -> Iterator[Any]:
        """Packets up to where the file can be read; tells `damage` of cuts and moved stamps."""
        for text in self.stamps.warnings:
            damage.note(text)
        numbers: Counter[int] = Counter()
        for packet in _packets(self.container, streams, damage):
            if packet.size and not self.stamps.regular:
                stream = packet.stream.index
                self._move(packet, numbers[stream])
                numbers[stream] += 1
            yield packet

    def _move(self, packet: Any, number: int) -> None:
        """Give a packet, the so manieth of its stream, its time on a line without holes."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return
        base = packet.time_base
        begin_s = float(stamp * base) - self.origin_s
        shift_s = self.stamps.shift_s(packet.stream.index, number, begin_s)
        if shift_s is None:
            packet.pts = packet.dts = None
            return
        ticks = round(shift_s / base)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks


@contextmanager
def opened(path: str) -> Iterator[Media]:
    """Open a file for decoding: a local one, or one at an fsspec URL such as s3://bucket/clip.mp4.

    All its packets are read once, without decoding them: headers tell little of time stamps. What
    they tell is kept while the file does not change, as a recording is opened for every utterance.

    Raises
    ------
    MediaError
        It is missing, empty, or in no format that FFmpeg knows and that holds its own data.
    SetupError
        The package that reads such URLs is not installed.
    """
    state = state_of(path)
    stamps = _read_stamps(path) if state is None else _known_stamps(path, state)
    with _opened(path) as container:
        yield Media(container, stamps)


def _read_stamps(path: str) -> Stamps:
    with _opened(path) as container:
        return _stamps(container)


@lru_cache(maxsize=4)
def _known_stamps(path: str, _: tuple[Any, ...]) -> Stamps:
    return _read_stamps(path)


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    # The protocols allowed: neither a name nor a playlist can make FFmpeg open something else.
    if is_url(path):
        with remote(path) as file, _container(path, file, "none") as container:
            yield container
        return
    require_file(path)
    with _container(path, f"file:{path}", "file") as container:
        yield container


@contextmanager
def _container(path: str, source: Any, protocols: str) -> Iterator[Any]:
    options = {"protocol_whitelist": protocols, "format_whitelist": ",".join(FORMATS)}
    try:
        container = av.open(source, metadata_errors="replace", options=options)
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaError(path, f"not a readable video or sound file ({brief(error)})") from error
    with container:
        yield container


def _stamps(container: Any) -> Stamps:
    """Time stamps of the streams that are looked at or listened to."""
    stamps = Stamps()
    origin = origin_s(container)
    pictures = next(iter(streams_of(container, "video")), None)
    streams = [pictures] if pictures is not None else []
    streams += streams_of(container, "audio")
    usual_s = 1 / fps if (fps := frame_rate(pictures)) else 0.0
    ticks = {s.index: (s.type, s.time_base.numerator, s.time_base.denominator) for s in streams}
    for packet in _packets(container, streams, Damage()) if streams else ():
        if packet.size == 0:  # how the demuxer says that the stream has ended
            continue
        kind, numerator, denominator = ticks[number := packet.stream.index]
        shown_s, decoded_s = (
            None if stamp is None else stamp * numerator / denominator - origin
            for stamp in (packet.pts, packet.dts)
        )
        lasts_s = (packet.duration or 0) * numerator / denominator
        if not lasts_s and kind == "video":
            lasts_s = usual_s
        stamps.add(number, kind, shown_s, decoded_s, lasts_s)
    stamps.settle()
    return stamps


def origin_s(container: Any) -> float:
    """Time stamp at which the file begins, s; there, ``start_s`` is 0."""
    if container.start_time is not None:
        return float(container.start_time / av.time_base)
    starts = [float(s.start_time * s.time_base) for s in container.streams if s.start_time]
    return min(starts, default=0.0)


def streams_of(container: Any, kind: str) -> list[Any]:
    """What `Media.streams` says of an open container."""
    flags = av.stream.Disposition
    streams = [
        stream
        for stream in container.streams
        if stream.type == kind
        and stream.codec_context is not None
        and not stream.disposition & flags.attached_pic
    ]
    return sorted(streams, key=lambda stream: not stream.disposition & flags.default)


def _packets(container: Any, streams: Iterable[Any], damage: Damage) -> Iterator[Any]:
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
    estimated or wrong; holes in which nothing is there at all do not count. The header is used
    only if the last time stamp is far beyond both the header's duration and the sum of the
    packets' durations.

    Raises
    ------
    MediaError
        It is not a media file, nothing in it can be decoded, or its duration cannot be found.
    SetupError
        The package that reads such URLs is not installed.
    """
    damage = Damage()
    first: dict[str, Any] = {}
    with opened(path) as file:
        pictures = file.first_stream("video")
        streams = [pictures] if pictures is not None else []
        streams += file.streams("audio")  # all: has one that can be decoded?
        if not streams:
            raise MediaError(path, "holds neither a picture nor a sound stream")
        kinds = {stream.type for stream in streams}
        for packet in file.packets(streams, damage):
            kind = packet.stream.type
            if kind not in first:
                for frame in decoded(packet, damage)[:1]:
                    first[kind] = frame
            if first.keys() == kinds:
                break
        container, extents = file.container, file.stamps.extents()
        header_s = container.duration / av.time_base if container.duration else None
        fps = frame_rate(pictures)
    if not first:
        raise MediaError(path, "no picture and no sound in it can be decoded")
    end_s = max(extent.end_s for extent in extents)
    counted_s = max(extent.counted_s for extent in extents)
    if header_s is not None and (end_s <= 0 or end_s > 2 * max(header_s, counted_s) + 1):
        end_s = header_s
    if not 0 < end_s < DAY_S:
        raise MediaError(path, f"its duration cannot be right: {end_s:.0f} s")
    if "video" not in first:
        return MediaInfo(end_s, None, None, None, has_audio=True, has_video=False)
    frame = first["video"]
    sides = frame.width, frame.height
    width, height = reversed(sides) if orientation_of(frame).sideways else sides
    return MediaInfo(end_s, width, height, fps, has_audio="audio" in first, has_video=True)


def frame_rate(stream: Any | None) -> float | None:
    """Average frame rate that a picture stream states; None if it states none."""
    rate = (stream.average_rate or stream.guessed_rate) if stream is not None else None
    return float(rate) if rate else None
