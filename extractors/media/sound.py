"""The sound of a clip as a mono signal at 16 kHz, placed by its time stamps."""

from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from extractors.media.clip import Clip
from extractors.media.container import DAY_S, Damage, Media, decoded, opened
from extractors.media.heard import Heard, choose_sound, resampler, samples_of
from extractors.media.timeline import SAMPLE_RATE

_GAP_S = 0.02  # smaller differences of time stamps from the count of samples are ignored
_PREROLL_S = 0.1  # decoded before the start of a segment: codecs need it to settle
_LOWEST_HZ = 10.0  # of what is left where a constant offset is taken off


def sound_blocks(clip: Clip, damage: Damage, seconds: float) -> Iterator[np.ndarray]:
    """Decode a clip's sound to 16 kHz mono, a block at a time.

    `extractors.media.heard` chooses of several streams and of channels that cancel each other out,
    and says how channels are mixed. A constant offset is taken off.

    Parameters
    ----------
    clip : Clip
    damage : Damage
        Counts what could not be decoded.
    seconds : float
        Length of a block.

    Yields
    ------
    ndarray, float32 [16000 * seconds]
        Only the last block is shorter. Together they are round(16000 * duration_s) samples; sample
        i is at time start_s + i / 16000. Where there is no sound (before it starts, in gaps, after
        its end) samples are 0. Where time stamps overlap, the sound that came first is kept.

    Raises
    ------
    MediaError
        The file cannot be opened.
    SetupError
        The package that reads such URLs is not installed.
    """
    total = round(clip.duration_s * SAMPLE_RATE)
    size = round(seconds * SAMPLE_RATE)
    begin = 0
    block = np.zeros(min(size, total), np.float32)
    for position, samples in _pieces(clip, damage):
        while begin < total and position + len(samples) > begin + len(block):
            _put(block, samples, position - begin)
            yield block
            begin += len(block)
            block = np.zeros(min(size, total - begin), np.float32)
        if begin >= total:
            return
        _put(block, samples, position - begin)
    while begin < total:
        yield block
        begin += len(block)
        block = np.zeros(min(size, total - begin), np.float32)


def _put(block: np.ndarray, samples: np.ndarray, position: int) -> None:
    """Copy the part of `samples` that falls into a block; they begin at `position` in it."""
    begin, end = max(position, 0), min(position + len(samples), len(block))
    if end > begin:
        block[begin:end] = samples[begin - position : end - position]


def heard_stream(path: str) -> int | None:
    """Number of the sound stream of a file that is listened to; None if none can be decoded."""
    with opened(path) as file:
        heard = choose_sound(file, Clip(path, 0.0, DAY_S))
    return None if heard is None else heard.number


def _pieces(clip: Clip, damage: Damage) -> Iterator[tuple[int, np.ndarray]]:
    """Samples with their position in the clip, in order and without overlap."""
    with opened(clip.path) as file:
        heard = choose_sound(file, clip) or Heard(0)  # what cannot be decoded is damage of that
    for note in heard.notes:
        damage.note(note)
    with opened(clip.path) as file:
        streams = file.streams("audio")
        if not streams:
            return
        pieces = _stream_pieces(file, streams[heard.number], heard.channel, clip, damage)
        yield from _without_offset(pieces) if heard.offset else pieces


def _stream_pieces(
    file: Media, stream: Any, channel: int | None, clip: Clip, damage: Damage
) -> Iterator[tuple[int, np.ndarray]]:
    """`_pieces` of a stream, or of one of its channels."""
    zero_s = file.origin_s + clip.start_s
    sought = clip.start_s > _PREROLL_S and file.seek(clip.start_s - _PREROLL_S)
    placer = _Placer(-_PREROLL_S if sought else -clip.start_s, channel)
    for packet in file.packets([stream], damage):
        for frame in decoded(packet, damage):
            stamp_s = None if frame.time is None else frame.time - zero_s
            try:
                yield from placer.add(frame, stamp_s)
            except (av.error.FFmpegError, ValueError):  # a channel layout that cannot be mixed
                damage.packets += 1
    yield from placer.flush()


def _without_offset(
    pieces: Iterator[tuple[int, np.ndarray]],
) -> Iterator[tuple[int, np.ndarray]]:
    """Pieces without what is constant in them: a high pass of first order, at 10 Hz."""
    from scipy.signal import lfilter

    pole = 1 - 2 * np.pi * _LOWEST_HZ / SAMPLE_RATE
    end, state = -1, np.zeros(1)
    for position, samples in pieces:
        if position != end:  # as if what comes first had been there for ever
            state = -samples[:1].astype(np.float64)
        filtered, state = lfilter([1.0, -1.0], [1.0, -pole], samples, zi=state)
        end = position + len(samples)
        yield position, np.clip(filtered, -1.0, 1.0).astype(np.float32)


class _Placer:
    """Resamples frames, and finds the position of their samples in the clip.

    Positions are counted in samples from the first time stamp. A later time stamp is used only if
    it differs from that count by more than `_GAP_S`; so jitter tears no holes and small gaps do not
    add up.
    """

    def __init__(self, begin_s: float, channel: int | None) -> None:
        self._begin_s = begin_s  # time of the sample at which the count starts
        self._channel = channel  # to be picked; None: all are mixed
        self._count = 0
        self._form: tuple[str, str, int] | None = None  # sample format, layout, rate
        self._resampler: Any = None
        self._position = 0  # of the next sample from the resampler
        self._end = 0  # nothing is placed before this position

    def add(self, frame: Any, stamp_s: float | None) -> Iterator[tuple[int, np.ndarray]]:
        """Samples of a frame, and of those before it, with their positions."""
        if not frame.samples or not frame.sample_rate:
            return
        expected_s = self._begin_s + (self._count / self._form[2] if self._form else 0.0)
        begin_s = expected_s if stamp_s is None else stamp_s
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form or abs(begin_s - expected_s) > _GAP_S:
            yield from self.flush()
            layout = "mono" if self._channel is None else frame.layout.name
            self._resampler = resampler(layout, SAMPLE_RATE)
            self._form = form
            self._begin_s, self._count = begin_s, 0
            self._position = round(begin_s * SAMPLE_RATE)
        self._count += frame.samples
        frame.pts = None  # time is kept here, not in the resampler
        yield from self._placed(self._resampler.resample(frame))

    def flush(self) -> Iterator[tuple[int, np.ndarray]]:
        """The samples that the resampler still holds."""
        if self._resampler is not None:
            resampler, self._resampler = self._resampler, None
            yield from self._placed(resampler.resample(None))

    def _placed(self, frames: list[Any]) -> Iterator[tuple[int, np.ndarray]]:
        for frame in frames:
            if frame is None:  # the end of a resampler that had no input
                continue
            channels = samples_of(frame)
            samples = channels[min(self._channel or 0, len(channels) - 1)]
            position = self._position
            self._position += len(samples)
            skipped = max(self._end - position, 0)
            if skipped < len(samples):
                self._end = self._position
                yield position + skipped, samples[skipped:]
