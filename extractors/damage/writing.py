"""Write a file anew as MP4: what is damaged is encoded, the other stream is copied.

The bytes depend on nothing but what is written: one thread encodes, and no date or name of a
program is put in.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import ColorRange

from contracts.files import replacing
from extractors.damage.reading import Frame, Sound, read_frames, read_sound
from extractors.damage.scenes import PictureDamage
from extractors.errors import MediaError
from extractors.media.container import Damage, Media, opened
from extractors.media.orientation import Orientation, orientation_of
from extractors.media.sound import heard_stream

# At 18, which looks the same, x264 smooths away most of the noise of low light.
_VIDEO = {"crf": "12", "preset": "veryfast", "threads": "1"}
_BITS_PER_S = 96_000  # of AAC, per channel
_BITS_PER_SAMPLE = 6  # the most that AAC allows
_FRAME = 1024  # samples, of AAC

Packets = Iterator[Any]


def write_clip(
    source: str, target: Path, sound: Sound | None, pictures: list[PictureDamage]
) -> None:
    """Write a file with other sound, or a damaged picture, or both.

    A stream that is not damaged is copied, packet by packet, if an MP4 can hold it. The file has
    one picture and one sound stream, those that the extractors use; others are left out.

    Parameters
    ----------
    source : str
    target : Path
        Replaced in one step.
    sound : Sound or None
        None: the sound of the source, if it has any.
    pictures : list of PictureDamage
        Applied to each frame one after the other; empty: the picture stays as it is.

    Raises
    ------
    MediaError
        The source cannot be read, or cannot be written as MP4.
    """
    with replacing(target) as temporary:
        try:
            _write(source, temporary.absolute(), sound, pictures)
        except av.error.FFmpegError as error:
            raise MediaError(source, f"cannot be written as MP4 ({error.strerror})") from error


def _write(source: str, path: Path, sound: Sound | None, pictures: list[PictureDamage]) -> None:
    with ExitStack() as stack:
        out = stack.enter_context(
            av.open(f"file:{path}", "w", format="mp4", options={"fflags": "+bitexact"})
        )
        # Streams cannot be added once the first packet is written.
        picture = (
            _encoded_picture(out, source, pictures)
            if pictures
            else _copied(out, source, "video", stack, lambda: _encoded_picture(out, source, []))
        )
        heard = (
            _copied(out, source, "audio", stack, lambda: _encoded_sound(out, read_sound(source)))
            if sound is None
            else _encoded_sound(out, sound)
        )
        for packet in merge(*filter(None, (picture, heard)), key=_time_s):
            out.mux(packet)


def _copied(
    out: Any, source: str, kind: str, stack: ExitStack, encoded: Callable[[], Packets | None]
) -> Packets | None:
    """The packets of a stream as they are; encoded anew where MP4 cannot hold them so."""
    file = stack.enter_context(opened(source))
    streams = file.streams(kind)
    if not streams:
        return None
    number = heard_stream(source) if kind == "audio" else 0
    if number is None and not file.stamps.regular:
        return None  # what cannot be decoded cannot be given other times either
    stream = streams[number or 0]
    if not file.stamps.regular or not _fits(stream):
        return encoded()
    return _moved(file, stream, out.add_stream_from_template(stream, opaque=True))


def _fits(stream: Any) -> bool:
    """Whether an MP4 can hold a stream as it is, which writing the header of one tells."""
    if stream.codec_context.name.startswith("pcm_"):  # with some layouts only the end tells
        return False
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _moved(file: Media, stream: Any, target: Any) -> Packets:
    """Packets of one stream for another, with their times from the beginning of the file."""
    origin = round(file.origin_s / stream.time_base)
    for packet in file.packets([stream], Damage()):
        if not packet.size or packet.pts is None:
            continue
        packet.pts -= origin
        if packet.dts is not None:
            packet.dts -= origin
        packet.stream = target
        yield packet


def _encoded_sound(out: Any, sound: Sound) -> Packets:
    rates = av.Codec("aac", "w").audio_rates or []
    rate = sound.rate if sound.rate in rates else 48_000
    stream = out.add_stream("aac", rate=rate, layout=sound.layout)
    stream.bit_rate = min(_BITS_PER_S, _BITS_PER_SAMPLE * rate) * len(sound.samples)
    stream.codec_context.flags |= Flags.bitexact
    return _sound_packets(stream, sound)


def _sound_packets(stream: Any, sound: Sound) -> Packets:
    for begin in range(0, sound.samples.shape[1], _FRAME):
        # Packed: PyAV cannot make frames of eight planes.
        piece = sound.samples[:, begin : begin + _FRAME].T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(piece, format="flt", layout=sound.layout)
        frame.sample_rate, frame.pts = sound.rate, begin
        frame.time_base = Fraction(1, sound.rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _encoded_picture(out: Any, source: str, damages: list[PictureDamage]) -> Packets | None:
    frames = read_frames(source)
    first = next(frames, None)
    if first is None:
        return None
    with opened(source) as file:
        template: Any = file.first_stream("video")
        stream = out.add_stream("libx264", rate=template.average_rate or 25, options=_VIDEO)
        context = stream.codec_context
        stream.width, stream.height = first.frame.width, first.frame.height
        # Chroma at half of the resolution needs even sides.
        even = first.frame.width % 2 == first.frame.height % 2 == 0
        stream.pix_fmt = "yuv420p" if even else "yuv444p"
        context.time_base = first.time_base
        context.thread_count = 1
        context.flags |= Flags.bitexact
        context.sample_aspect_ratio = template.sample_aspect_ratio or Fraction(1)
        context.colorspace = first.frame.colorspace
        context.color_range = ColorRange.MPEG
    # Mirrored frames are written as they are meant, so that a turn is all that is left to tell.
    degrees = orientation_of(first.frame).degrees
    if degrees:
        stream.set_display_rotation(degrees)
    return _picture_packets(stream, first, frames, damages)


def _picture_packets(
    stream: Any, first: Frame, frames: Iterator[Frame], damages: list[PictureDamage]
) -> Packets:
    orientation = orientation_of(first.frame)
    size = {"width": first.frame.width, "height": first.frame.height}
    yield from stream.encode(_damaged(first, damages, orientation, size, stream.pix_fmt))
    for frame in frames:
        yield from stream.encode(_damaged(frame, damages, orientation, size, stream.pix_fmt))
    yield from stream.encode(None)


def _damaged(
    shown: Frame,
    damages: list[PictureDamage],
    orientation: Orientation,
    size: dict[str, int],
    pix_fmt: str,
) -> Any:
    """A frame to encode: upright while it is damaged, then turned back."""
    picture = shown.frame.reformat(format="rgb24", threads=1, **size).to_ndarray()
    turns = round(orientation.degrees / 90)  # anticlockwise
    mirrored = picture[:, ::-1] if orientation.mirrored else picture
    upright = np.ascontiguousarray(np.rot90(mirrored, turns))
    for damage in damages:
        upright = damage.frame(upright, shown.time_s)
    turned = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(upright, -turns)), "rgb24")
    frame = turned.reformat(
        format=pix_fmt,
        dst_colorspace=shown.frame.colorspace,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )
    frame.pts, frame.time_base, frame.duration = shown.pts, shown.time_base, shown.duration
    return frame


def _time_s(packet: Any) -> float:
    stamp = packet.pts if packet.dts is None else packet.dts
    return float(stamp * packet.time_base)
