"""Rated sentences as clips of which only words are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.features import feature_info
from contracts.parquet import read_table
from lnln.data.features import FeatureSet, ModalityFeatures, TextFeatures


@dataclass(frozen=True)
class Sentences:
    """A corpus of rated sentences that a model trains with beside its training clips.

    Attributes
    ----------
    name : str
    clips : FeatureSet
        Their hidden states are not stored but computed when a model reads them.
    share : float
        Sentences per epoch, as a share of the training clips.
    """

    name: str
    clips: FeatureSet
    share: float

    def per_epoch(self, clips: int) -> int:
        """Count the sentences of an epoch with so many training clips; at least one."""
        return max(1, round(self.share * clips))


def read_sentences(path: Path, shares: Mapping[str, float], like: FeatureSet) -> list[Sentences]:
    """Read the sentences of the training split that a dataset trains with.

    Parameters
    ----------
    path : Path
        A table as `contracts.schemas.TRAINING_SENTENCES`.
    shares : mapping of str to float
        Sentences per epoch as a share of the training clips, by corpus; without any, nothing is
        read.
    like : FeatureSet
        The training clips, which say what features there are.

    Raises
    ------
    FileNotFoundError
        There is no such table.
    ValueError
        The sentences were cut into the word pieces of another text model than the clips', or a
        corpus has none to train with.
    """
    if not shares:
        return []
    table = read_table(path)
    theirs, ours = feature_info(table).fingerprint, like.text.info.fingerprint
    if theirs != ours:
        raise ValueError(
            f"{path}: its word pieces are those of other text features ({theirs[:12]}) than the "
            f"clips' ({ours[:12]}): run the stages `extract@text` and `sentences` again"
        )
    train = table.filter(pc.equal(table["split"], "train"))
    corpora = []
    for name, share in shares.items():
        own = train.filter(pc.equal(train["corpus"], name))
        if not len(own):
            raise ValueError(f"{path}: no sentence of {name} is in the split 'train'")
        corpora.append(Sentences(name, as_clips(own, like), share))
    return corpora


def as_clips(table: pa.Table, like: FeatureSet) -> FeatureSet:
    """Make clips of sentences: words that are all there, one unobserved row of voice and of face.

    Parameters
    ----------
    table : pa.Table
        As `contracts.schemas.TRAINING_SENTENCES`.
    like : FeatureSet
        Clips with the features of the result.

    Raises
    ------
    ValueError
        A sentence goes by the name of a clip.
    """
    names = zip(table["corpus"].to_pylist(), table["sentence_id"].to_pylist(), strict=True)
    clip_ids = tuple(f"{corpus}/{sentence_id}" for corpus, sentence_id in names)
    shared = set(clip_ids) & set(like.clip_ids)
    if shared:
        raise ValueError(f"{min(shared)!r} is a clip and a sentence: give the corpus another name")
    ids, special = (table[name].combine_chunks() for name in ("token_ids", "special"))
    offsets = ids.offsets.to_numpy().astype(np.int64)
    specials = special.flatten().to_numpy(zero_copy_only=False)
    text = TextFeatures(
        like.text.info,
        offsets - offsets[:1],
        np.empty((len(specials), 0), np.float32),
        ~specials,
        np.full(len(specials), np.nan),
        ids.flatten().to_numpy().astype(np.int64),
        specials,
    )
    labels = table["label"].to_numpy().astype(np.float32)
    return FeatureSet(
        clip_ids,
        text,
        _nothing(like.audio, len(table)),
        _nothing(like.vision, len(table)),
        labels,
    )


def _nothing(like: ModalityFeatures, clips: int) -> ModalityFeatures:
    """One row of a modality per clip, in which nothing was observed."""
    return ModalityFeatures(
        like.info,
        np.arange(clips + 1, dtype=np.int64),
        np.zeros((clips, like.values.shape[1]), np.float32),
        np.zeros(clips, bool),
        np.full(clips, np.nan),
    )
