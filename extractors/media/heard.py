"""Which sound of a clip is listened to: of several tracks, and of channels that cancel out."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import av
import numpy as np

from contracts.messages import message
from extractors.media.clip import Clip
from extractors.media.container import Damage, Media, decoded

_SILENCE = 1e-3  # RMS without the mean, -60 dB of full scale
_CANCELLED = 0.1  # of the power that the loudest channel alone leaves in the mix: -10 dB
_OFFSET = 1e-3  # constant part, of full scale, from which on it is taken off ...
_OFFSET_SHARE = 0.2  # ... if it is more than this of the RMS; of voices alone it is below 0.1

_PREROLL_S = 0.1  # decoded before the start of a segment: codecs need it to settle


class Heard(NamedTuple):
    """What is listened to.

    Attributes
    ----------
    number : int
        Of the stream among `Media.streams("audio")`.
    channel : int or None
        None: all channels, mixed.
    offset : bool
        Whether a constant offset has to be taken off.
    notes : list of str
        What is not as it usually is, for the user.
    """

    number: int
    channel: int | None = None
    offset: bool = False
    notes: tuple[str, ...] = ()


def choose_sound(file: Media, clip: Clip) -> Heard | None:
    """Choose what is listened to in a clip; its sound is decoded for it.

    It is the stream that players choose by default, or the next if nothing of that can be decoded,
    or if it is silent and another is not. All of its channels are mixed, unless they cancel each
    other out: then it is the loudest of them.

    Parameters
    ----------
    file : Media
        Open; no more use afterwards, as it has been read.
    clip : Clip

    Returns
    -------
    Heard or None
        None if no sound can be decoded.
    """
    levels = _levels(file, clip)
    numbers = [number for number, level in enumerate(levels) if level.samples]
    if not numbers:
        return None
    number = next((n for n in numbers if not levels[n].silent), numbers[0])
    level, notes = levels[number], []
    if number != numbers[0]:
        notes.append(
            message(
                f"the sound that players choose is silent (track {numbers[0] + 1} of "
                f"{len(levels)}): track {number + 1} is listened to instead"
            )
        )
    if level.channel is not None:
        notes.append(
            message(
                "the channels of the sound cancel each other out: only the loudest, channel "
                f"{level.channel + 1}, is listened to"
            )
        )
    if level.offset:
        notes.append(
            message(f"a constant offset of {level.mean:.3f} of full scale is taken off the sound")
        )
    return Heard(number, level.channel, level.offset, tuple(notes))


def _levels(file: Media, clip: Clip) -> "list[_Level]":
    """The levels of every sound stream within a clip."""
    streams = file.streams("audio")
    levels = {stream.index: _Level() for stream in streams}
    if clip.start_s > _PREROLL_S:
        file.seek(clip.start_s - _PREROLL_S)
    begin_s = file.origin_s + clip.start_s
    end_s = begin_s + clip.duration_s
    going_on = set(levels)
    for packet in file.packets(streams, Damage()) if streams else ():
        stream = packet.stream.index
        for frame in decoded(packet, Damage()):
            if not frame.samples or not frame.sample_rate:
                continue
            time_s = frame.time
            if time_s is not None and time_s >= end_s:
                going_on.discard(stream)
            elif time_s is None or begin_s <= time_s + frame.samples / frame.sample_rate:
                levels[stream].add(frame)
        if not going_on:
            break
    return list(levels.values())


@dataclass
class _Sums:
    """What the mean and the power of signals [signals, samples] are computed from."""

    samples: int = 0
    total: np.ndarray = field(default_factory=lambda: np.zeros(0))
    squares: np.ndarray = field(default_factory=lambda: np.zeros(0))
    loudest: np.ndarray = field(default_factory=lambda: np.zeros(0))  # frame: power, less the mean

    def add(self, signals: np.ndarray) -> None:
        if not self.samples:
            self.total, self.squares, self.loudest = np.zeros((3, len(signals)))
        elif len(signals) != len(self.total):  # another layout on the way
            return
        self.samples += signals.shape[1]
        self.total = self.total + signals.sum(1)
        self.squares = self.squares + np.square(signals).sum(1)
        self.loudest = np.maximum(self.loudest, signals.var(1))

    @property
    def mean(self) -> np.ndarray:
        return self.total / max(self.samples, 1)

    @property
    def power(self) -> np.ndarray:
        """Without the mean."""
        return np.maximum(self.squares / max(self.samples, 1) - np.square(self.mean), 0)


class _Level:
    """How loud a stream is, channel by channel and mixed."""

    def __init__(self) -> None:
        self._channels = _Sums()
        self._mix = _Sums()
        self._form: tuple[str, str, int] | None = None
        self._resamplers: list[Any] = []

    def add(self, frame: Any) -> None:
        """Add a frame; one whose channels cannot be mixed counts as damaged elsewhere."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        frame.pts = None
        try:
            if form != self._form:
                layouts = ("mono",) if form[1] == "mono" else (form[1], "mono")
                self._resamplers = [resampler(layout, frame.sample_rate) for layout in layouts]
                self._form = form
            signals = [_resampled(r, frame) for r in self._resamplers]
        except (av.error.FFmpegError, ValueError):
            return
        self._channels.add(signals[0])
        self._mix.add(signals[-1])  # one channel is its own mix

    @property
    def samples(self) -> int:
        return self._mix.samples

    @property
    def channel(self) -> int | None:
        """The loudest channel if the mix is far below it, else None."""
        power = self._channels.power
        loudest = int(np.argmax(power))
        alone = power[loudest] / len(power) ** 2  # what is left of it in a mix with silence
        if len(power) == 1 or self._channels.loudest[loudest] < _SILENCE**2:
            return None
        return loudest if self._mix.power[0] < _CANCELLED * alone else None

    @property
    def silent(self) -> bool:
        return bool(self._of_heard("loudest") < _SILENCE**2)

    @property
    def mean(self) -> float:
        return float(self._of_heard("mean"))

    @property
    def offset(self) -> bool:
        """Whether the constant part counts."""
        level = np.sqrt(self._of_heard("power") + self.mean**2)
        return abs(self.mean) > max(_OFFSET, _OFFSET_SHARE * level)

    def _of_heard(self, name: str) -> Any:
        """A value of the mix, or of the channel that is heard in place of it."""
        sums, number = (self._mix, 0) if self.channel is None else (self._channels, self.channel)
        return getattr(sums, name)[number]


def resampler(layout: str, rate: int) -> Any:
    """Turns frames into float samples of a layout and rate, for `samples_of`.

    Channels are mixed with FFmpeg's weights for their positions, scaled so that a sound that is on
    all of them keeps its level.
    """
    # Packed: PyAV counts planes up to a null pointer, and crashes where eight leave no room for it.
    return av.AudioResampler(
        format="flt", layout=layout, rate=rate, options={"rematrix_maxval": "1"}
    )


def samples_of(frame: Any) -> np.ndarray:
    """The samples of a frame from a `resampler`: float32 [channels, samples], from -1 to 1."""
    samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).T
    # A damaged stream of floats can hold any value.
    samples = np.clip(samples, -1.0, 1.0)
    samples[np.isnan(samples)] = 0.0
    return samples


def _resampled(resampler: Any, frame: Any) -> np.ndarray:
    """A frame, resampled: float64 [channels, samples]."""
    parts = [samples_of(part) for part in resampler.resample(frame)]
    return np.concatenate(parts, axis=1).astype(np.float64)
