"""From features to tensors: rows dropped, masked sentences encoded, clips padded into a batch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence as Items
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from lnln.data.features import FeatureSet, ModalityFeatures, TextFeatures
from lnln.data.language import LanguageEncoder
from lnln.data.packing import split
from lnln.missing.masks import Kept, Masks
from lnln.models.lnln.network import Inputs, Sequence
from lnln.settings import NetworkSettings, Shapes

SENTENCES = 64  # most masked sentences encoded at a time


class Layout(NamedTuple):
    """How a batch is laid out for a network.

    Attributes
    ----------
    shapes : Shapes
    ids : bool
        Text goes as token ids, which the network's own language encoder reads: the variant
        `official`, whose encoder also reads the padding, or an encoder that is fine-tuned. Else
        it goes as hidden states, which need not be computed anew for complete sentences.
    full : bool
        Every sequence is padded to the greatest length (`official`), not to the batch's longest.
    masked : bool
        Missing rows of audio and vision are left out of attention like padding (`masked`). As
        zeros they dilute what was observed, so that the answers shrink as the missing rate grows.
    """

    shapes: Shapes
    ids: bool
    full: bool
    masked: bool

    @classmethod
    def of(cls, network: NetworkSettings, shapes: Shapes, finetuned: bool) -> Layout:
        """Choose the layout for a variant and a frozen or fine-tuned language encoder."""
        official = network.variant == "official"
        return cls(
            shapes,
            ids=official or finetuned,
            full=official,
            masked=network.variant == "masked",
        )


class Recall:
    """Hidden states of the sentences that were encoded last, so that none is encoded twice.

    Masks at growing missing rates are nested: a short sentence often loses nothing more between
    one rate and the next.

    Parameters
    ----------
    megabytes : float
        Of states kept; those that were not asked for longest go first.
    """

    def __init__(self, megabytes: float = 256) -> None:
        self.room = megabytes * 1e6
        self.states: OrderedDict[bytes, np.ndarray] = OrderedDict()

    def find(self, tokens: bytes) -> np.ndarray | None:
        """Return the states [tokens, D] of a sentence, None where they are not known any more."""
        if tokens in self.states:
            self.states.move_to_end(tokens)
        return self.states.get(tokens)

    def keep(self, tokens: bytes, states: np.ndarray) -> None:
        """Keep the states of a sentence that is not known."""
        self.states[tokens] = states
        self.room -= states.nbytes
        while self.room < 0:
            self.room += self.states.popitem(last=False)[1].nbytes


def incomplete(
    features: FeatureSet,
    masks: Masks,
    language: LanguageEncoder | None = None,
    recall: Recall | None = None,
) -> FeatureSet:
    """Drop rows: zeros in audio and vision, [UNK] in text.

    Parameters
    ----------
    features : FeatureSet
        Normalised, so that 0 is the mean.
    masks : mapping of clip_id to Kept
    language : LanguageEncoder, optional
        Computes the hidden states of the sentences that lost a token. Without it they are not
        known, which suits a network that reads token ids.
    recall : Recall, optional
        Of the same encoder; what it knows is not computed.

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
        text=_masked(features.text, kept.text, language, recall),
        audio=_dropped(features.audio, kept.audio),
        vision=_dropped(features.vision, kept.vision),
    )


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


def _dropped(modality: ModalityFeatures, kept: np.ndarray) -> ModalityFeatures:
    values = np.where(kept[:, None], modality.values, np.float32(0))
    return replace(modality, values=values, observed=modality.observed & kept)


def _masked(
    text: TextFeatures, kept: np.ndarray, language: LanguageEncoder | None, recall: Recall | None
) -> TextFeatures:
    ids = np.where(kept, text.token_ids, np.int64(text.info.unk_id or 0))
    masked = replace(text, token_ids=ids, observed=text.observed & kept)
    sentences = np.flatnonzero(text.count(~kept))
    if not len(sentences):
        return masked
    if language is None:
        return replace(masked, values=np.empty((len(kept), 0), dtype=np.float32))
    values = text.values.copy()
    unknown: dict[bytes, list[int]] = {}  # the sentences that read so
    for sentence in map(int, sentences):
        rows = text.rows(sentence)
        tokens = ids[rows].tobytes()
        known = None if recall is None else recall.find(tokens)
        if known is None:
            unknown.setdefault(tokens, []).append(sentence)
        else:
            values[rows] = known
    firsts = np.array([same[0] for same in unknown.values()], dtype=np.int64)
    for group in split(text.counts[firsts].tolist(), SENTENCES):
        states = encode(language, masked.take(firsts[group]))
        for first, padded in zip(firsts[group], states, strict=True):
            tokens, hidden = ids[text.rows(first)].tobytes(), padded[: text.counts[first]]
            for sentence in unknown[tokens]:
                values[text.rows(sentence)] = hidden
            if recall is not None:
                recall.keep(tokens, hidden.copy())  # not the whole group's padding with it
    return replace(masked, values=values)


