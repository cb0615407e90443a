"""Which clips are drawn in a resample, and whose answers are exchanged in a permutation.

Clips of one speaker or video resemble each other, so that whole groups are drawn (the cluster
bootstrap: Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). A
handful of groups cannot stand for all that could have been drawn: rejection rates are wrong below
about ten (Cameron, Gelbach and Miller, "Bootstrap-based improvements for inference with clustered
errors", Review of Economics and Statistics 90(3), 2008), and single clips are drawn instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

CONFIDENCE = 0.95  # of every interval
FEWEST_GROUPS = 10  # with fewer, single clips are drawn


@dataclass(frozen=True)
class Units:
    """What is drawn as a whole.

    Attributes
    ----------
    kind : {"group", "clip"}
    count : int
    of_clip : array, [clips]
        The number of each clip's unit, from 0.
    """

    kind: Literal["group", "clip"]
    count: int
    of_clip: NDArray[np.int64]


def units(groups: Sequence[str] | NDArray[np.object_]) -> Units:
    """Draw groups where there are `FEWEST_GROUPS` or more, else single clips."""
    names, places = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    if len(names) >= FEWEST_GROUPS:
        return Units("group", len(names), places)
    return Units("clip", len(places), np.arange(len(places)))


def bootstrap_weights(drawn: Units, resamples: int, seed: int) -> Values:
    """Draw units with replacement, as many as there are.

    Parameters
    ----------
    drawn : Units
    resamples : int
    seed : int

    Returns
    -------
    array, [clips, 1 + resamples]
        How often each clip is drawn. The first column is not drawn: every clip once.
    """
    count = drawn.count
    places = _generator(seed).integers(0, count, (resamples, count))
    times = np.stack([np.bincount(row, minlength=count) for row in [np.arange(count), *places]])
    return times[:, drawn.of_clip].T.astype(np.float64)


def exchanges(drawn: Units, permutations: int, seed: int) -> NDArray[np.uint8]:
    """Draw for every unit whether two models exchange their answers to all of its clips.

    Returns
    -------
    array, [clips, 1 + permutations]
        1 where they do, else 0. The first column is not drawn: nothing is exchanged.
    """
    tossed = _generator(seed).integers(0, 2, (permutations, drawn.count), dtype=np.uint8)
    nothing = np.zeros((1, drawn.count), dtype=np.uint8)
    return np.concatenate([nothing, tossed])[:, drawn.of_clip].T


def percentiles(resampled: Values) -> tuple[float, float] | None:
    """Return the ends of the percentile interval; undefined resamples do not count.

    None without a defined resample.
    """
    defined = resampled[~np.isnan(resampled)]
    if not len(defined):
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))
