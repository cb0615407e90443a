"""A recording cut into utterances, by pauses, words, and the longest that a model reads.

Nothing is read here. What is spoken is a row of atoms, which are never cut: words, and stretches
of voice between them in which none was recognised. Utterances are runs of atoms. A run ends at a
pause; one that is too long is cut again at the best place within it, and one that is too short is
joined to its neighbour.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from extractors.settings import Unspoken
from extractors.speech.activity import Span
from extractors.words import Word

_PAUSE_S = 0.35  # without speech, at which an utterance ends
_SHORT_S = 1.0  # shorter utterances are joined to a neighbour ...
_NEAR_S = 1.0  # ... that is nearer than this
_EDGE_S = 0.1  # of what is before and after the voice, which is part of an utterance
_UNSPOKEN_S = 1.0  # a shorter stretch without speech is no clip of its own
_REST_S = 0.05  # voice beside a word is another atom from this length on
_OVERLAP_S = 0.2  # by which the times of words overlap that are said one after the other
_ROUNDED_S = 0.002  # by which rounding can lengthen an utterance

# What the end of a sentence, and a comma, count as where no pause is long enough, s.
_SENTENCE_S = 0.3
_COMMA_S = 0.1
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
_COMMAS = (",", ";", ":", "，", "；", "：", "、")


class Limits(NamedTuple):
    """What an utterance may not exceed."""

    seconds: float
    words: int | None = None  # None: any number


class Utterance(NamedTuple):
    """A stretch of a recording, s from its beginning, and the words in it.

    Times of the words are from the beginning of the utterance. `first` is the number of its first
    word in the recording.
    """

    start_s: float
    end_s: float
    words: list[Word]
    first: int = 0


class _Atom(NamedTuple):
    start_s: float
    end_s: float
    words: tuple[Word, ...]
    first: int


def cut(
    words: Sequence[Word],
    speech: Sequence[Span],
    duration_s: float,
    limits: Limits,
    unspoken: Unspoken = "clips",
) -> list[Utterance]:
    """Cut a recording into utterances.

    Parameters
    ----------
    words : sequence of Word
        In the order of their beginnings, all with times.
    speech : sequence of Span
        Where somebody speaks, in order; they do not overlap.
    duration_s : float
    limits : Limits
        A word that alone is longer, and words said at once, are still one utterance.
    unspoken : {"clips", "gaps"}
        What stretches of a second or more without speech become: utterances without words, no
        longer than the limit, or nothing.

    Returns
    -------
    list of Utterance
        In order, without overlap, within the recording. Every word is in exactly one, but those
        that begin after the end of the recording, which are in none.

    Examples
    --------
    >>> hello, you = Word("hello", 0.5, 1.0, None), Word("you", 2.0, 3.5, None)
    >>> [u[:2] for u in cut([hello, you], [], 4.0, Limits(3.0), "gaps")]
    [(0.4, 1.1), (1.9, 3.6)]
    """
    within = Limits(limits.seconds - 2 * _EDGE_S - _ROUNDED_S, limits.words)
    atoms = _atoms(words, speech, duration_s, within.seconds)
    runs: list[list[_Atom]] = []
    for atom in atoms:
        if runs and atom.start_s - runs[-1][-1].end_s < _PAUSE_S:
            runs[-1].append(atom)
        else:
            runs.append([atom])
    divided = [part for run in runs for part in _divided(run, within)]
    utterances = list(_with_edges(_joined(divided, within), duration_s))
    if unspoken == "clips":
        utterances = sorted(
            [*utterances, *_between(utterances, duration_s, limits.seconds - _ROUNDED_S)]
        )
    return utterances


def _atoms(
    words: Sequence[Word], speech: Sequence[Span], duration_s: float, longest_s: float
) -> list[_Atom]:
    """Words, each as long as a voice is heard in it, and voices without words, in order."""
    spoken: list[_Atom] = []
    for number, word in enumerate(words):
        if (word.start_s or 0.0) >= duration_s:
            break
        start_s, end_s = _heard(word, speech, duration_s)
        if spoken and spoken[-1].end_s - _OVERLAP_S <= start_s < spoken[-1].end_s:
            start_s, end_s = spoken[-1].end_s, max(end_s, spoken[-1].end_s)
        if spoken and start_s < spoken[-1].end_s:  # said at once: they stay together
            before = spoken.pop()
            both = (*before.words, word)
            spoken.append(_Atom(before.start_s, max(before.end_s, end_s), both, before.first))
        else:
            spoken.append(_Atom(start_s, end_s, (word,), number))
    atoms = [*spoken]
    for span in speech:
        position = span.start_s
        inside = _within(spoken, span.start_s, span.end_s)
        for start_s, end_s in [*((a.start_s, a.end_s) for a in inside), (span.end_s, span.end_s)]:
            if start_s - position >= _REST_S:
                parts = max(1, math.ceil((start_s - position) / longest_s))
                atoms += [_Atom(*ends, (), 0) for ends in _even(position, start_s, parts)]
            position = max(position, end_s)
    return sorted(atoms, key=lambda atom: (atom.start_s, atom.end_s))


_Part = TypeVar("_Part", _Atom, Span)


def _within(parts: Sequence[_Part], start_s: float, end_s: float) -> Sequence[_Part]:
    """Those of some parts, in order and without overlap, that a stretch overlaps."""
    first = bisect_right(parts, start_s, key=lambda part: part.end_s)
    return parts[first : bisect_left(parts, end_s, key=lambda part: part.start_s)]


def _heard(word: Word, speech: Sequence[Span], duration_s: float) -> tuple[float, float]:
    """When a voice is heard in the time of a word; recognisers put pauses into words."""
    assert word.start_s is not None and word.end_s is not None
    start_s = min(max(word.start_s, 0.0), duration_s)
    end_s = min(max(word.end_s, start_s), duration_s)
    voices = _within(speech, start_s, end_s)
    if not voices:
        return start_s, end_s
    return max(start_s, voices[0].start_s), min(end_s, voices[-1].end_s)


def _divided(run: list[_Atom], limits: Limits) -> list[list[_Atom]]:
    """Parts of a run that do not exceed the limits; each is cut where that is least bad."""
    divided: list[list[_Atom]] = []
    waiting = [run]
    while waiting:
        part = waiting.pop()
        if len(part) == 1 or _fits(part, limits):
            divided.append(part)
        else:
            place = _best_place(part)
            waiting += [part[place:], part[:place]]
    return divided


def _best_place(run: list[_Atom]) -> int:
    """The number of the atom before which a run is cut."""
    span_s = run[-1].end_s - run[0].start_s

    def goodness(number: int) -> float:
        before, after = run[number - 1], run[number]
        left_s, right_s = before.end_s - run[0].start_s, run[-1].end_s - after.start_s
        pause_s = max(after.start_s - before.end_s, 0.0) + _as_pause(before)
        return (pause_s + 0.05) * min(left_s, right_s) / max(span_s, 1e-9)

    best = max(range(1, len(run)), key=goodness)
    return best if goodness(best) > 0 else len(run) // 2  # many words with one time


def _as_pause(atom: _Atom) -> float:
    """How long a pause what is said counts as."""
    if not atom.words:
        return 0.0
    text = atom.words[-1].word.rstrip("\"'”’)»")
    if text.endswith(_SENTENCE_ENDS):
        return _SENTENCE_S
    return _COMMA_S if text.endswith(_COMMAS) else 0.0


def _fits(run: Sequence[_Atom], limits: Limits) -> bool:
    count = sum(len(atom.words) for atom in run)
    return run[-1].end_s - run[0].start_s <= limits.seconds and (
        limits.words is None or count <= limits.words
    )


def _joined(runs: list[list[_Atom]], limits: Limits) -> list[list[_Atom]]:
    """Runs, the short ones joined to the nearer of their neighbours where both fit into one."""
    runs = [*runs]
    number = 0
    while number < len(runs):
        run = runs[number]
        near = [
            (gap_s, left)
            for left in (number - 1, number)
            if 0 <= left < len(runs) - 1
            and (gap_s := runs[left + 1][0].start_s - runs[left][-1].end_s) < _NEAR_S
            and _fits([*runs[left], *runs[left + 1]], limits)
        ]
        if run[-1].end_s - run[0].start_s >= _SHORT_S or not near:
            number += 1
            continue
        _, left = min(near)
        runs[left : left + 2] = [[*runs[left], *runs[left + 1]]]
        number = left
    return runs


def _with_edges(runs: Sequence[Sequence[_Atom]], duration_s: float) -> Iterator[Utterance]:
    """Utterances of runs: with some of the silence around them, but none of a neighbour's."""
    places = [0.0]
    for before, after in pairwise(runs):
        end_s, start_s = before[-1].end_s, after[0].start_s
        middle_s = (end_s + start_s) / 2
        places += [min(end_s + _EDGE_S, middle_s), max(start_s - _EDGE_S, middle_s)]
    places.append(duration_s)
    for number, run in enumerate(runs):
        start_s = round(max(places[2 * number], run[0].start_s - _EDGE_S), 3)
        end_s = round(min(places[2 * number + 1], run[-1].end_s + _EDGE_S), 3)
        words = [_from(word, start_s, end_s) for atom in run for word in atom.words]
        first = next((atom.first for atom in run if atom.words), 0)
        yield Utterance(start_s, min(end_s, duration_s), words, first)


def _from(word: Word, start_s: float, end_s: float) -> Word:
    """A word with times from the beginning of its utterance."""
    first_s, last_s = (min(max(time or 0.0, start_s), end_s) - start_s for time in word[1:3])
    return word._replace(start_s=first_s, end_s=last_s)


def _between(
    utterances: Sequence[Utterance], duration_s: float, longest_s: float
) -> Iterator[Utterance]:
    """Utterances without words, for the stretches between others."""
    edges = [0.0, *(edge for u in utterances for edge in (u.start_s, u.end_s)), duration_s]
    for start_s, end_s in zip(edges[::2], edges[1::2], strict=True):
        if end_s - start_s >= _UNSPOKEN_S or not utterances:
            parts = max(1, math.ceil(round((end_s - start_s) / longest_s, 6)))
            for ends in _even(start_s, end_s, parts):
                yield Utterance(*ends, [])


def _even(start_s: float, end_s: float, parts: int) -> Iterator[tuple[float, float]]:
    edges = [start_s + (end_s - start_s) * part / parts for part in range(parts)]
    yield from pairwise([*(round(edge, 3) for edge in edges), end_s])
