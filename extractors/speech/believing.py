"""Which of the words that a recogniser gives are believed.

Where there is no speech, Whisper invents words or repeats itself (Radford et al., 2022, section
4.5; Koenecke et al., "Careless Whisper", FAccT 2024, on pauses). Such words are kept apart: they
are shown, and no model reads them.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from extractors.speech.activity import Span
from extractors.words import Word

# Of words of less probability one in five was right (whisper-tiny.en, 150 words of the GRID
# corpus), of those from here to 0.4 nearly every other one.
LEAST_PROBABILITY = 0.2

_APART_S = 0.3  # by which the times of words are off
_PHRASE = 6  # words that are looked at for repetition, at most
_TIMES = 4  # that a phrase is said without a pause, from which on it is taken for a loop
_TIMES_OF_ONE = 6  # a single word: people do say "no, no, no, no"


def unheard(words: Sequence[Word], speech: Sequence[Span]) -> set[int]:
    """Numbers of words at whose time nobody speaks, as the voice-activity detector has it."""
    return {
        number
        for number, word in enumerate(words)
        if word.start_s is not None
        and word.end_s is not None
        and not any(
            span.start_s - _APART_S < word.end_s and word.start_s < span.end_s + _APART_S
            for span in speech
        )
    }


def looped(words: Sequence[Word]) -> set[int]:
    """Numbers of words of phrases that are repeated as nobody does."""
    said = [word.word.strip(".,!?;:-… ").lower() for word in words]
    found: set[int] = set()
    for length in range(1, _PHRASE + 1):
        least = (_TIMES_OF_ONE if length == 1 else _TIMES) * length
        begin = 0
        while begin + least <= len(said):
            end = begin + length
            while end < len(said) and said[end] == said[end - length]:
                end += 1
            if end - begin >= least:
                found.update(range(begin, end))
                begin = end
            else:
                begin += 1
    return found


class Believed(NamedTuple):
    """A text and its words without those that are not believed, and these."""

    text: str
    words: list[Word]
    doubted: list[Word]


def probable(text: str, words: Sequence[Word]) -> Believed:
    """Leave out the words that the recogniser itself takes for improbable."""
    left_out = {
        number
        for number, word in enumerate(words)
        if word.probability is not None and word.probability < LEAST_PROBABILITY
    }
    kept = [word for number, word in enumerate(words) if number not in left_out]
    doubted = [words[number] for number in sorted(left_out)]
    return Believed(without(text, words, left_out) if kept else "", kept, doubted)


def without(text: str, words: Sequence[Word], left_out: Collection[int]) -> str:
    """Leave some of its words out of a text, in which they stand in this order."""
    if not left_out:
        return text
    kept, position = "", 0
    for number, word in enumerate(words):
        begin = text.find(word.word, position)
        if begin < 0:
            continue
        end = begin + len(word.word)
        kept += text[position : begin if number in left_out else end]
        position = end
    return " ".join((kept + text[position:]).split())
