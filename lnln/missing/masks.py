"""Which rows of a clip are kept: synthetic incompleteness by counter-based random numbers.

Every draw comes from a Philox generator keyed by (seed, purpose, epoch, clip, modality). A clip
therefore loses the same rows whatever the batch order, the number of workers or the machine;
audio and vision never share a draw; and because a row is kept where its draw is at least the
missing rate r, the rows kept at a higher rate are among those kept at a lower one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contracts.schemas import MODALITIES
from lnln.data.features import BoolArray, FeatureSet
from lnln.missing.patterns import PATTERNS, PatternName

MASK_SCHEMA = pa.schema(
    [
        ("draw", pa.int32()),
        ("clip_id", pa.string()),
        *((m, pa.list_(pa.bool_())) for m in MODALITIES),
    ]
)


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
    pattern: PatternName = "random",
    draw: int = 0,
) -> dict[str, Kept]:
    """Draw the masks a split is judged under.

    Parameters
    ----------
    features : FeatureSet
    rate : float
        Missing rate r, the probability that a row is dropped.
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
    whole, kind = PATTERNS[pattern]
    masks = {}
    for i, clip_id in enumerate(features.clip_ids):
        rows = {}
        for modality in MODALITIES:
            content = _content(features, modality, i)
            draws = uniforms(
                len(content),
                seed=seed,
                purpose=purpose,
                epoch=draw,
                clip_id=clip_id,
                modality=modality,
            )
            if kind == "stretch":
                draws = _stretch(draws, content)
            rows[modality] = (draws >= (1.0 if modality in whole else rate)) | ~content
        masks[clip_id] = Kept(**rows)
    return masks


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


def _stretch(draws: NDArray[np.float64], content: BoolArray) -> NDArray[np.float64]:
    """Turn draws into ones that make every rate drop one stretch of content rows.

    The stretch starts at a row that the first draw picks, grows with the rate, and goes on at the
    beginning of the clip when it reaches the end.
    """
    count = int(content.sum())
    if not count:
        return draws
    start = int(draws[0] * count)
    stretched = np.ones_like(draws)
    stretched[content] = ((np.arange(count) - start) % count + 0.5) / count
    return stretched


def to_table(draws: Sequence[Masks]) -> pa.Table:
    """Return masks as a table with draw, clip_id and one list of bool per modality."""
    rows = [
        {
            "draw": draw,
            "clip_id": clip_id,
            **{m: getattr(masks[clip_id], m).tolist() for m in MODALITIES},
        }
        for draw, masks in enumerate(draws)
        for clip_id in sorted(masks)
    ]
    return pa.Table.from_pylist(rows, schema=MASK_SCHEMA)


def from_table(table: pa.Table) -> list[dict[str, Kept]]:
    """Read back the draws from the table `to_table` made."""
    columns = (table[m].to_pylist() for m in MODALITIES)
    draws: dict[int, dict[str, Kept]] = {}
    for draw, clip_id, *rows in zip(
        table["draw"].to_pylist(), table["clip_id"].to_pylist(), *columns, strict=True
    ):
        kept = Kept(*(np.array(row, dtype=bool) for row in rows))
        draws.setdefault(draw, {})[clip_id] = kept
    return [draws[draw] for draw in sorted(draws)]
