"""Damage to sound, as functions of samples.

Each takes float32 samples [channels, samples] with full scale 1, their rate, the severity and a
random generator; it returns new samples and what was realised, or the same samples and None where
there was nothing to damage.
"""

import math

import numpy as np
from scipy.signal import iirfilter, sosfiltfilt

from extractors.damage.accompaniment import accompaniment
from extractors.damage.speech_level import active_level_db, level_db

Realised = dict[str, float]
Result = tuple[np.ndarray, Realised | None]

_BAND_HZ = (50.0, 8000.0)  # of noise: extractors read sound up to 8 kHz
_PEAK = 10 ** (-1 / 20)  # of a mixture, so that encoding does not clip it
_TELEPHONE_HZ = 300.0  # lower edge of the band of a telephone, ITU-T G.712


def noise(samples: np.ndarray, rate: int, severity: float, draw: np.random.Generator) -> Result:
    """Add white noise up to 8 kHz at an SNR of `severity` dB."""
    return _mixed(samples, rate, _coloured(samples.shape[1], rate, 0.0, draw), severity)


def pink_noise(
    samples: np.ndarray, rate: int, severity: float, draw: np.random.Generator
) -> Result:
    """Add pink noise (power falls by 3 dB per octave) up to 8 kHz at an SNR of `severity` dB."""
    return _mixed(samples, rate, _coloured(samples.shape[1], rate, 0.5, draw), severity)


def music(samples: np.ndarray, rate: int, severity: float, draw: np.random.Generator) -> Result:
    """Add a tonal accompaniment at an SNR of `severity` dB."""
    return _mixed(samples, rate, accompaniment(samples.shape[1], rate, draw), severity)


def clipping(samples: np.ndarray, rate: int, severity: float, draw: np.random.Generator) -> Result:
    """Cut the peaks off, so that the share `severity` of the samples clips.

    Samples that are exactly 0 (gaps, digital silence) do not count. The level is not raised.
    """
    amplitudes = np.abs(samples)
    heard = amplitudes[amplitudes > 0]
    if not len(heard):
        return samples, None
    limit = float(np.quantile(heard, 1 - severity)) if severity < 1 else float(heard.min())
    return np.clip(samples, -limit, limit), {"share": float(np.mean(heard > limit))}


def band_limit(
    samples: np.ndarray, rate: int, severity: float, draw: np.random.Generator
) -> Result:
    """Leave the band of a telephone, from 300 Hz up to `severity` Hz; phases stay as they are."""
    if not samples.any():
        return samples, None
    edges: float | list[float] = [_TELEPHONE_HZ, severity]
    kind = "bandpass"
    if severity >= 0.49 * rate:  # the file holds nothing above
        edges, kind = _TELEPHONE_HZ, "highpass"
    # Run forwards and backwards: 80 dB less outside, 0.5 dB of ripple inside.
    sections = iirfilter(8, edges, rp=0.25, rs=40, btype=kind, ftype="ellip", output="sos", fs=rate)
    padding = min(rate // 10, samples.shape[1] - 1)
    limited = sosfiltfilt(sections, samples, padlen=padding).astype(np.float32)
    before, after = (_energy_above(sound, rate, severity) for sound in (samples, limited))
    fall_db = 10 * math.log10(max(after, 1e-12) / before) if before else 0.0
    return limited, {"above_db": fall_db}


def _coloured(count: int, rate: int, slope: float, draw: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls with frequency to the power of `slope`, in a band."""
    frequencies = np.fft.rfftfreq(count, 1 / rate)
    inside = (frequencies >= _BAND_HZ[0]) & (frequencies <= _BAND_HZ[1])
    weights = np.zeros(len(frequencies))
    weights[inside] = frequencies[inside] ** -slope
    return np.fft.irfft(np.fft.rfft(draw.standard_normal(count)) * weights, count)


def _mixed(samples: np.ndarray, rate: int, added: np.ndarray, snr_db: float) -> Result:
    """Add a signal to all channels, relative to the level of active speech in their mean.

    Where the sum would clip, all of it is made softer, which leaves the SNR as it is.
    """
    speech = samples.mean(0)
    speech_db = active_level_db(speech, rate)
    added_db = level_db(added)
    if not math.isfinite(speech_db) or not math.isfinite(added_db):
        return samples, None
    added = added * 10 ** ((speech_db - snr_db - added_db) / 20)
    sum_ = samples + added
    gain = min(1.0, _PEAK / float(np.abs(sum_).max()))
    mixture = (gain * sum_).astype(np.float32)
    rest = mixture.mean(0) - gain * speech
    realised = active_level_db(gain * speech, rate) - level_db(rest)
    return mixture, {"snr_db": realised, "gain_db": 20 * math.log10(gain)}


def _energy_above(samples: np.ndarray, rate: int, edge_hz: float) -> float:
    """Energy above a frequency, with a quarter of an octave left to the filter's slope."""
    spectrum = np.fft.rfft(samples.mean(0))
    above = np.fft.rfftfreq(samples.shape[1], 1 / rate) > edge_hz * 2**0.25
    return float(np.sum(np.abs(spectrum[above]) ** 2))
