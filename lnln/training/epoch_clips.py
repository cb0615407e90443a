"""What one epoch of training passes over: the training clips, and its share of sentences."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lnln.data.features import FeatureSet
from lnln.data.joining import join
from lnln.data.language import LanguageEncoder
from lnln.data.sentences import Sentences
from lnln.missing.dropping import SentenceCache, drop, with_states
from lnln.missing.masks import Masks, training_masks, uniforms
from lnln.models.interface import Estimator, Model
from lnln.settings import TrainSettings


@dataclass(frozen=True)
class EpochClips:
    """The clips of one epoch, numbered: first those of the training split, then sentences.

    Attributes
    ----------
    clips : FeatureSet
        The training split, as in every epoch.
    sentences : FeatureSet or None
        Those of this epoch.
    masks : mapping of clip_id to Kept
        Of all of them, drawn for this epoch.
    rates : dict of str to float
        Rate at which each lost its language.
    """

    clips: FeatureSet
    sentences: FeatureSet | None
    masks: Masks
    rates: dict[str, float]

    @classmethod
    def draw(
        cls, clips: FeatureSet, further: Sequence[Sentences], *, seed: int, epoch: int
    ) -> Self:
        """Draw the sentences and the masks of an epoch, counted from 1."""
        masks, rates = training_masks(clips, seed=seed, epoch=epoch)
        drawn = [_drawn(corpus, len(clips), seed=seed, epoch=epoch) for corpus in further]
        if not drawn:
            return cls(clips, None, masks, rates)
        sentences = join(drawn)
        more_masks, more_rates = training_masks(sentences, seed=seed, epoch=epoch)
        return cls(clips, sentences, masks | more_masks, rates | more_rates)

    def __len__(self) -> int:
        return len(self.clips) + (len(self.sentences) if self.sentences else 0)

    def names(self, batch: NDArray[np.int64]) -> list[str]:
        """Return the clip_ids of some of them."""
        names = self.clips.clip_ids + (self.sentences.clip_ids if self.sentences else ())
        return [names[i] for i in batch]

    def incomplete(
        self,
        batch: NDArray[np.int64],
        encoder: LanguageEncoder | None,
        cache: SentenceCache | None = None,
    ) -> FeatureSet:
        """Return some of them under their masks, in the given order.

        Parameters
        ----------
        batch : array, [B] int64
        encoder : LanguageEncoder, optional
            Computes the hidden states of masked sentences, and those that are not stored. Without
            it those of none are known, unless everything is stored and nothing lost.
        cache : SentenceCache, optional
            Of the rated sentences, half of which lose nothing: `complete` need not encode these.
        """
        clips, sentences, back = self._parted(batch)
        clips = drop(clips, self.masks, encoder)
        if sentences is None:
            return clips
        return join([clips, drop(sentences, self.masks, encoder, cache)]).take(back)

    def complete(
        self,
        batch: NDArray[np.int64],
        encoder: LanguageEncoder | None,
        cache: SentenceCache | None = None,
    ) -> FeatureSet:
        """Return some of them as they are, see `incomplete`."""
        clips, sentences, back = self._parted(batch)
        if sentences is None:
            return clips
        return join([clips, with_states(sentences, encoder, cache)]).take(back)

    def _parted(
        self, batch: NDArray[np.int64]
    ) -> tuple[FeatureSet, FeatureSet | None, NDArray[np.int64]]:
        """Clips and sentences of a batch, and how the two have to be put in its order."""
        of_clips = batch < len(self.clips)
        clips = self.clips.take(batch[of_clips])
        if self.sentences is None or of_clips.all():
            return clips, None, batch
        back = np.argsort(np.argsort(~of_clips, kind="stable"), kind="stable")
        return clips, self.sentences.take(batch[~of_clips] - len(self.clips)), back


def sets_to_fit(
    model: Estimator,
    clips: FeatureSet,
    further: Sequence[Sentences],
    settings: TrainSettings,
    encoder: LanguageEncoder | None,
) -> Iterator[FeatureSet]:
    """Yield what a model is fitted on at once: what a network would pass over, epoch by epoch."""
    if not model.needs_masks and not further:
        yield clips
        return
    epochs = range(1, settings.epochs + 1 if model.needs_masks else 2)
    for epoch in tqdm(epochs, desc="fit", unit="epoch", disable=None):
        passed = EpochClips.draw(clips, further, seed=settings.seed, epoch=epoch)
        read = passed.incomplete if model.needs_masks else passed.complete
        yield read(np.arange(len(passed), dtype=np.int64), encoder)


def taken(kind: type[Model], further: Sequence[Sentences]) -> Sequence[Sentences]:
    """Return the sentences that a kind of model trains with: all, or none with a warning.

    A model that reads no text takes none, and nobody expects it to.
    """
    if further and kind.reads_text and not kind.takes_sentences:
        warnings.warn(
            f"{kind.__name__} keeps something of every training clip and trains without the "
            f"sentences of {', '.join(corpus.name for corpus in further)}",
            stacklevel=3,
        )
    return further if kind.reads_text and kind.takes_sentences else ()


def _drawn(corpus: Sentences, clips: int, *, seed: int, epoch: int) -> FeatureSet:
    """Draw a corpus' sentences of one epoch.

    They are cut from one long row of shuffles of the corpus, each epoch where the one before
    ended: no sentence comes again before all have come, and an epoch needs to know of no other.
    """
    count, there = corpus.per_epoch(clips), len(corpus.clips)
    places = np.arange((epoch - 1) * count, epoch * count)
    orders = {
        turn: _shuffled(there, seed=seed, turn=turn, name=corpus.name)
        for turn in np.unique(places // there).tolist()
    }
    return corpus.clips.take([int(orders[place // there][place % there]) for place in places])


def _shuffled(count: int, *, seed: int, turn: int, name: str) -> NDArray[np.int64]:
    draws = uniforms(
        count, seed=seed, purpose="sentences", epoch=turn, clip_id=name, modality="text"
    )
    return np.argsort(draws, kind="stable")
