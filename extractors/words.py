"""What is said in a clip: words with their times, and how they are known."""

from typing import NamedTuple


class Word(NamedTuple):
    """One word and when it was said, s from the clip's start."""

    word: str
    start_s: float | None
    end_s: float | None
    probability: float | None


class Transcript(NamedTuple):
    """What is said in a clip and how that is known: ``given``, ``asr``, or ``none``."""

    text: str
    source: str
    words: list[Word]
    warnings: list[str]
