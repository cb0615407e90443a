"""Where in a recording somebody speaks: the Silero voice-activity detector, over any length."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from contracts.messages import message
from extractors.media.clip import Clip
from extractors.media.damaged import Damage
from extractors.media.timeline import SAMPLE_RATE

_STEP = 512  # samples per probability
STEP_S = _STEP / SAMPLE_RATE

_BLOCK_S = 60.0  # 1875 steps exactly
_BEFORE = 64  # steps of the block before, from which the detector knows what it is listening to

# As Silero's own code does: speech begins above the first and ends below the second.
SPEECH = 0.5
_NO_SPEECH = 0.35
_BREATH_S = 0.1  # a shorter stretch without speech is none
_CLICK_S = 0.15  # a shorter stretch of speech is none


class Span(NamedTuple):
    """A stretch of a recording, s from its beginning."""

    start_s: float
    end_s: float


class Activity(NamedTuple):
    """How probable speech is, every `STEP_S` from the beginning of a clip."""

    probabilities: np.ndarray  # float32 [steps], 0 to 1
    warnings: list[str]


class VoiceActivity:
    """The detector that comes with faster-whisper; a block of sound at a time is in memory."""

    def extract(self, clip: Clip) -> Activity:
        """Probability of speech in a clip; 0 where it has no sound.

        Raises
        ------
        MediaError
            The file cannot be opened.
        """
        from extractors.media.sound import sound_blocks  # decoders are for workers

        damage = Damage()
        parts: list[np.ndarray] = []
        before = np.zeros(0, np.float32)
        for block in sound_blocks(clip, damage, _BLOCK_S):
            signal = np.concatenate([before, block])
            parts.append(probabilities_of(signal)[len(before) // _STEP :])
            before = signal[-_BEFORE * _STEP :]
        probabilities = np.concatenate([np.zeros(0, np.float32), *parts])
        return Activity(probabilities, damage.describe(message("the sound")))


def probabilities_of(signal: np.ndarray) -> np.ndarray:
    """Probability of speech in a signal at 16 kHz, every `STEP_S`: float32 [steps]."""
    from faster_whisper.vad import get_vad_model

    steps = np.pad(signal, (0, -len(signal) % _STEP))  # a copy: the detector writes into its input
    if not np.any(steps):
        return np.zeros(len(steps) // _STEP, np.float32)
    return np.ravel(get_vad_model()(steps)).astype(np.float32)


def voiced(probabilities: np.ndarray) -> list[Span]:
    """Stretches in which somebody speaks, in order.

    Parameters
    ----------
    probabilities : ndarray, float [steps]
        Of `VoiceActivity`.
    """
    spans: list[Span] = []
    begin: int | None = None
    for step, probability in enumerate([*probabilities.tolist(), 0.0]):
        if begin is None and probability >= SPEECH:
            begin = step
        elif begin is not None and probability < _NO_SPEECH:
            spans.append(Span(begin * STEP_S, step * STEP_S))
            begin = None
    joined: list[Span] = []
    for span in spans:
        if joined and span.start_s - joined[-1].end_s < _BREATH_S:
            joined[-1] = Span(joined[-1].start_s, span.end_s)
        else:
            joined.append(span)
    return [span for span in joined if span.end_s - span.start_s >= _CLICK_S]


def windows(
    probabilities: np.ndarray, duration_s: float, longest_s: float, search_s: float
) -> list[Span]:
    """Cut a recording where speech is least probable, into parts that are not too long.

    Parameters
    ----------
    probabilities : ndarray, float [steps]
    duration_s : float
        Of the recording.
    longest_s : float
        Length of a part, at most.
    search_s : float
        At the end of a part, within which it is cut.

    Returns
    -------
    list of Span
        They follow one another from 0 to `duration_s`.
    """
    cuts = [0.0]
    while duration_s - cuts[-1] > longest_s:
        first = round((cuts[-1] + longest_s - search_s) / STEP_S)
        last = int((cuts[-1] + longest_s) / STEP_S)
        cuts.append((first + _quietest(probabilities[first:last])) * STEP_S)
    return [Span(*ends) for ends in pairwise([*cuts, duration_s])]


def _quietest(probabilities: Sequence[float] | np.ndarray) -> int:
    """The step around which, over half a second, speech is least probable."""
    width = min(round(0.5 / STEP_S), len(probabilities))
    if not width:
        return 0
    around = np.convolve(probabilities, np.ones(width) / width, "valid")
    return int(np.argmin(around)) + width // 2
