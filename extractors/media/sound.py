"""The sound of a clip as one mono signal on the clip's own time axis."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import av
import numpy as np

from extractors.media.clip import Clip
from extractors.media.container import (
    Damage,
    decoded,
    opened,
    origin_s,
    packets,
    streams_of,
)

SAMPLE_RATE = 16_000  # Hz, what pitch tracking and speech recognition here expect

_GAP_S = 0.02  # time stamps may be that far from the count of samples before they are believed
_PREROLL_S = 0.1  # decoded before a segment's start, so that the codec has settled
_BLOCK_S = 60.0


def sound_blocks(clip: Clip, damage: Damage, seconds: float) -> Iterator[np.ndarray]:
    """Decode a clip's sound to 16 kHz mono, a block at a time.

    Of several streams it is the one that players choose, unless nothing of it can be decoded.
    Several channels are mixed as FFmpeg does for their speakers' places, scaled so that the same
    sound on all of them keeps its level.

    Parameters
    ----------
    clip : Clip
    damage : Damage
        Counts what could not be decoded.
    seconds : float
        Length of a block.

    Yields
    ------
    ndarray, float32 [16000 * seconds], the last one shorter
        Together round(16000 * duration_s) samples; sample i of them belongs to time
        start_s + i / 16000. Where there is no audio, before it starts, in its gaps and after its
        end: zeros. Where time stamps put one sound upon another, the first is heard.

    Raises
    ------
    MediaError
        The file cannot be opened.
    SetupError
        As `extractors.media.container.opened`.
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


def decode_audio(clip: Clip, damage: Damage) -> np.ndarray:
    """A clip's whole sound; float32 [round(16000 * duration_s)], otherwise as `sound_blocks`."""
    blocks = list(sound_blocks(clip, damage, _BLOCK_S))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _put(block: np.ndarray, samples: np.ndarray, position: int) -> None:
    """Write the part of `samples` that falls into a block, at `position` relative to it."""
    begin, end = max(position, 0), min(position + len(samples), len(block))
    if end > begin:
        block[begin:end] = samples[begin - position : end - position]


def _pieces(clip: Clip, damage: Damage) -> Iterator[tuple[int, np.ndarray]]:
    """Samples with their position in the clip, in order and without overlap.

    Streams are tried one after the other until something of one can be decoded.
    """
    number, count = 0, 1
    while number < count:
        before = replace(damage)
        with opened(clip.path) as container:
            streams = streams_of(container, "audio")[number:]
            heard = False
            for piece in _stream_pieces(container, streams, clip, damage):
                heard = True
                yield piece
        number, count = number + 1, number + len(streams)
        if heard:
            return
        if number < count:  # what is damaged in a stream that nobody hears is no matter
            damage.packets, damage.cut = before.packets, before.cut


def _stream_pieces(
    container: Any, streams: list[Any], clip: Clip, damage: Damage
) -> Iterator[tuple[int, np.ndarray]]:
    """As `_pieces`, of the first of some streams."""
    if not streams:
        return
    zero_s = origin_s(container) + clip.start_s
    placer = _Placer(-clip.start_s)
    if clip.start_s > _PREROLL_S:
        try:
            container.seek(int((zero_s - _PREROLL_S) * av.time_base))
            placer = _Placer(-_PREROLL_S)
        except av.error.FFmpegError:
            pass  # it is read from its beginning, then
    for packet in packets(container, streams[:1], damage):
        for frame in decoded(packet, damage):
            stamp_s = None if frame.time is None else frame.time - zero_s
            try:
                yield from placer.add(frame, stamp_s)
            except (av.error.FFmpegError, ValueError):  # channels that nobody can mix
                damage.packets += 1
    yield from placer.flush()


class _Placer:
    """Resamples frames and says where their time stamps put them.

    Samples are counted from a time stamp on; another is believed where it and the count differ
    by more than the tolerance, so that small gaps do not add up.
    """

    def __init__(self, begin_s: float) -> None:
        self._begin_s = begin_s  # time of the sample from which is counted
        self._count = 0
        self._form: tuple[str, str, int] | None = None
        self._resampler: Any = None
        self._position = 0  # of the sample that the resampler gives next
        self._end = 0  # nothing is placed before

    def add(self, frame: Any, stamp_s: float | None) -> Iterator[tuple[int, np.ndarray]]:
        if not frame.samples or not frame.sample_rate:
            return
        expected_s = self._begin_s + (self._count / self._form[2] if self._form else 0.0)
        begin_s = expected_s if stamp_s is None else stamp_s
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form or abs(begin_s - expected_s) > _GAP_S:
            yield from self.flush()
            self._resampler = av.AudioResampler(
                format="fltp", layout="mono", rate=SAMPLE_RATE, options={"rematrix_maxval": "1"}
            )
            self._form = form
            self._begin_s, self._count = begin_s, 0
            self._position = round(begin_s * SAMPLE_RATE)
        self._count += frame.samples
        frame.pts = None  # the resampler counts samples; time is kept here
        yield from self._placed(self._resampler.resample(frame))

    def flush(self) -> Iterator[tuple[int, np.ndarray]]:
        if self._resampler is not None:
            resampler, self._resampler = self._resampler, None
            yield from self._placed(resampler.resample(None))

    def _placed(self, frames: list[Any]) -> Iterator[tuple[int, np.ndarray]]:
        for frame in frames:
            if frame is None:  # what a resampler with nothing to do gives for its end
                continue
            samples = frame.to_ndarray().reshape(-1)
            position = self._position
            self._position += len(samples)
            skipped = max(self._end - position, 0)
            if skipped < len(samples):
                self._end = self._position
                # A damaged float stream can hold anything; a player, too, stops at full scale.
                clean = np.clip(np.nan_to_num(samples[skipped:]), -1.0, 1.0)
                yield position + skipped, clean
