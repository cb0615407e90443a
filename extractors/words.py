"""The transcript of a clip and its words."""

from typing import NamedTuple


class Word(NamedTuple):
    """One word, and when it is said, s from the start of the clip; None where not known.

    Of subtitles these are the times of the whole cue.
    """

    word: str
    start_s: float | None
    end_s: float | None
    probability: float | None


class Transcript(NamedTuple):
    """What is said in a clip.

    `source` is ``given`` (by the dataset, or with new videos), ``asr`` (recognised), ``none``
    (nothing was said), or ``unknown`` (nobody listened).
    """

    text: str
    source: str
    words: list[Word]
    warnings: list[str]
