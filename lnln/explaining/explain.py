"""What moved an answer, found by taking parts of the clip away and asking again.

Models here are trained on clips of which rows are missing, so that a clip without a word, or
without half a second of voice, is one that they know how to answer. What is taken away becomes
unobserved as masks do it (`lnln.missing.dropping`): a word's tokens are lost and the sentence is
encoded again, rows of voice and face become zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from contracts.schemas import MODALITIES
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.data.encoding import check_language
from lnln.data.extent import Spoken
from lnln.data.features import BoolArray, FeatureSet, IntArray
from lnln.data.language import FrozenLanguageEncoder
from lnln.explaining.explanation import Explanation, Part
from lnln.explaining.reader import Reader
from lnln.explaining.shapley import shapley, subsets
from lnln.explaining.words import spoken_words
from lnln.missing.dropping import drop
from lnln.missing.masks import Kept

STRETCH_S = 0.5  # of voice and face that is taken away at a time


def explain(
    clips: FeatureSet, model: Checkpoint, reader: Reader, spoken: Mapping[str, Spoken]
) -> list[Explanation]:
    """Say what moved the answers to some clips.

    The modalities as a whole share the answer by their Shapley values, over all eight sets of
    them; a word, or half a second of voice or face, contributes the answer with it minus the answer
    without it. By speaker, voice and face stay normalised as they were with everything there.

    Parameters
    ----------
    clips : FeatureSet
        Prepared by `model.prepare`, and incomplete already where something is to be missing.
    model : Checkpoint
        Any model.
    reader : Reader
        Of the text model that the features were made with.
    spoken : mapping of str to Spoken
        By clip, its words; of a clip that is not there, tokens count as words.

    Returns
    -------
    list of Explanation
        In the order of the clips. Each is the same whatever other clips are asked about.

    Raises
    ------
    ValueError
        If the reader is of another text model.
    CheckpointError
        As `Checkpoint.predict`.
    """
    encoder = reader.encoder if model.model.layout.text == "states" else None
    if encoder is not None:
        encoder.to(next((p.device for p in model.model.parameters()), "cpu"))
        if clips.text.values.shape[1]:
            check_language(clips, encoder, model.lengths.text)
    explained = []
    for i, clip_id in enumerate(clips.clip_ids):
        clip = clips.take([i])
        parts = _parts(clip, reader, spoken.get(clip_id, Spoken()))
        reads = MODALITIES if model.model.layout.text != "none" else MODALITIES[1:]
        there = [m for m in reads if clip.modality(m).observed.any()]
        sets = subsets(there)
        whole = sets[-1]
        asked = [each for each in parts if each.modality in whole and each.part.observed]
        kept = [_only(clip, players) for players in sets] + [_without(clip, e) for e in asked]
        answers = _answers(clip, kept, model, encoder)
        of_sets = dict(zip(sets, answers, strict=False))
        score = of_sets[whole]
        moved = {
            id(each): score - answer
            for each, answer in zip(asked, answers[len(sets) :], strict=True)
        }
        told: dict[str, list[Part]] = {m: [] for m in MODALITIES}
        for each in parts:
            told[each.modality].append(replace(each.part, contribution=moved.get(id(each), 0.0)))
        explained.append(
            Explanation(
                score=score,
                nothing=of_sets[sets[0]],
                modalities=dict.fromkeys(MODALITIES, 0.0) | shapley(of_sets),
                words=tuple(told["text"]),
                audio=tuple(told["audio"]),
                vision=tuple(told["vision"]),
            )
        )
    return explained


class _Taken(NamedTuple):
    """A part of a clip that is taken away: these rows of a modality."""

    modality: str
    rows: IntArray
    part: Part


def _parts(clip: FeatureSet, reader: Reader, spoken: Spoken) -> list[_Taken]:
    """List the words and stretches of one clip; their contribution is not known yet."""
    text = clip.text
    known = np.flatnonzero(text.observed & ~text.special)
    words = spoken_words(spoken, text.token_ids, known, reader.tokenizer)
    parts = [
        _Taken(
            "text",
            word.rows,
            Part(word.text, word.start_s, word.end_s, bool(text.observed[word.rows].any()), 0.0),
        )
        for word in words
    ]
    for modality in MODALITIES[1:]:
        parts += _stretches(clip, modality)
    return parts


def _stretches(clip: FeatureSet, modality: str) -> Iterator[_Taken]:
    """Cut voice or face into stretches of half a second; none where times are not known."""
    features = clip.modality(modality)
    if not np.isfinite(features.times).all():
        return
    times = features.times
    places = (times / STRETCH_S).astype(np.int64)
    last_s = times[-1:] + (np.diff(times[-2:]) / 2 if len(times) > 1 else times)  # of middles
    for place in np.unique(places):
        rows = np.flatnonzero(places == place)
        begin_s = float(place) * STRETCH_S
        end_s = min(begin_s + STRETCH_S, float(last_s[0]))
        observed = bool(features.observed[rows].any())
        yield _Taken(modality, rows, Part("", begin_s, end_s, observed, 0.0))


def _only(clip: FeatureSet, modalities: frozenset[str]) -> Kept:
    """Keep all of some modalities, of the others nothing but special tokens."""
    kept = {
        m: np.full(len(clip.modality(m).observed), m in modalities, dtype=bool) for m in MODALITIES
    }
    kept["text"] |= clip.text.special
    return Kept(**kept)


def _without(clip: FeatureSet, taken: _Taken) -> Kept:
    """Keep everything but a part."""
    kept: dict[str, BoolArray] = {
        m: np.ones(len(clip.modality(m).observed), dtype=bool) for m in MODALITIES
    }
    kept[taken.modality][taken.rows] = False
    return Kept(**kept)


def _answers(
    clip: FeatureSet, kept: Sequence[Kept], model: Checkpoint, encoder: FrozenLanguageEncoder | None
) -> list[float]:
    """Ask about one clip, once for every mask."""
    names = tuple(map(str, range(len(kept))))
    copies = replace(clip.take([0] * len(kept)), clip_ids=names)
    masked = drop(copies, dict(zip(names, kept, strict=True)), encoder)
    return model.predict(masked).prediction.tolist()
