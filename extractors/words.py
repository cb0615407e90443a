"""The transcript of a clip and its words."""

from collections.abc import Sequence
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

    `source` says where that is from, see `contracts.schemas.TRANSCRIPTS`. `text` and `words` leave
    out the `doubted`: words that were recognised and are not believed. `language` is what the
    speech sounds like, an ISO 639 code, with its probability; None where that was not asked.
    """

    text: str
    source: str
    words: list[Word]
    warnings: list[str]
    doubted: Sequence[Word] = ()
    language: str | None = None
    language_probability: float | None = None
