"""The sound and the frames of a file as they are, with their times from its beginning."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np

from extractors.errors import MediaError
from extractors.media.container import (
    Damage,
    decoded,
    first_stream,
    opened,
    origin_s,
    packets,
    streams_of,
)

_GAP_S = 0.02  # smaller differences of time stamps from the count of samples are ignored
_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1")  # that AAC knows
_DEFAULT_FPS = 25  # if the file does not say


class Sound(NamedTuple):
    """All sound of a file, from its beginning on; 0 where there is none."""

    samples: np.ndarray  # float32 [channels, samples]
    rate: int
    layout: str


class Frame(NamedTuple):
    """A decoded frame and its time stamp, from the beginning of the file, in `time_base`."""

    frame: Any
    pts: int
    duration: int
    time_base: Fraction

    @property
    def time_s(self) -> float:
        return float(self.pts * self.time_base)


def read_sound(path: str) -> Sound:
    """Decode the sound that players choose by default, or the next that can be.

    Raises
    ------
    MediaError
        No sound can be decoded.
    """
    number, count = 0, 1
    while number < count:
        with opened(path) as container:
            streams = streams_of(container, "audio")
            count = len(streams)
            sound = _sound(container, streams[number]) if streams else None
        if sound is not None:
            return sound
        number += 1
    raise MediaError(path, "no sound in it can be decoded")


def read_frames(path: str) -> Iterator[Frame]:
    """Decode the frames, in order.

    Raises
    ------
    MediaError
        The file cannot be opened.
    """
    with opened(path) as container:
        stream = first_stream(container, "video")
        if stream is None:
            return
        stream.thread_count = 1  # one worker, one core
        base = stream.time_base
        origin = round(origin_s(container) / base)
        usual = max(round(1 / ((stream.average_rate or _DEFAULT_FPS) * base)), 1)
        following, latest = 0, -(2**62)
        for packet in packets(container, [stream], Damage()):
            for frame in decoded(packet, Damage()):
                pts = following if frame.pts is None else frame.pts - origin
                if pts <= latest:  # time never runs backwards
                    pts = max(following, latest + 1)
                duration = frame.duration or usual
                following, latest = pts + usual, pts
                yield Frame(frame, pts, duration, base)


def _sound(container: Any, stream: Any) -> Sound | None:
    """The sound of a stream; None where nothing of it can be decoded."""
    origin = origin_s(container)
    pieces: list[np.ndarray] = []
    resampler: Any = None
    layout, rate, end, last_s = "", 0, 0, 0.0
    for packet in packets(container, [stream], Damage()):
        if packet.size and packet.pts is not None:
            last_s = float((packet.pts + (packet.duration or 0)) * packet.time_base) - origin
        for frame in decoded(packet, Damage()):
            if not frame.samples or not frame.sample_rate:
                continue
            if resampler is None:
                rate, layout = frame.sample_rate, _layout(frame)
                resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
            begin_s = end / rate if frame.time is None else frame.time - origin
            begin = end if abs(begin_s - end / rate) <= _GAP_S else round(begin_s * rate)
            frame.pts = None  # time is kept here, not in the resampler
            for part in resampler.resample(frame):
                samples = part.to_ndarray()
                if begin > end:
                    pieces.append(np.zeros((len(samples), begin - end), np.float32))
                    end = begin
                fresh = samples[:, max(end - begin, 0) :]
                pieces.append(fresh)
                end += fresh.shape[1]
                begin = end
    if not pieces:
        return None
    samples = np.concatenate(pieces, axis=1)
    # Decoders return the last packet whole, also where the file says that less of it is sound.
    if 0 < end - round(last_s * rate) < rate // 10:
        samples = samples[:, : round(last_s * rate)]
    # A damaged stream of floats can hold any value.
    return Sound(np.clip(np.nan_to_num(samples), -1, 1, dtype=np.float32), rate, layout)


def _layout(frame: Any) -> str:
    name: str = frame.layout.name
    if name in _LAYOUTS:
        return name
    return "mono" if frame.layout.nb_channels == 1 else "stereo"
