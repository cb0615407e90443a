"""Rated sentences as word pieces, in batches, with words lost at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

POOL = 20  # batches within which sentences are sorted by length

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Sentences:
    """Sentences as word pieces, [CLS] and [SEP] included, and their ratings.

    Attributes
    ----------
    ids : list of array, [tokens] int64
    ratings : array, [sentences] float64
        From -1 to 1.
    pad_id : int
    """

    ids: list[NDArray[np.int64]]
    ratings: FloatArray
    pad_id: int

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, chosen: Sequence[int] | NDArray[np.int64]) -> Sentences:
        """Return some of them, in the given order."""
        return replace(self, ids=[self.ids[i] for i in chosen], ratings=self.ratings[chosen])


class Batch(NamedTuple):
    """Sentences padded into tensors.

    Attributes
    ----------
    ids : Tensor, [B, L] int64
        A lost word piece is [PAD].
    mask : Tensor, [B, L] bool
        False for padding.
    content : Tensor, [B, L] bool
        Word pieces that are left, without [CLS] and [SEP].
    ratings : Tensor, [B]
    """

    ids: Tensor
    mask: Tensor
    content: Tensor
    ratings: Tensor


def tokenise(folder: Path, texts: Sequence[str], ratings: FloatArray, longest: int) -> Sentences:
    """Split sentences into the word pieces of a language model.

    Parameters
    ----------
    folder : Path
        Of the language model, with its tokenizer.
    texts : sequence of str
    ratings : array, [sentences]
        From -1 to 1.
    longest : int
        Tokens kept of a sentence.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    encoded = tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]
    ids = [np.asarray(sentence, np.int64) for sentence in encoded]
    return Sentences(ids, np.asarray(ratings, np.float64), int(tokenizer.pad_token_id))


def batch(sentences: Sentences, rates: FloatArray, generator: np.random.Generator) -> Batch:
    """Pad sentences, of which each loses its word pieces with a probability of its own.

    Parameters
    ----------
    sentences : Sentences
    rates : array, [sentences]
        Share of the word pieces that are lost, 0 to 1.
    generator : np.random.Generator
    """
    counts = np.array([len(sentence) for sentence in sentences.ids])
    places = np.arange(counts.max())
    mask = places < counts[:, None]
    ids = np.full(mask.shape, sentences.pad_id)
    ids[mask] = np.concatenate(sentences.ids)
    special = (places == 0) | (places == counts[:, None] - 1)
    lost = mask & ~special & (generator.random(mask.shape) < rates[:, None])
    ids[lost] = sentences.pad_id
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(mask),
        torch.from_numpy(mask & ~special & ~lost),
        torch.from_numpy(sentences.ratings.astype(np.float32)),
    )


def shuffled(
    sentences: Sentences, size: int, generator: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield the sentences of every batch of an epoch, of like length, in random order."""
    order = generator.permutation(len(sentences))
    counts = np.array([len(sentence) for sentence in sentences.ids])
    batches = []
    for pool in np.array_split(order, max(1, len(order) // (size * POOL))):
        by_length = pool[np.argsort(counts[pool], kind="stable")]
        batches += np.array_split(by_length, max(1, -(-len(by_length) // size)))
    for place in generator.permutation(len(batches)):
        yield batches[place]
