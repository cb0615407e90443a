"""How loud somebody speaks, pauses not counted."""

import math

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.signal import lfilter

_SMOOTHING_S = 0.03  # time constant of the envelope
_HANGOVER_S = 0.2  # speech goes on for so long after the envelope falls
_MARGIN_DB = 15.9  # of the level of active speech over the threshold for activity
_THRESHOLDS = 2.0 ** np.arange(-16, 0)  # of full scale


def active_level_db(samples: np.ndarray, rate: int) -> float:
    """Level of active speech, ITU-T Recommendation P.56 (12/2011), method B.

    The level over the time in which the envelope is above a threshold, or was within the last
    0.2 s; the threshold is the one that lies 15.9 dB below that level.

    Parameters
    ----------
    samples : ndarray [samples]
        Full scale is 1.
    rate : int
        Per second.

    Returns
    -------
    float
        dB re full scale (RMS); minus infinity where all is below -90 dB.
    """
    if not len(samples):
        return -math.inf
    decay = math.exp(-1 / (rate * _SMOOTHING_S))
    envelope = np.abs(samples, dtype=np.float64)
    for _ in range(2):
        envelope = lfilter([1 - decay], [1, -decay], envelope)
    hangover = math.ceil(rate * _HANGOVER_S)
    # The greatest value within the hangover before each sample, and 0 before the first one.
    recent = maximum_filter1d(envelope, hangover, origin=(hangover - 1) // 2, mode="constant")
    active = len(recent) - np.searchsorted(np.sort(recent), _THRESHOLDS)  # samples per threshold
    energy = float(np.sum(np.square(samples, dtype=np.float64)))
    reached = active > 0
    if not energy or not reached.any():
        return -math.inf
    levels = 10 * np.log10(energy / active[reached])
    margins = levels - 20 * np.log10(_THRESHOLDS[reached])
    below = np.flatnonzero(margins <= _MARGIN_DB)
    last = int(below[0]) if len(below) else len(levels) - 1
    around = slice(max(last - 1, 0), last + 1)  # between them, both are taken for straight lines
    return float(np.interp(-_MARGIN_DB, -margins[around], levels[around]))


def level_db(samples: np.ndarray) -> float:
    """Level of all samples, dB re full scale (RMS); minus infinity of silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * math.log10(power) if power else -math.inf
