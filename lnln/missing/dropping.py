"""Rows dropped by masks: what takes their place, and what BERT says of the words that are left."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np

from lnln.data.encoding import encode
from lnln.data.features import FeatureSet, ModalityFeatures, TextFeatures
from lnln.data.language import LanguageEncoder
from lnln.data.packing import split
from lnln.missing.masks import Kept, Masks

SENTENCES = 64  # most masked sentences encoded at a time


class SentenceCache:
    """Hidden states of the sentences that were encoded last, so that none is encoded twice.

    Masks at growing missing rates are nested: a short sentence often loses nothing more between
    one rate and the next.

    Parameters
    ----------
    megabytes : float
        Of states held; the sentences that were least recently used go first.
    """

    def __init__(self, megabytes: float = 256) -> None:
        self.room = megabytes * 1e6
        self.states: OrderedDict[bytes, np.ndarray] = OrderedDict()

    def get(self, tokens: bytes) -> np.ndarray | None:
        """Return the states [tokens, D] of a sentence, None where they are not held."""
        if tokens in self.states:
            self.states.move_to_end(tokens)
        return self.states.get(tokens)

    def put(self, tokens: bytes, states: np.ndarray) -> None:
        """Hold the states of a sentence that is not held yet."""
        self.states[tokens] = states
        self.room -= states.nbytes
        while self.room < 0:
            self.room += self.states.popitem(last=False)[1].nbytes


def drop(
    features: FeatureSet,
    masks: Masks,
    language: LanguageEncoder | None = None,
    cache: SentenceCache | None = None,
) -> FeatureSet:
    """Drop rows: zeros in audio and vision; in text `FeatureInfo.lost_id`, [UNK] by default.

    Parameters
    ----------
    features : FeatureSet
        Normalised, so that 0 is the mean.
    masks : mapping of clip_id to Kept
    language : LanguageEncoder, optional
        Computes the hidden states of the sentences that lost a token, and of all where none are
        stored. Without it they are not known, which suits a model that reads token ids.
    cache : SentenceCache, optional
        Of the same encoder; sentences it holds are not encoded again.

    Returns
    -------
    FeatureSet
        `observed` is False for dropped rows as well.

    Raises
    ------
    ValueError
        If a clip has no mask, or one of another length.
    """
    kept = Kept(*(_joined(features, masks, modality) for modality in Kept._fields))
    return replace(
        features,
        text=_masked(features.text, kept.text, language, cache),
        audio=_zeroed(features.audio, kept.audio),
        vision=_zeroed(features.vision, kept.vision),
    )


def with_states(
    features: FeatureSet,
    language: LanguageEncoder | None,
    cache: SentenceCache | None = None,
) -> FeatureSet:
    """Compute the hidden states of complete sentences where they are not stored.

    Parameters
    ----------
    features, language, cache
        As `drop` takes them.
    """
    kept = np.ones(len(features.text.token_ids), bool)
    return replace(features, text=_masked(features.text, kept, language, cache))


def _joined(features: FeatureSet, masks: Masks, modality: str) -> np.ndarray:
    counts = features.modality(modality).counts
    kept = []
    for clip_id, count in zip(features.clip_ids, counts, strict=True):
        if clip_id not in masks:
            raise ValueError(f"the clip {clip_id!r} has no mask: draw the masks of its split anew")
        rows = getattr(masks[clip_id], modality)
        if len(rows) != count:
            raise ValueError(
                f"the {modality} mask of the clip {clip_id!r} has {len(rows)} rows, its features "
                f"{count}: draw the masks anew from these features"
            )
        kept.append(rows)
    return np.concatenate(kept) if kept else np.empty(0, dtype=bool)


def _zeroed(modality: ModalityFeatures, kept: np.ndarray) -> ModalityFeatures:
    values = np.where(kept[:, None], modality.values, np.float32(0))
    return replace(modality, values=values, observed=modality.observed & kept)


def _masked(
    text: TextFeatures,
    kept: np.ndarray,
    language: LanguageEncoder | None,
    cache: SentenceCache | None,
) -> TextFeatures:
    lost = text.info.unk_id if text.info.lost_id is None else text.info.lost_id
    ids = np.where(kept, text.token_ids, np.int64(lost or 0))
    masked = replace(text, token_ids=ids, observed=text.observed & kept)
    stored = text.values.shape[1] > 0
    sentences = np.flatnonzero(text.count(~kept)) if stored else np.arange(len(text.counts))
    if not len(sentences):
        return masked
    if language is None:
        return replace(masked, values=np.empty((len(kept), 0), dtype=np.float32))
    shape = len(kept), language.width
    values = text.values.copy() if stored else np.zeros(shape, dtype=np.float32)
    unknown: dict[bytes, list[int]] = {}  # sentences by what they read; equal ones once
    for sentence in map(int, sentences):
        rows = text.rows(sentence)
        tokens = ids[rows].tobytes()
        states = None if cache is None else cache.get(tokens)
        if states is None:
            unknown.setdefault(tokens, []).append(sentence)
        else:
            values[rows] = states
    firsts = np.array([equal[0] for equal in unknown.values()], dtype=np.int64)
    for group in split(text.counts[firsts].tolist(), SENTENCES):
        encoded = encode(language, masked.take(firsts[group]))
        for first, padded in zip(firsts[group], encoded, strict=True):
            tokens, hidden = ids[text.rows(first)].tobytes(), padded[: text.counts[first]]
            for sentence in unknown[tokens]:
                values[text.rows(sentence)] = hidden
            if cache is not None:
                cache.put(tokens, hidden.copy())  # not the whole group's padding with it
    return replace(masked, values=values)
