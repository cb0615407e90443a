"""Which rows of a clip are kept: synthetic incompleteness by counter-based random numbers.

Every draw comes from a Philox generator keyed by (seed, purpose, epoch, clip, modality). A clip
therefore loses the same rows whatever the batch order, the number of workers or the machine;
audio and vision never share a draw; and because a row is kept where its draw is at least the
missing rate r, the rows kept at a higher rate are among those kept at a lower one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts.schemas import MODALITIES
from lnln.data.features import BoolArray, FeatureSet
from lnln.missing.patterns import PATTERNS, Condition
from lnln.missing.rules import Clip


class Kept(NamedTuple):
    """Which rows of one clip are kept, [rows] bool per modality; special tokens always are."""

    text: BoolArray
    audio: BoolArray
    vision: BoolArray


Masks = Mapping[str, Kept]  # by clip_id


def uniforms(
    count: int, *, seed: int, purpose: str, epoch: int, clip_id: str, modality: str
) -> NDArray[np.float64]:
    """Draw `count` numbers in [0, 1) that depend on nothing but the arguments.

    The raw stream is used because numpy guarantees it across versions, as it does not guarantee
    what `Generator.random` makes of it.
    """
    name = json.dumps([seed, purpose, epoch, clip_id, modality])
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "little")
    raw = np.random.Philox(key=key).random_raw(count)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53  # the 53 bits of a double


def evaluation_masks(
    features: FeatureSet,
    rate: float,
    *,
    seed: int,
    purpose: str,
    pattern: str = "random",
    draw: int = 0,
) -> dict[str, Kept]:
    """Draw the masks a split is judged under.

    Parameters
    ----------
    features : FeatureSet
    rate : float
        Missing rate r, the share of rows that is dropped, in expectation.
    seed : int
    purpose : str
        The split, so that splits have masks of their own.
    pattern : str
        See `lnln.missing.patterns`.
    draw : int
        Masks of another draw are independent of these.

    Raises
    ------
    ValueError
        If the rate is not in 0 to 1, or the pattern is unknown.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"missing rate {rate} is not between 0 and 1")
    if pattern not in PATTERNS:
        raise ValueError(f"pattern {pattern!r} is not one of {', '.join(PATTERNS)}")
    _, rule, whole = PATTERNS[pattern]
    masks = {}
    for i, clip_id in enumerate(features.clip_ids):
        clip = Clip(
            content={m: _content(features, m, i) for m in MODALITIES},
            times={m: features.modality(m).times[features.modality(m).rows(i)] for m in MODALITIES},
            stream=partial(uniforms, seed=seed, purpose=purpose, epoch=draw, clip_id=clip_id),
        )
        rows = {}
        for modality in MODALITIES:
            kept = ~clip.content[modality]
            if modality not in whole:
                kept[clip.content[modality]] = ~rule(clip, modality, rate)
            rows[modality] = kept
        masks[clip_id] = Kept(**rows)
    return masks


def masks_under(
    conditions: Iterable[Condition], features: FeatureSet, *, seed: int, purpose: str
) -> dict[Condition, Masks]:
    """Draw the masks of several conditions, see `evaluation_masks`."""
    return {
        condition: evaluation_masks(
            features,
            condition.rate,
            seed=seed,
            purpose=purpose,
            pattern=condition.pattern,
            draw=condition.draw,
        )
        for condition in conditions
    }


def evenly(masks: Mapping[Condition, Masks]) -> list[Masks]:
    """List masks so that a mean over them is one over the rates, however many draws each has.

    Raises
    ------
    ValueError
        If the draws of a rate cannot be repeated to as many as another has.
    """
    by_rate: dict[float, list[Masks]] = {}
    for condition, drawn in masks.items():
        by_rate.setdefault(condition.rate, []).append(drawn)
    most = max(map(len, by_rate.values()))
    if any(most % len(draws) for draws in by_rate.values()):
        counts = ", ".join(f"{len(draws)} at {rate:g}" for rate, draws in by_rate.items())
        raise ValueError(f"these draws cannot be weighted evenly over the rates: {counts}")
    return [drawn for draws in by_rate.values() for drawn in draws * (most // len(draws))]


def training_masks(
    features: FeatureSet, *, seed: int, epoch: int
) -> tuple[dict[str, Kept], dict[str, float]]:
    """Draw the masks of one training epoch, and the rate at which each clip lost its language.

    Per modality, half of the clips stay complete and the other half lose rows at r ~ U(0, 1).
    """
    masks, rates = {}, {}
    for i, clip_id in enumerate(features.clip_ids):
        rows = {}
        for modality in MODALITIES:
            content = _content(features, modality, i)
            draws = uniforms(
                len(content) + 2,
                seed=seed,
                purpose="train",
                epoch=epoch,
                clip_id=clip_id,
                modality=modality,
            )
            rate = float(draws[1]) if draws[0] < 0.5 else 0.0
            rows[modality] = (draws[2:] >= rate) | ~content
            if modality == "text":
                rates[clip_id] = rate
        masks[clip_id] = Kept(**rows)
    return masks, rates


def _content(features: FeatureSet, modality: str, clip: int) -> BoolArray:
    """Say which rows of a clip may be dropped: all but the special tokens."""
    rows = features.modality(modality).rows(clip)
    if modality == "text":
        return ~features.text.special[rows]
    return np.ones(rows.stop - rows.start, dtype=bool)
