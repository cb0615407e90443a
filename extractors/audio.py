"""Prosody and timbre of a clip's sound, one row every 40 ms."""

import librosa
import numpy as np

from extractors.fingerprint import fingerprint
from extractors.media import Clip, Damage
from extractors.settings import AudioSettings
from extractors.sound import SAMPLE_RATE, decode_audio
from extractors.tables import FeatureInfo
from extractors.timeline import Rows, row_count

HOP = 640  # samples: 25 rows a second
STEP_S = HOP / SAMPLE_RATE
_WINDOW = 1024  # samples: 64 ms, centred on the row's time
_PITCH_WINDOW = 2048  # samples: at least four periods of the lowest pitch

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
        dump = settings.model_dump(mode="json")
        self._info = FeatureInfo(
            modality="audio",
            names=NAMES,
            units=UNITS,
            settings=dump,
            assets={},
            fingerprint=fingerprint(
                dump,
                {},
                ("librosa", "numpy", "scipy", "av"),
                (__name__, "extractors.sound", "extractors.media", "extractors.timeline"),
            ),
        )

    def info(self) -> FeatureInfo:
        """What the columns are and how they are made."""
        return self._info

    def extract(self, clip: Clip) -> Rows:
        """Features of one clip.

        A row is observed where the sound in its window exceeds `silence_dbfs`; a missing track,
        a gap in it and silence all are not.

        Raises
        ------
        MediaError
            The file cannot be opened.
        """
        damage = Damage()
        signal = decode_audio(clip, damage)
        rows = row_count(clip.duration_s, STEP_S)
        needed = max(rows * HOP, _PITCH_WINDOW)  # the last row's window, and the shortest clip's
        signal = np.pad(signal, (0, max(0, needed - len(signal))))
        values = np.zeros((rows, len(NAMES)), np.float32)
        level = _level(signal, rows)
        observed = level > 10 ** (self.settings.silence_dbfs / 20)
        if observed.any():
            measured = self._measure(signal, rows, level)
            values[observed] = measured[observed]
        return Rows(values, observed, STEP_S, damage.describe("the sound"))

    def _measure(self, signal: np.ndarray, rows: int, level: np.ndarray) -> np.ndarray:
        spectrum = np.abs(librosa.stft(signal, n_fft=_WINDOW, hop_length=HOP))[:, :rows]
        power = spectrum**2
        mel = librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE, n_mels=64)
        # No top_db: a row must not depend on the loudest moment of its clip.
        mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None), n_mfcc=len(_MFCC))
        chroma = librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE, tuning=0.0)
        crossings = librosa.feature.zero_crossing_rate(
            signal, frame_length=_WINDOW, hop_length=HOP
        )[:, :rows]
        centroid = librosa.feature.spectral_centroid(S=spectrum, sr=SAMPLE_RATE)
        rolloff = librosa.feature.spectral_rolloff(S=spectrum, sr=SAMPLE_RATE)
        pitch, voiced = self._pitch(signal, rows)
        columns = [pitch, voiced, *mfcc, *chroma, level, *crossings, *centroid, *rolloff]
        return np.stack(columns, axis=1).astype(np.float32)

    def _pitch(self, signal: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Log F0 by pYIN (Mauch and Dixon, 2014), and the probability of voicing; [rows] each.

        Between voiced rows log F0 runs straight; before the first and after the last it stays.
        Without any voice it is that of the geometric middle of the search range.
        """
        low, high = self.settings.pitch_min_hz, self.settings.pitch_max_hz
        f0, _, probability = librosa.pyin(
            signal,
            fmin=low,
            fmax=high,
            sr=SAMPLE_RATE,
            frame_length=_PITCH_WINDOW,
            hop_length=HOP,
        )
        f0, probability = f0[:rows], probability[:rows]
        voiced = np.flatnonzero(~np.isnan(f0))
        if len(voiced) == 0:
            return np.full(rows, 0.5 * np.log(low * high)), probability
        return np.interp(np.arange(rows), voiced, np.log(f0[voiced])), probability


def _level(signal: np.ndarray, rows: int) -> np.ndarray:
    """RMS in each row's window, re full scale; float32 [rows]."""
    level = librosa.feature.rms(y=signal, frame_length=_WINDOW, hop_length=HOP)[0, :rows]
    return np.asarray(level, np.float32)
