"""The sound of a clip as one mono signal on the clip's own time axis."""

from typing import Any

import av
import numpy as np

from extractors.media import Clip, Damage, decoded, first_stream, opened, origin_s, packets

SAMPLE_RATE = 16_000  # Hz, what pitch tracking and speech recognition here expect

_GAP_S = 0.02  # time stamps that jump by more leave silence instead of closing up
_PREROLL_S = 0.1  # decoded before a segment's start, so that the codec has settled


def decode_audio(clip: Clip, damage: Damage) -> np.ndarray:
    """Decode a clip's first audio stream to 16 kHz mono.

    Parameters
    ----------
    clip : Clip
    damage : Damage
        Counts what could not be decoded.

    Returns
    -------
    ndarray, float32 [round(16000 * duration_s)]
        Sample i belongs to time start_s + i / 16000. Where there is no audio, before it starts,
        in its gaps and after its end: zeros.

    Raises
    ------
    MediaError
        The file cannot be opened.
    """
    signal = np.zeros(round(clip.duration_s * SAMPLE_RATE), np.float32)
    with opened(clip.path) as container:
        stream = first_stream(container, "audio")
        if stream is None:
            return signal
        zero_s = origin_s(container) + clip.start_s
        if clip.start_s > _PREROLL_S:
            container.seek(int((zero_s - _PREROLL_S) * av.time_base))
        writer = _Writer(signal)
        for packet in packets(container, [stream], damage):
            for frame in decoded(packet, damage):
                writer.add(frame, zero_s)
            if writer.position >= len(signal):
                break
        writer.flush()
    return signal


class _Writer:
    """Resamples frames and puts them where their time stamps say."""

    def __init__(self, signal: np.ndarray) -> None:
        self.signal = signal
        self.position = 0  # sample that comes next
        self._resampler: Any = None
        self._form: tuple[str, str, int] | None = None
        self._next_s = 0.0

    def add(self, frame: Any, zero_s: float) -> None:
        begin_s = frame.time - zero_s if frame.time is not None else self._next_s
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form or abs(begin_s - self._next_s) > _GAP_S:
            self.flush()
            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            self._form = form
            self.position = round(begin_s * SAMPLE_RATE)
        frame.pts = None  # the resampler counts samples; time is kept here
        self._put(self._resampler.resample(frame))
        self._next_s = begin_s + frame.samples / frame.sample_rate

    def flush(self) -> None:
        if self._resampler is not None:
            self._put(self._resampler.resample(None))
            self._resampler = None
            self._form = None

    def _put(self, frames: list[Any]) -> None:
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1)
            begin = max(self.position, 0)
            end = min(self.position + len(samples), len(self.signal))
            if end > begin:
                piece = samples[begin - self.position : end - self.position]
                # A damaged float stream can hold anything; a player, too, stops at full scale.
                self.signal[begin:end] = np.clip(np.nan_to_num(piece), -1.0, 1.0)
            self.position += len(samples)
