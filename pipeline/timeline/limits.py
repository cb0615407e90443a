"""What an utterance may not exceed, for a model that was trained on clips of some length."""

from extractors.recordings.cutting import Limits

_AUDIO_STEP_S = 0.04
# Word pieces of an English word: 1.2 on average in reviews and captions, more with rare names.
_PIECES_PER_WORD = 1.4
_SPECIAL = 2  # word pieces: [CLS] and [SEP]


def limits_of(text: int, audio: int, vision: int, fps: float) -> Limits:
    """Longest utterance that a model reads whole.

    Parameters
    ----------
    text, audio, vision : int
        Most word pieces, rows of 40 ms, and rows of 1 / fps s that it reads.
    fps : float
        Rows of vision per second.
    """
    words = max(int((text - _SPECIAL) / _PIECES_PER_WORD), 1)
    return Limits(min(audio * _AUDIO_STEP_S, vision / fps), words)
