"""Do intervals hold as many labels as they are to, and are the answers that are kept the better?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lnln.evaluation.resampling import bootstrap_weights, percentiles, units
from lnln.evaluation.table import Slice

Array = NDArray[np.float64]

SHARES = tuple(share / 10 for share in range(10, 0, -1))  # of the answers that are kept


class AtRate(NamedTuple):
    """The intervals of one model at one missing rate.

    Attributes
    ----------
    rate : float
    covered : float
        Share of the answers whose interval holds the label.
    covered_interval : list of float or None
        Bootstrap 95 % interval of it, over clips.
    width : float
        Mean width of the intervals.
    """

    rate: float
    covered: float
    covered_interval: list[float] | None
    width: float


class Kept(NamedTuple):
    """The answers of one model that are kept when the least confident are left out.

    Attributes
    ----------
    share : float
        How many are kept.
    mae : float
        Mean absolute error of those.
    covered : float
        Share of those whose interval holds the label; nothing is promised of a part.
    width : float
        Greatest width of an interval among them.
    """

    share: float
    mae: float
    covered: float
    width: float


class Confidence(NamedTuple):
    """What became of the intervals of one model under one pattern of missing data.

    Attributes
    ----------
    model : str
    level : float
        Share of the labels that the intervals are to hold.
    rates : list of AtRate
        Ascending.
    kept : list of Kept
        Of all these rates together, each of which counts the same; the whole first.
    """

    model: str
    level: float
    rates: list[AtRate]
    kept: list[Kept]

    def asdict(self) -> dict[str, Any]:
        """Return it as plain values, with the means over the rates."""
        return {
            "level": self.level,
            "covered": float(np.mean([at.covered for at in self.rates])),
            "width": float(np.mean([at.width for at in self.rates])),
            "rates": [at._asdict() for at in self.rates],
            "kept": [row._asdict() for row in self.kept],
        }


def confidences(
    answers: Iterable[Slice], pattern: str, rates: Collection[float], *, seed: int, resamples: int
) -> list[Confidence]:
    """Compare the intervals of every model with the labels.

    Parameters
    ----------
    answers : iterable of Slice
        In the order of `lnln.evaluation.table.slices`.
    pattern : str
    rates : collection of float
    seed, resamples : int
        Of the bootstrap; no intervals without resamples.

    Returns
    -------
    list of Confidence
        Of the models that have intervals. What nothing was left of has none, and is left out.
    """
    asked = [
        s
        for s in answers
        if s.condition.pattern == pattern
        and s.condition.rate in rates
        and np.isfinite(s.level).any()
    ]
    found = []
    for groups, same in groupby(asked, lambda s: tuple(s.group)):
        weights = bootstrap_weights(units(groups), resamples, seed)
        for model, own in groupby(same, lambda s: s.model):
            by_rate: dict[float, list[Slice]] = {}
            for s in own:
                by_rate.setdefault(s.condition.rate, []).append(s)
            several = [by_rate[rate] for rate in sorted(by_rate)]
            level = float(np.nanmax(several[0][0].level))
            at = [_at_rate(draws, weights) for draws in several]
            found.append(Confidence(model, level, at, _kept(several)))
    return found


def _at_rate(same: Sequence[Slice], weights: Array) -> AtRate:
    """Sum up the draws and seeds of one rate; a clip is drawn with all answers to it."""
    has = np.stack([np.isfinite(s.low) for s in same])
    inside = np.stack([_inside(s) for s in same])
    with np.errstate(invalid="ignore"):  # a resample may hold no answer at all
        covered = (inside.sum(axis=0) @ weights) / (has.sum(axis=0) @ weights)
    ends = percentiles(covered[1:])
    width = np.concatenate([_width(s) for s in same])
    return AtRate(
        same[0].condition.rate, float(covered[0]), ends and [*ends], float(np.nanmean(width))
    )


def _kept(by_rate: Sequence[Sequence[Slice]]) -> list[Kept]:
    columns = []
    for same in by_rate:
        width = np.concatenate([_width(s) for s in same])
        error = np.concatenate([np.abs(s.prediction - s.label) for s in same])
        inside = np.concatenate([_inside(s) for s in same]).astype(float)
        has = np.isfinite(width)
        columns.append((width[has], error[has], inside[has], np.full(has.sum(), 1 / has.sum())))
    width, error, inside, weight = (np.concatenate(c) for c in zip(*columns, strict=True))
    return kept(width, error, inside, weight)


def kept(
    width: Array, error: Array, inside: Array, weight: Array, shares: Sequence[float] = SHARES
) -> list[Kept]:
    """Judge the answers with the narrowest intervals.

    Of answers whose intervals are equally wide none is preferred: where some of them are kept,
    their means count.

    Parameters
    ----------
    width, error, inside, weight : array, [answers]
        `inside` is 1 where the interval holds the label, else 0.
    shares : sequence of float
        How much of the whole weight is kept, each above 0 and at most 1.
    """
    widths, places = np.unique(width, return_inverse=True)

    def summed(values: Array) -> Array:
        return np.concatenate([[0.0], np.cumsum(np.bincount(places, values))])

    weights, errors, covered = summed(weight), summed(weight * error), summed(weight * inside)
    found = []
    for share in shares:
        own = share * weights[-1]
        last = int(np.searchsorted(weights, own * (1 - 1e-12)))  # sums of weights are rounded
        mae, held = (float(np.interp(own, weights, values) / own) for values in (errors, covered))
        found.append(Kept(share, mae, held, float(widths[last - 1])))
    return found


def _inside(answers: Slice) -> NDArray[np.bool_]:
    return (answers.low <= answers.label) & (answers.label <= answers.high)


def _width(answers: Slice) -> Array:
    """Width of intervals, without the digits that single precision lacks."""
    return np.round(answers.high - answers.low, 4)
