"""Which tokens of a clip are which of its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lnln.data.extent import CHINESE, Spoken
from lnln.data.features import IntArray

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# What is shown as a word where no words are listed: letters up to the next space, or one Chinese
# character.
_WORD = re.compile(rf"[{CHINESE}]|[^\s{CHINESE}]+")


@dataclass(frozen=True)
class SpokenWord:
    """A word, and where it stands among the tokens of its clip.

    Attributes
    ----------
    text : str
    start_s, end_s : float or None
        None where not known.
    rows : array, [pieces] int64
        Its tokens, counted from [CLS], which is 0; empty where the model reads none of it.
    """

    text: str
    start_s: float | None
    end_s: float | None
    rows: IntArray


def spoken_words(
    spoken: Spoken,
    token_ids: IntArray,
    known: IntArray,
    tokenizer: PreTrainedTokenizerBase,
) -> list[SpokenWord]:
    """List the words of a clip.

    Parameters
    ----------
    spoken : Spoken
        Its words, with times where they are known; else what stands between spaces is a word.
    token_ids : array, [tokens] int64
        Of the clip, with [CLS] and [SEP], cut or not.
    known : array, int64
        Which of the tokens are content that was not lost: what stands there is compared.
    tokenizer : PreTrainedTokenizerBase
        Of the model that the tokens are of.

    Returns
    -------
    list of SpokenWord
        In order. Where the tokens are not those of the text, every token that is known is a word.
    """
    read = tokenizer(spoken.text, return_offsets_mapping=True, return_special_tokens_mask=True)
    special = read["special_tokens_mask"]
    places = [i for i in range(len(special)) if not special[i] and i < len(token_ids) - 1]
    ids = np.asarray(read["input_ids"], dtype=np.int64)
    if len(known) and (known[-1] >= len(ids) or (ids[known] != token_ids[known]).any()):
        return [
            SpokenWord(str(tokenizer.decode([token_ids[row]])).strip(), None, None, np.array([row]))
            for row in known
        ]
    spans = [(i, *read["offset_mapping"][i]) for i in places]
    return [
        SpokenWord(text, start_s, end_s, _within(spans, begin, end))
        for begin, end, text, start_s, end_s in _listed(spoken)
    ]


def _listed(spoken: Spoken) -> list[tuple[int, int, str, float | None, float | None]]:
    """Where each word stands in the text, the word, and its times."""
    listed: list[tuple[int, int, str, float | None, float | None]] = []
    position = 0
    for word in spoken.words:
        begin = spoken.text.find(word["word"], position)
        if begin >= 0:
            position = begin + len(word["word"])
            times = word["start_s"], word["end_s"]
            listed.append((begin, position, word["word"].strip(), *times))
    if listed:
        return listed
    return [(*found.span(), found.group(), None, None) for found in _WORD.finditer(spoken.text)]


def _within(spans: Sequence[tuple[int, int, int]], begin: int, end: int) -> IntArray:
    """Tokens that begin between two characters of the text."""
    return np.array([row for row, first, _ in spans if begin <= first < end], dtype=np.int64)