@torch.no_grad()
def encode(language: LanguageEncoder, text: TextFeatures) -> np.ndarray:
    """Return the hidden states of sentences, padded: [sentences, longest, D]."""
    device = next(language.parameters()).device
    tokens = _padded(text, text.token_ids, int(text.counts.max()), text.info.pad_id or 0)
    states: torch.Tensor = language(tokens.values.to(device), tokens.mask.to(device))
    return states.float().cpu().numpy()


def check_language(features: FeatureSet, language: LanguageEncoder, length: int) -> None:
    """Make sure that an encoder is the one whose hidden states the features hold.

    Parameters
    ----------
    features : FeatureSet
    language : LanguageEncoder
    length : int
        Most tokens of a sentence; sentences this long may have been cut and are not looked at.

    Raises
    ------
    ValueError
        If it encodes the first sentences to something else.
    """
    text = features.text.take(np.flatnonzero(features.text.counts < length)[:4])
    if not len(text.values):
        return
    states = encode(language, text)
    for sentence in range(len(text.counts)):
        stored = text.values[text.rows(sentence)]
        found = states[sentence, : text.counts[sentence]]
        if stored.shape != found.shape or not np.allclose(stored, found, atol=0.02):
            raise ValueError(
                "the language encoder does not give the hidden states that the text features "
                "hold: load the model named in their settings "
                f"({text.info.settings.get('model', 'unknown')}), or extract text anew"
            )


def collate(features: FeatureSet, layout: Layout) -> Inputs:
    """Pad clips into one batch.

    Raises
    ------
    ValueError
        If the network reads hidden states and those of masked sentences are not known.
    """
    shapes = layout.shapes
    text = features.text
    if not layout.ids and text.values.shape[1] != shapes.text_dim:
        raise ValueError(
            f"text has hidden states {text.values.shape[1]} wide, the network reads "
            f"{shapes.text_dim}: give the language encoder, which computes those of masked "
            "sentences"
        )
    rows = [
        shapes_length if layout.full else int(modality.counts.max(initial=1))
        for shapes_length, modality in (
            (shapes.text_length, text),
            (shapes.audio_length, features.audio),
            (shapes.vision_length, features.vision),
        )
    ]
    tokens = (
        _padded(text, text.token_ids, rows[0], text.info.pad_id or 0)
        if layout.ids
        else _padded(text, text.values, rows[0])
    )
    audio = _padded(features.audio, features.audio.values, rows[1])
    vision = _padded(features.vision, features.vision.values, rows[2])
    if layout.masked:
        audio = _without_missing(audio, features.audio)
        vision = _without_missing(vision, features.vision)
    return Inputs(tokens, audio, vision)


def _padded(
    modality: ModalityFeatures, column: np.ndarray, length: int, padding: int = 0
) -> Sequence:
    """Pad one column of every clip to [clips, length, ...]."""
    mask = np.arange(length) < modality.counts[:, None]  # [clips, length]
    values = np.full((*mask.shape, *column.shape[1:]), padding, dtype=column.dtype)
    values[mask] = column
    return Sequence(torch.from_numpy(values), torch.from_numpy(mask))


def _without_missing(sequence: Sequence, modality: ModalityFeatures) -> Sequence:
    """Take the rows that were not observed, or were dropped, out of the mask."""
    mask = sequence.mask.clone()
    mask[sequence.mask] = torch.from_numpy(modality.observed)
    return sequence._replace(mask=mask)


def to_device(inputs: Inputs, device: torch.device) -> Inputs:
    """Move a batch; to a GPU from pinned memory, while the processor goes on."""
    if device.type == "cuda":
        inputs = Inputs(*(Sequence(s.values.pin_memory(), s.mask.pin_memory()) for s in inputs))
    moved = (Sequence(*(t.to(device, non_blocking=True) for t in s)) for s in inputs)
    return Inputs(*moved)


def in_batches(order: Items[int] | np.ndarray, size: int) -> list[np.ndarray]:
    """Split clips into batches of at most `size` that differ by one clip at most.

    A remainder of a few clips would otherwise be a step as long as any other, and noisier.
    """
    return np.array_split(np.asarray(order, dtype=np.int64), max(1, -(-len(order) // size)))


def rows_of(features: FeatureSet) -> np.ndarray:
    """Count the rows of every clip over its modalities, [clips]."""
    return features.text.counts + features.audio.counts + features.vision.counts
