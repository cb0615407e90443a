"""Errors of speech recognition in transcripts, and how many there are."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np

# What is written without spaces and recognised character by character: kana and ideographs, with
# their punctuation.
_UNSPACED = "\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_CORE = re.compile(r"\w(?:.*\w)?", re.DOTALL)  # a word without the punctuation around it

_CANDIDATES = 30  # words looked at for one that resembles the word it is taken for
_TRIES = 200  # per error, before it is given up

# Shares of the errors; the others are insertions. As whisper-tiny.en makes them on data/sample: of
# 226 errors in 644 words, 147 are substitutions, 52 deletions and 27 insertions.
_SUBSTITUTIONS, _DELETIONS = 0.65, 0.23


class Vocabulary:
    """Words that errors are made of.

    Parameters
    ----------
    texts : iterable of str
        All transcripts of a dataset: errors are then words of its language and its subjects.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counts = Counter(core for text in texts for token in split(text) if (core := plain(token)))
        self._words = sorted(counts)
        self._total = list(accumulate(counts[word] for word in self._words))

    def similar(self, word: str, draw: np.random.Generator) -> str | None:
        """Another word, the most like this one in spelling of some that are drawn."""
        others = [self._words[i] for i in draw.integers(len(self._words), size=_CANDIDATES)]
        others = [other for other in others if other != word]
        return min(others, key=lambda o: distance(word, o) / max(len(word), len(o)), default=None)

    def frequent(self, draw: np.random.Generator) -> str:
        """A word, drawn as often as it occurs."""
        place = np.searchsorted(self._total, draw.integers(self._total[-1]), side="right")
        return self._words[int(place)]


def split(text: str) -> list[str]:
    """The words of a text, with their punctuation; each Chinese or Japanese character is one."""
    return _TOKEN.findall(text)


def plain(token: str) -> str:
    """A word as it is compared: in small letters, without the punctuation around it."""
    found = _CORE.search(token)
    return found[0].lower() if found else ""


def word_errors(
    text: str, rate: float, vocabulary: Vocabulary, draw: np.random.Generator
) -> tuple[str, dict[str, float] | None]:
    """Make as many errors in a text as a recogniser with a word error rate of `rate` makes.

    65 % of them are substitutions by words of similar spelling, 23 % deletions, and 12 %
    insertions. A number of errors that is no integer is rounded up or down by chance, so
    that it is met over many texts.

    Parameters
    ----------
    text : str
    rate : float
        0 to 1.
    vocabulary : Vocabulary
    draw : Generator

    Returns
    -------
    str
        As it was where there is no error.
    dict or None
        `wer`, `errors` and `words`, measured by aligning both texts; None without words.
    """
    tokens = split(text)
    words = [plain(token) for token in tokens if plain(token)]
    if not words:
        return text, None
    wanted = int(rate * len(words) + draw.uniform())
    damaged, made, tries = tokens, 0, 0
    while made < wanted and tries < _TRIES * wanted:
        changed = _with_error(damaged, vocabulary, draw)
        now = distance(words, [plain(token) for token in changed if plain(token)])
        if now > made:  # an error can undo or hide another one
            damaged, made = changed, now
        tries += 1
    realised = {"wer": made / len(words), "errors": float(made), "words": float(len(words))}
    return (_joined(damaged) if made else text), realised


def distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Least number of substitutions, deletions and insertions between two sequences."""
    row = list(range(len(hypothesis) + 1))
    for i, one in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(diagonal + (one != other), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def _with_error(tokens: list[str], vocabulary: Vocabulary, draw: np.random.Generator) -> list[str]:
    kind = draw.uniform()
    place = int(draw.integers(len(tokens) + (kind >= _SUBSTITUTIONS + _DELETIONS or not tokens)))
    if kind >= _SUBSTITUTIONS + _DELETIONS:
        return [*tokens[:place], vocabulary.frequent(draw), *tokens[place:]]
    if not tokens:
        return tokens
    if kind >= _SUBSTITUTIONS:
        return tokens[:place] + tokens[place + 1 :]
    core = _CORE.search(tokens[place])
    other = vocabulary.similar(plain(tokens[place]), draw)
    if core is None or other is None:
        return tokens
    replaced = tokens[place][: core.start()] + other + tokens[place][core.end() :]
    return [*tokens[:place], replaced, *tokens[place + 1 :]]


def _joined(tokens: list[str]) -> str:
    """A text of words, without a space beside a character that is written without."""
    text = ""
    for token in tokens:
        spaced = text and not re.match(f"[{_UNSPACED}]", token)
        spaced = spaced and not re.match(f"[{_UNSPACED}]", text[-1])
        text += f" {token}" if spaced else token
    return text
