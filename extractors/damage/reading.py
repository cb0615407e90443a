"""The sound and the frames of a file as they are, with their times from its beginning."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np

from extractors.errors import MediaError
from extractors.media.container import Damage, Media, decoded, opened
from extractors.media.heard import samples_of
from extractors.media.sound import heard_stream

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
    """Decode the sound that the extractors listen to, with all of its channels.

    Raises
    ------
    MediaError
        No sound can be decoded.
    """
    number = heard_stream(path)
    if number is not None:
        with opened(path) as file:
            sound = _sound(file, file.streams("audio")[number])
        if sound is not None:
            return sound
    raise MediaError(path, "no sound in it can be decoded")


def read_frames(path: str) -> Iterator[Frame]:
    """Decode the frames, in order.

    Raises
    ------
    MediaError
        The file cannot be opened.
    """
    with opened(path) as file:
        stream = file.first_stream("video")
        if stream is None:
            return
        stream.thread_count = 1  # one worker, one core
        base = stream.time_base
        origin = round(file.origin_s / base)
        usual = max(round(1 / ((stream.average_rate or _DEFAULT_FPS) * base)), 1)
        following, latest = 0, -(2**62)
        for packet in file.packets([stream], Damage()):
            for frame in decoded(packet, Damage()):
                pts = following if frame.pts is None else frame.pts - origin
                if pts <= latest:  # time never runs backwards
                    pts = max(following, latest + 1)
                duration = frame.duration or usual
                following, latest = pts + usual, pts
                yield Frame(frame, pts, duration, base)


def _sound(file: Media, stream: Any) -> Sound | None:
    """The sound of a stream; None where nothing of it can be decoded."""
    origin = file.origin_s
    pieces: list[np.ndarray] = []
    resampler: Any = None
    layout, rate, end, last_s = "", 0, 0, 0.0
    for packet in file.packets([stream], Damage()):
        if packet.size and packet.pts is not None:
            last_s = float((packet.pts + (packet.duration or 0)) * packet.time_base) - origin
        for frame in decoded(packet, Damage()):
            if not frame.samples or not frame.sample_rate:
                continue
            if resampler is None:
                rate, layout = frame.sample_rate, _layout(frame)
                # Packed: with eight planes PyAV crashes, see `extractors.media.heard`.
                resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
            begin_s = end / rate if frame.time is None else frame.time - origin
            begin = end if abs(begin_s - end / rate) <= _GAP_S else round(begin_s * rate)
            frame.pts = None  # time is kept here, not in the resampler
            for part in resampler.resample(frame):
                samples = samples_of(part)
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
    return Sound(np.ascontiguousarray(samples), rate, layout)


def _layout(frame: Any) -> str:
    name: str = frame.layout.name
    if name in _LAYOUTS:
        return name
    return "mono" if frame.layout.nb_channels == 1 else "stereo"
