"""Clips padded into a batch of tensors, laid out as a model reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lnln.data.features import FeatureSet, ModalityFeatures
from lnln.settings import Shapes


class PaddedSequence(NamedTuple):
    """One modality of a batch.

    Attributes
    ----------
    values : Tensor, [B, L, D] float
        Feature rows. For text either hidden states, or token ids [B, L] int64, which the model's
        own language encoder reads. Padding is 0 ([PAD] in token ids), never NaN.
    mask : Tensor, [B, L] bool
        True for a row of the clip, False for padding. A missing row is True, unless the layout
        leaves missing rows of audio and vision out.
    observed : Tensor, [B, L] bool, optional
        False for a missing row and for padding. Where it is not given, nothing is missing.
    """

    values: Tensor
    mask: Tensor
    observed: Tensor | None = None

    @property
    def seen(self) -> Tensor:
        """Which rows were observed and not dropped, [B, L] bool."""
        return self.mask if self.observed is None else self.observed


class Inputs(NamedTuple):
    """The three modalities of a batch."""

    text: PaddedSequence
    audio: PaddedSequence
    vision: PaddedSequence


class Layout(NamedTuple):
    """What a model reads.

    Attributes
    ----------
    shapes : Shapes
        Feature widths and greatest lengths.
    text : {"states", "ids", "none"}
        Hidden states, which need not be computed anew for complete sentences; token ids, which
        the model's own language encoder reads; or nothing, so that no sentence is encoded.
    length : {"longest", "full"}
        Sequences are padded to the longest of the batch, or always to the greatest length.
    missing_rows : {"zeros", "left_out"}
        Missing rows of audio and vision are zeros like any other row, or left out like padding.
    features : {"z_scores", "raw"}
        Scale of audio and vision, see `lnln.data.normalisation`.
    """

    shapes: Shapes
    text: Literal["states", "ids", "none"] = "states"
    length: Literal["longest", "full"] = "longest"
    missing_rows: Literal["zeros", "left_out"] = "zeros"
    features: Literal["z_scores", "raw"] = "z_scores"


def collate(features: FeatureSet, layout: Layout) -> Inputs:
    """Pad clips into one batch.

    Raises
    ------
    ValueError
        If the model reads hidden states and those of masked sentences are not known.
    """
    shapes, text = layout.shapes, features.text
    if layout.text == "states" and text.values.shape[1] != shapes.text_dim:
        raise ValueError(
            f"text has hidden states {text.values.shape[1]} wide, the model reads "
            f"{shapes.text_dim}: give the language encoder, which computes those of masked "
            "sentences"
        )
    rows = [
        greatest if layout.length == "full" else int(modality.counts.max(initial=1))
        for greatest, modality in (
            (shapes.text_length, text),
            (shapes.audio_length, features.audio),
            (shapes.vision_length, features.vision),
        )
    ]
    tokens = (
        pad(text, text.token_ids, rows[0], text.info.pad_id or 0)
        if layout.text == "ids"
        else pad(text, text.values, rows[0])
    )
    audio = pad(features.audio, features.audio.values, rows[1])
    vision = pad(features.vision, features.vision.values, rows[2])
    if layout.missing_rows == "left_out":
        audio, vision = (s._replace(mask=s.seen) for s in (audio, vision))
    return Inputs(tokens, audio, vision)


def pad(
    modality: ModalityFeatures, column: np.ndarray, length: int, padding: int = 0
) -> PaddedSequence:
    """Pad one column of every clip to [clips, length, ...]."""
    mask = np.arange(length) < modality.counts[:, None]  # [clips, length]
    values = np.full((*mask.shape, *column.shape[1:]), padding, dtype=column.dtype)
    values[mask] = column
    observed = np.zeros_like(mask)
    observed[mask] = modality.observed
    return PaddedSequence(*(torch.from_numpy(array) for array in (values, mask, observed)))


def to_device(inputs: Inputs, device: torch.device) -> Inputs:
    """Move a batch; to a GPU from pinned memory, while the processor goes on."""

    def move(tensor: Tensor) -> Tensor:
        tensor = tensor.pin_memory() if device.type == "cuda" else tensor
        return tensor.to(device, non_blocking=True)

    return Inputs(
        *(PaddedSequence(move(v), move(m), None if o is None else move(o)) for v, m, o in inputs)
    )


def in_batches(order: Sequence[int] | np.ndarray, size: int) -> list[np.ndarray]:
    """Split clips into batches of at most `size` that differ by one clip at most.

    A remainder of a few clips would otherwise be a step as long as any other, and noisier.
    """
    return np.array_split(np.asarray(order, dtype=np.int64), max(1, -(-len(order) // size)))


def rows_of(features: FeatureSet) -> np.ndarray:
    """Count the rows of every clip over its modalities, [clips]."""
    return features.text.counts + features.audio.counts + features.vision.counts
