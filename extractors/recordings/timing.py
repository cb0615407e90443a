"""Times for the words of a recording that came without them, or with those of their captions."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from extractors.speech.activity import Span
from extractors.speech.spacing import CHINESE
from extractors.words import Word

# Chinese is written without spaces: each of its characters counts as a word.
_WORD = re.compile(rf"[{CHINESE}]|[^\s{CHINESE}]+")


def timed(
    text: str, words: Sequence[Word], speech: Sequence[Span], duration_s: float
) -> list[Word]:
    """Give each word of a recording times of its own, in order.

    Words of a caption share its time, by their length; captions that overlap come one after the
    other. Where no times are known at all, words are
    spread over what is heard of voices, else over the whole recording.

    Parameters
    ----------
    text : str
    words : sequence of Word
        Of `text`, with their times; empty where none are known.
    speech : sequence of Span
        Where somebody speaks.
    duration_s : float
    """
    if any(word.start_s is None or word.end_s is None for word in words) or not words:
        untimed = [Word(found, None, None, None) for found in _WORD.findall(text)]
        return list(_spread(untimed, speech or [Span(0.0, duration_s)]))
    if any(word.probability is not None for word in words):  # recognised one by one
        return sorted(words, key=_begin)
    return [
        word
        for span, caption in _apart(sorted(words, key=_begin))
        for word in (_spread(caption, [span]) if len(caption) > 1 else caption)
    ]


def _begin(word: Word) -> float:
    return word.start_s or 0.0


def _apart(words: Sequence[Word]) -> list[tuple[Span, list[Word]]]:
    """Captions, in order and without overlap.

    One that lies within another is joined to it. Else a caption ends where the next begins:
    captions that roll up overlap throughout, and joined would be one, as long as the recording.
    """
    captions: list[tuple[Span, list[Word]]] = []
    for ends, same in groupby(words, key=lambda word: (word.start_s or 0.0, word.end_s or 0.0)):
        span, said = Span(*ends), list(same)
        if captions and span.start_s < captions[-1][0].end_s:
            before, earlier = captions.pop()
            if span.start_s == before.start_s or span.end_s <= before.end_s:
                span = Span(before.start_s, max(before.end_s, span.end_s))
                said = [*earlier, *said]
            else:
                end_s = span.start_s
                shorter = [word._replace(end_s=end_s) for word in earlier]
                captions.append((Span(before.start_s, end_s), shorter))
        captions.append((span, said))
    return captions


def _spread(words: Sequence[Word], spans: Sequence[Span]) -> Iterator[Word]:
    """Words, one after the other over some stretches, each as long as its letters."""
    letters = sum(len(word.word) for word in words)
    there_s = sum(span.end_s - span.start_s for span in spans)
    before = 0
    for word in words:
        begin, end = (
            there_s * count / max(letters, 1) for count in (before, before + len(word.word))
        )
        before += len(word.word)
        start_s = _after(begin, spans, ends=False)
        yield word._replace(start_s=start_s, end_s=max(_after(end, spans, ends=True), start_s))


def _after(seconds: float, spans: Sequence[Span], *, ends: bool) -> float:
    """The time at which so many seconds of the stretches are over."""
    for span in spans:
        length_s = span.end_s - span.start_s
        if seconds < length_s or (ends and seconds <= length_s):
            return span.start_s + seconds
        seconds -= length_s
    return spans[-1].end_s
