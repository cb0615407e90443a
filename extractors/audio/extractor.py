"""Prosody and timbre of the sound of a clip, one row every 40 ms."""

from collections.abc import Iterator

import librosa
import numpy as np

from contracts.features import FeatureInfo
from contracts.messages import message
from extractors.fingerprint import describe
from extractors.media.clip import Clip
from extractors.media.container import Damage
from extractors.media.sound import SAMPLE_RATE, sound_blocks
from extractors.media.timeline import Rows, row_count
from extractors.settings import AudioSettings
from extractors.workers.compiling import compiled

HOP = 640  # samples: 25 rows a second
STEP_S = HOP / SAMPLE_RATE
_WINDOW = 1024  # samples: 64 ms, centred on the row's time
_PITCH_WINDOW = 2048  # samples: at least four periods of the lowest pitch

# Long clips are measured in blocks, each with some sound on either side as context, so that results
# do not depend on the blocks. Windows need one row of context. The search for the most likely pitch
# curve needs more: in all tests it found the same curve with one second.
_BLOCK = 1500  # rows: 60 s
_CONTEXT = 50  # rows: 2 s

_MFCC = [f"mfcc_{i}" for i in range(20)]
_CHROMA = [f"chroma_{n}" for n in ("c", "cs", "d", "ds", "e", "f", "fs", "g", "gs", "a", "as", "b")]
NAMES = [
    *("log_f0", "voiced_probability"),
    *_MFCC,
    *_CHROMA,
    *("rms", "zero_crossing_rate", "spectral_centroid", "spectral_rolloff"),
]
UNITS = ["ln(Hz)", "1", *["dB"] * 20, *["1"] * 12, *("full scale", "1/sample", "Hz", "Hz")]


class AudioExtractor:
    """Log F0, voicing, 20 MFCC, 12 chroma, RMS, zero crossings, centroid and roll-off."""

    def __init__(self, settings: AudioSettings) -> None:
        self.settings = settings
        self._info = describe("audio", NAMES, UNITS, settings)
        silence = np.zeros(SAMPLE_RATE, np.float32)
        compiled("librosa", lambda: self._measure(silence, _level(silence)))

    def info(self) -> FeatureInfo:
        """What the columns are and how they are made."""
        return self._info

    def extract(self, clip: Clip) -> Rows:
        """Features of one clip.

        A row is observed if the level in its window, without the mean, is above `silence_dbfs`. So
        rows of silence, of gaps, and of clips without an audio track are not.

        Returns
        -------
        Rows
            Columns are `NAMES`, in `UNITS`.

        Raises
        ------
        MediaError
            The file cannot be opened.
        """
        damage = Damage()
        rows = row_count(clip.duration_s, STEP_S)
        values = np.zeros((rows, len(NAMES)), np.float32)
        observed = np.zeros(rows, bool)
        pitch = np.full(rows, np.nan)  # ln(Hz)
        silence = 10 ** (self.settings.silence_dbfs / 20)
        for part, context, signal in _blocks(clip, rows, damage):
            level = _level(signal)
            inner = slice(context, context + part.stop - part.start)
            observed[part] = _fluctuation(signal)[inner] > silence
            if observed[part].any():
                measured = self._measure(signal, level)[inner]
                values[part], pitch[part] = measured.astype(np.float32), measured[:, 0]
        values[:, 0] = self._interpolated(pitch)
        values[~observed] = 0
        return Rows(values, observed, STEP_S, damage.describe(message("the sound")))

    def _measure(self, signal: np.ndarray, level: np.ndarray) -> np.ndarray:
        """All columns [rows, features] of a signal; log F0 is NaN where there is no voice."""
        spectrum = np.abs(librosa.stft(signal, n_fft=_WINDOW, hop_length=HOP))
        power = spectrum**2
        mel = librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE, n_mels=64)
        # No top_db: a row must not depend on the loudest moment of its clip.
        mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None), n_mfcc=len(_MFCC))
        chroma = librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE, tuning=0.0)
        crossings = librosa.feature.zero_crossing_rate(signal, frame_length=_WINDOW, hop_length=HOP)
        centroid = librosa.feature.spectral_centroid(S=spectrum, sr=SAMPLE_RATE)
        rolloff = librosa.feature.spectral_rolloff(S=spectrum, sr=SAMPLE_RATE)
        # pYIN: Mauch and Dixon, 2014.
        f0, _, voiced = librosa.pyin(
            signal,
            fmin=self.settings.pitch_min_hz,
            fmax=self.settings.pitch_max_hz,
            sr=SAMPLE_RATE,
            frame_length=_PITCH_WINDOW,
            hop_length=HOP,
        )
        columns = [np.log(f0), voiced, *mfcc, *chroma, level, *crossings, *centroid, *rolloff]
        return np.stack(columns, axis=1)

    def _interpolated(self, pitch: np.ndarray) -> np.ndarray:
        """Log F0 in every row, from that in the voiced rows (others are NaN).

        It is interpolated between voiced rows, and constant before the first and after the last.
        Without any, it is that of the geometric mean of the search range.
        """
        voiced = np.flatnonzero(~np.isnan(pitch))
        if len(voiced) == 0:
            middle = 0.5 * np.log(self.settings.pitch_min_hz * self.settings.pitch_max_hz)
            return np.full(len(pitch), middle)
        return np.interp(np.arange(len(pitch)), voiced, pitch[voiced])


def _blocks(clip: Clip, rows: int, damage: Damage) -> Iterator[tuple[slice, int, np.ndarray]]:
    """A clip's sound, a block at a time.

    Yields
    ------
    slice
        Rows of the clip that the block is.
    int
        Rows of context before them, with which the signal begins.
    ndarray, float32 [samples]
        The signal. It ends with context as well, or with silence at the end of the clip.
    """
    nothing = np.zeros(0, np.float32)
    blocks = sound_blocks(clip, damage, _BLOCK * STEP_S)
    before, block = nothing, next(blocks, nothing)
    for first in range(0, rows, _BLOCK):
        after = next(blocks, nothing)
        part = slice(first, min(first + _BLOCK, rows))
        signal = np.concatenate([before, block, after[: _CONTEXT * HOP]])
        context = len(before) // HOP
        # Samples that the window of the last row needs, and at least those of one pitch window.
        needed = max((context + part.stop - part.start) * HOP, _PITCH_WINDOW)
        yield part, context, np.pad(signal, (0, max(0, needed - len(signal))))
        before, block = block[-_CONTEXT * HOP :], after


def _level(signal: np.ndarray) -> np.ndarray:
    """RMS in the window of each row, where full scale is 1: float32 [rows]."""
    level = librosa.feature.rms(y=signal, frame_length=_WINDOW, hop_length=HOP)[0]
    return np.asarray(level, np.float32)


def _fluctuation(signal: np.ndarray) -> np.ndarray:
    """RMS in the window of each row around the mean of that window: float32 [rows]."""
    padded = np.pad(signal, _WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    return np.std(windows, axis=1, dtype=np.float64).astype(np.float32)
