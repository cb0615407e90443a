"""How much of each clip a model reads: it has greatest lengths, and recordings may be longer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.schemas import MODALITIES
from lnln.data.features import FeatureSet, Lengths

# Word pieces are parts of these: words, single Chinese characters, and signs of punctuation.
CHINESE = "\u3400-\u9fff\uf900-\ufaff"
_PIECE = re.compile(rf"[{CHINESE}]|[^\W{CHINESE}]+|[^\w\s]")


@dataclass(frozen=True)
class Spoken:
    """What is known of the words of a clip beside its tokens.

    Attributes
    ----------
    text : str
        All of them, whether or not they are among the tokens.
    words : sequence of mapping
        With ``start_s`` and ``end_s``, see `contracts.schemas.WORD`; empty where not known.
    cut : bool
        Whether the extractor left tokens out.
    """

    text: str = ""
    words: Sequence[Mapping[str, Any]] = ()
    cut: bool = False


@dataclass(frozen=True)
class Extent:
    """How much of one modality of one clip is read.

    Attributes
    ----------
    share : float
        Of its rows, or of its words, 0 to 1. Of words without times it is estimated, and rather
        too great.
    rows : int
        How many are read, where that is not all of them.
    end_s : float or None
        Where that ends, s from the beginning of the clip. None where all is read, or not known.
    """

    share: float = 1.0
    rows: int = 0
    end_s: float | None = None


def extents(
    clips: FeatureSet, lengths: Lengths, spoken: Mapping[str, Spoken]
) -> dict[str, list[Extent]]:
    """Say how much of each clip is read, by modality.

    Parameters
    ----------
    clips : FeatureSet
        As the extractors made them, not cut.
    lengths : Lengths
        Of the model.
    spoken : mapping of str to Spoken
        By clip; it may leave clips out.
    """
    told = [spoken.get(clip_id, Spoken()) for clip_id in clips.clip_ids]
    return {
        "text": [_of_words(clips, i, lengths.text, each) for i, each in enumerate(told)],
        "audio": [_of_rows(clips, i, "audio", lengths.audio) for i in range(len(clips))],
        "vision": [_of_rows(clips, i, "vision", lengths.vision) for i in range(len(clips))],
    }


def read_shares(
    clips: FeatureSet, lengths: Lengths, read: Mapping[str, Sequence[Extent]]
) -> dict[str, NDArray[np.float64]]:
    """Share of each clip that was observed and is read, [clips] in 0 to 1, by modality.

    Of a clip that the model reads whole it is `FeatureSet.observed_shares`.
    """
    within = clips.cut(lengths).observed_shares()
    return {m: within[m] * [extent.share for extent in read[m]] for m in MODALITIES}


def _of_rows(clips: FeatureSet, clip: int, modality: str, limit: int) -> Extent:
    features = clips.modality(modality)
    count = int(features.counts[clip])
    if count <= limit:
        return Extent()
    times = features.times[features.rows(clip)]
    end_s = float((times[limit - 1] + times[limit]) / 2)  # times are the middles of rows
    return Extent(limit / count, limit, end_s if np.isfinite(end_s) else None)


def _of_words(clips: FeatureSet, clip: int, limit: int, spoken: Spoken) -> Extent:
    rows = clips.text.rows(clip)
    count = rows.stop - rows.start
    content = np.flatnonzero(~clips.text.special[rows])
    # The closing [SEP] stays when a sentence is cut, and takes the place of a token.
    read = content if count <= limit else content[content < limit - 1]
    if not spoken.cut and len(read) == len(content):
        return Extent()
    times = clips.text.times[rows][read[-1:]]
    ends = [word["end_s"] for word in spoken.words]
    starts = [word["start_s"] for word in spoken.words]
    if len(times) and np.isfinite(times[0]) and None not in starts + ends and ends:
        # Words that begin by then; of captions, all words of one have its times.
        reached = int(np.searchsorted(starts, times[0], side="right"))
        if reached := min(reached, len(read), len(ends) - 1):
            return Extent(reached / len(ends), len(read), float(ends[reached - 1]))
    there = len(content)
    if spoken.cut:  # at least one token more, however few pieces are counted
        there = max(len(_PIECE.findall(spoken.text)), there + 1)
    return Extent(len(read) / there, len(read))
