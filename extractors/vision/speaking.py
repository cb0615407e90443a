"""How well the movements of a mouth agree with the sound of a clip."""

import numpy as np

from extractors.media.container import Clip, Damage
from extractors.media.sound import SAMPLE_RATE, sound_blocks

_HOP_S = 0.04
_BLOCK_S = 10.0
_SILENCE = 1e-3  # lower amplitudes count as this (-60 dB of full scale)
_LAGS_S = np.arange(-0.2, 0.21, 0.02)  # sound and picture are seldom further apart
_LAG_COST = 1.5  # penalty on the correlation per s of lag: most files are in sync
_LANDMARK_NOISE = 0.003  # deviation of the opening of a mouth at rest, face heights
_FEWEST_ROWS = 8


def loudness(clip: Clip) -> np.ndarray:
    """Square root of the amplitude, which agrees with mouths better than amplitude or level.

    Parameters
    ----------
    clip : Clip

    Returns
    -------
    ndarray, float32 [hops of 40 ms]
        Constant if the clip is silent or has no sound.

    Raises
    ------
    MediaError
        The file cannot be opened.
    """
    hop = round(_HOP_S * SAMPLE_RATE)
    parts = [np.zeros(0, np.float32)]
    for block in sound_blocks(clip, Damage(), _BLOCK_S):
        whole = block[: len(block) // hop * hop].reshape(-1, hop)
        amplitude = np.sqrt(np.mean(np.square(whole), axis=1))
        parts.append(np.sqrt(np.maximum(amplitude, _SILENCE)))
    return np.concatenate(parts)


def agreement(times_s: np.ndarray, opening: np.ndarray, level: np.ndarray) -> float:
    """How well the opening of a mouth agrees with the loudness.

    Parameters
    ----------
    times_s : ndarray [rows]
        When the mouth was seen, s from the clip's start.
    opening : ndarray [rows]
        Of the mouth, in face heights.
    level : ndarray [hops]
        As `loudness` returns it.

    Returns
    -------
    float
        Pearson's correlation at the best lag within 0.2 s, 0 to 1. It is multiplied by
        1 - 1.5 |lag|, because trying many lags finds correlations by chance, and by
        d / (d + 0.003), where d is the standard deviation of the opening, so that a mouth at rest
        agrees with nothing. 0 if there is no sound, or fewer than 8 rows.
    """
    if len(opening) < _FEWEST_ROWS or len(level) < _FEWEST_ROWS:
        return 0.0
    mouth = opening - opening.mean()
    deviation = float(mouth.std())
    middles_s = (np.arange(len(level)) + 0.5) * _HOP_S
    best = 0.0
    for lag_s in _LAGS_S:
        shifted = np.interp(times_s + lag_s, middles_s, level)
        shifted -= shifted.mean()
        scale = deviation * float(shifted.std())
        if scale > 1e-9:
            correlation = float(np.mean(mouth * shifted)) / scale
            best = max(best, correlation * (1 - _LAG_COST * abs(float(lag_s))))
    return best * deviation / (deviation + _LANDMARK_NOISE)
