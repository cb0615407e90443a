"""Whose mouth moves with the speech of a clip."""

import numpy as np

from extractors.media.clip import Clip
from extractors.media.container import Damage
from extractors.media.sound import SAMPLE_RATE, sound_blocks

_HOP_S = 0.04
_BLOCK_S = 10.0
_SILENCE = 1e-3  # amplitude below which nothing is heard (-60 dB of full scale)
_LAGS_S = np.arange(-0.2, 0.21, 0.02)  # sound and picture of a file are seldom further apart
_LAG_COSTS = 1.5  # share of the correlation per s of lag: most files are in time
_LANDMARK_NOISE = 0.003  # face heights by which a mouth seems to move that does not
_FEWEST_ROWS = 8


def loudness(clip: Clip) -> np.ndarray:
    """Square root of the sound's amplitude, which follows the mouth better than level or amplitude.

    Parameters
    ----------
    clip : Clip

    Returns
    -------
    ndarray, float32 [hops of 40 ms]
        All the same where the clip is silent or has no sound.

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
    """How well the opening of a mouth follows the loudness.

    Parameters
    ----------
    times_s : ndarray [rows]
        When the mouth was seen.
    opening : ndarray [rows]
        In face heights.
    level : ndarray [hops]
        As `loudness` returns it.

    Returns
    -------
    float
        Pearson's correlation at the best lag within 0.2 s (times 1 - 1.5 |lag|, so that chance
        finds less), times s / (s + 0.003), where s is the deviation of the opening: a face at
        rest agrees with nothing. 0 where there is no sound or too little to go by; never negative.
    """
    if len(opening) < _FEWEST_ROWS or len(level) < _FEWEST_ROWS:
        return 0.0
    mouth = opening - opening.mean()
    moves = float(mouth.std())
    middles_s = (np.arange(len(level)) + 0.5) * _HOP_S
    best = 0.0
    for lag_s in _LAGS_S:
        heard = np.interp(times_s + lag_s, middles_s, level)
        heard -= heard.mean()
        scale = moves * float(heard.std())
        if scale > 1e-9:
            correlation = float(np.mean(mouth * heard)) / scale
            best = max(best, correlation * (1 - _LAG_COSTS * abs(float(lag_s))))
    return best * moves / (moves + _LANDMARK_NOISE)
