"""The features of a set of clips in memory: three ragged arrays, one per modality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from contracts.features import FeatureInfo
from contracts.schemas import MODALITIES

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


class Lengths(NamedTuple):
    """Most rows of a clip that a model reads, per modality."""

    text: int
    audio: int
    vision: int


@dataclass(frozen=True)
class ModalityFeatures:
    """One modality of several clips, row after row and clip after clip.

    Attributes
    ----------
    info : FeatureInfo
    offsets : array, [clips + 1] int64
        Clip i owns the rows offsets[i] to offsets[i + 1].
    values : array, [rows, D] float32
    observed : array, [rows] bool
        Was anything there to measure? Rows where it was not are zeros.
    times : array, [rows] float64
        Middle of the time that a row is of, s from the beginning of the clip; NaN where unknown.
    """

    info: FeatureInfo
    offsets: IntArray
    values: FloatArray
    observed: BoolArray
    times: NDArray[np.float64]

    @property
    def counts(self) -> IntArray:
        """Rows per clip, [clips]."""
        return np.diff(self.offsets)

    def count(self, rows: BoolArray) -> IntArray:
        """Count the rows of every clip that are True, [clips]."""
        return np.diff(np.concatenate([[0], np.cumsum(rows)])[self.offsets])

    def rows(self, clip: int) -> slice:
        """Where the rows of one clip are."""
        return slice(int(self.offsets[clip]), int(self.offsets[clip + 1]))

    def select(self, rows: Sequence[IntArray]) -> Self:
        """Return the clips made of the given rows, one index array per clip."""
        index = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
        columns = {
            column.name: getattr(self, column.name)[index]
            for column in fields(self)
            if column.name not in ("info", "offsets")
        }
        offsets = np.cumsum([0, *(len(of_clip) for of_clip in rows)], dtype=np.int64)
        return replace(self, offsets=offsets, **columns)

    def take(self, clips: Sequence[int] | IntArray) -> Self:
        """Return the given clips, in the given order."""
        return self.select(
            [np.arange(self.offsets[i], self.offsets[i + 1], dtype=np.int64) for i in clips]
        )

    def cut(self, length: int) -> Self:
        """Return the first `length` rows of every clip."""
        if self.counts.max(initial=0) <= length:
            return self
        starts, ends = self.offsets[:-1], self.offsets[1:]
        return self.select(
            [np.arange(a, min(a + length, b)) for a, b in zip(starts, ends, strict=True)]
        )


@dataclass(frozen=True)
class TextFeatures(ModalityFeatures):
    """Language: hidden states [rows, D], or [rows, 0] where they are not known, and tokens.

    Attributes
    ----------
    token_ids : array, [rows] int64
    special : array, [rows] bool
        [CLS] and [SEP]; every other token is content.
    """

    token_ids: IntArray
    special: BoolArray

    def completeness(self) -> NDArray[np.float64]:
        """Content tokens left / content tokens there were, [clips]; 0 where there were no words.

        The target of w (arXiv 2409.20012).
        """
        left, there = self.count(self.observed & ~self.special), self.count(~self.special)
        return left / np.maximum(there, 1)

    def cut(self, length: int) -> Self:
        """Return sentences of at most `length` tokens, the closing [SEP] kept."""
        if self.counts.max(initial=0) <= length:
            return self
        rows = []
        for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            kept = np.arange(start, min(start + length, end))
            if end - start > length:
                kept[-1] = end - 1
            rows.append(kept)
        return self.select(rows)


@dataclass(frozen=True)
class FeatureSet:
    """Clips with their three modalities and, where known, their labels.

    Attributes
    ----------
    clip_ids : tuple of str
    text, audio, vision : ModalityFeatures
    labels : array, [clips] float32, optional
    groups : tuple of str, optional
        Whose every clip is, a speaker's or a video's.
    """

    clip_ids: tuple[str, ...]
    text: TextFeatures
    audio: ModalityFeatures
    vision: ModalityFeatures
    labels: FloatArray | None = None
    groups: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.clip_ids)

    def modality(self, name: str) -> ModalityFeatures:
        """Return one modality by name."""
        modality: ModalityFeatures = getattr(self, name)
        return modality

    def take(self, clips: Sequence[int] | IntArray) -> FeatureSet:
        """Return the given clips, in the given order."""
        chosen = np.asarray(clips, dtype=np.int64)
        return FeatureSet(
            tuple(self.clip_ids[i] for i in clips),
            self.text.take(clips),
            self.audio.take(clips),
            self.vision.take(clips),
            None if self.labels is None else self.labels[chosen],
            None if self.groups is None else tuple(self.groups[i] for i in clips),
        )

    def longer_than(self, lengths: Lengths) -> dict[str, BoolArray]:
        """Say per modality which clips have more rows than the model reads, [clips] bool."""
        return {m: self.modality(m).counts > getattr(lengths, m) for m in MODALITIES}

    def cut(self, lengths: Lengths) -> FeatureSet:
        """Return the clips without the rows beyond `lengths`; a sentence keeps its [SEP]."""
        return replace(
            self,
            text=self.text.cut(lengths.text),
            audio=self.audio.cut(lengths.audio),
            vision=self.vision.cut(lengths.vision),
        )

    def observed_shares(self) -> dict[str, NDArray[np.float64]]:
        """Share of rows observed per modality, [clips] in 0 to 1; 0 where there are no rows.

        Of text, the share of content tokens.
        """
        audio, vision = (
            m.count(m.observed) / np.maximum(m.counts, 1) for m in (self.audio, self.vision)
        )
        return {"text": self.text.completeness(), "audio": audio, "vision": vision}

    def observed_share(self) -> NDArray[np.float64]:
        """Mean of `observed_shares` over the modalities, [clips] in 0 to 1; 0: nothing at all."""
        return np.mean([*self.observed_shares().values()], axis=0)

    def known_labels(self) -> FloatArray:
        """Return the labels, [clips].

        Raises
        ------
        ValueError
            If a clip has none.
        """
        if self.labels is None:
            raise ValueError("these features were read without labels: pass the manifest's split")
        unknown = [c for c, label in zip(self.clip_ids, self.labels, strict=True) if label != label]
        if unknown:
            raise ValueError(
                f"{len(unknown)} clips have no label ({', '.join(unknown[:5])}): label them, or "
                "take them out of the dataset"
            )
        return self.labels
