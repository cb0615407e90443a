"""Rules by which rows of a clip are lost.

A rule says, for one modality of one clip and a missing rate r, which rows are lost: none at r = 0,
all at r = 1, and in between the share r of them in expectation. A row that is lost at one rate is
lost at every greater one.

Rules add, multiply, divide and compare; these give the same bits on every machine, as a logarithm
would not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.schemas import MODALITIES, Modality

BURST = 0.1  # mean length of a burst, as a share of the clip's rows
LEAST_BURST = 2.0  # and at least, in rows
WINDOW_S = 0.5  # the modalities lose or keep such a stretch of time together
USUAL_S = 4.0  # length of a clip without known times: about the mean of CMU-MOSI's utterances
BELOW_1 = 1 - 2.0**-53

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Stream(Protocol):
    """A source of random numbers in [0, 1) of one clip; more of them begin with the same ones.

    `modality` names the numbers, and may be another name for those that modalities share.
    """

    def __call__(self, count: int, *, modality: str) -> Floats: ...


@dataclass(frozen=True)
class Clip:
    """What a rule knows of a clip.

    Attributes
    ----------
    content : mapping of str to array, [rows] bool
        By modality, which rows can be lost: all but the special tokens.
    times : mapping of str to array, [rows] float64
        By modality, the middle of every row, s; NaN where unknown.
    stream : Stream
    """

    content: Mapping[Modality, Bools]
    times: Mapping[Modality, Floats]
    stream: Stream

    def draws(self, modality: Modality) -> Floats:
        """Draw a number in [0, 1) for every content row."""
        content = self.content[modality]
        return self.stream(len(content), modality=modality)[content]

    def seconds(self, modality: Modality) -> Floats:
        """Return the middle of every content row, s.

        Rows without a known time are taken as spread evenly over the clip, up to the last time
        that is known of any row, or over `USUAL_S` where none is.
        """
        known = np.concatenate([t[np.isfinite(t)] for t in self.times.values()])
        duration = max(float(known.max(initial=0.0)), 0.0) or USUAL_S
        times = self.times[modality][self.content[modality]]
        spread = (np.arange(len(times)) + 0.5) / max(len(times), 1) * duration
        return np.maximum(np.where(np.isfinite(times), times, spread), 0.0)


Rule = Callable[[Clip, Modality, float], Bools]  # which content rows are lost


def independent(clip: Clip, modality: Modality, rate: float) -> Bools:
    """Lose each row with probability r."""
    return clip.draws(modality) < rate


def unequal(clip: Clip, modality: Modality, rate: float) -> Bools:
    """Lose each row with the probability of its modality, see `rates_of`."""
    return clip.draws(modality) < rates_of(clip, rate)[modality]


def rates_of(clip: Clip, rate: float) -> dict[Modality, float]:
    """Draw a missing rate for each modality of a clip, whose mean is `rate`.

    What is lost, three times `rate`, is shared out in proportions that are drawn for the clip. A
    modality cannot lose more than everything; the others lose what is over.
    """
    weights = 1 - clip.stream(len(MODALITIES), modality="rates")  # none of them 0
    rates = np.ones(len(MODALITIES))
    free = np.ones(len(MODALITIES), dtype=bool)
    while free.any():
        left = len(MODALITIES) * rate - (~free).sum()
        shares = np.where(free, left * weights / weights[free].sum(), 0.0)
        if not (shares >= 1).any():
            rates[free] = np.maximum(shares[free], 0.0)
            break
        free &= shares < 1
    return dict(zip(MODALITIES, rates.tolist(), strict=True))


def block(at: float | None) -> Rule:
    """Make a rule that loses one stretch of the clip, which grows from a point to both ends.

    Parameters
    ----------
    at : float or None
        The point, from 0, the beginning, to 1, the end; None: drawn per clip and modality. At r
        the stretch is r long and begins at `at * (1 - r)`, in lengths of the clip.
    """

    def lost(clip: Clip, modality: Modality, rate: float) -> Bools:
        count = int(clip.content[modality].sum())
        offset, drawn = clip.stream(2, modality=modality)
        point = drawn if at is None else at
        # Each row is a point inside it, all by the same offset: the stretch then covers r times
        # `count` of them in expectation, also where that is no whole number.
        rows = np.minimum((np.arange(count) + offset) / max(count, 1), BELOW_1)
        reached = np.abs(rows - point) / np.where(rows < point, point, 1 - point)
        return np.minimum(reached, BELOW_1) < rate

    return lost


def bursts(clip: Clip, modality: Modality, rate: float) -> Bools:
    """Lose several short stretches, by a Markov chain with the states lost and kept.

    The chain is Gilbert's (1960): it begins with r, the share of lost rows, and a burst has on
    average the share `BURST` of the clip's rows. Where r leaves no room for kept rows between such
    bursts, rows are lost independently, which makes bursts of 1 / (1 - r) rows.
    """
    draws = clip.draws(modality)
    if not len(draws):
        return draws < rate
    length = max(BURST * len(draws), LEAST_BURST)
    begins = rate / max(length * (1 - rate), 1.0)  # probability that a kept row is followed by loss
    goes_on = max(1 - 1 / length, rate)  # and a lost one; never less than `begins`
    # A draw below both probabilities says lost, one above both kept, one between: as the row before
    lost, settled = draws < begins, (draws < begins) | (draws >= goes_on)
    lost[0], settled[0] = draws[0] < rate, True
    return lost[np.maximum.accumulate(np.where(settled, np.arange(len(draws)), 0))]


def synchronous(clip: Clip, modality: Modality, rate: float) -> Bools:
    """Lose the same stretches of `WINDOW_S` in all modalities, each with probability r.

    A row or word is lost where its middle is, see `Clip.seconds`.
    """
    windows = (clip.seconds(modality) / WINDOW_S).astype(np.int64)
    draws = clip.stream(int(windows.max(initial=-1)) + 1, modality="seconds")
    return draws[windows] < rate


def nothing(clip: Clip, modality: Modality, rate: float) -> Bools:
    """Lose nothing, whatever r."""
    return np.zeros(int(clip.content[modality].sum()), dtype=bool)
