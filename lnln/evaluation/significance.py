"""Could chance alone have parted two models: intervals, permutations, and Holm's correction.

With one seed of training, the p-value is that of a paired permutation test: if the two models were
alike, it would not matter which of them gave which of the two answers to a group of clips (Noreen,
"Computer-Intensive Methods for Testing Hypotheses", 1989; Yeh, "More accurate tests for the
statistical significance of result differences", COLING 2000). It holds for any metric, and tells
about these two trained models, on other clips.

With several seeds it tells about training, too: clips and seeds are two crossed random factors.
The squares of both standard errors are added, that of the clips by a paired bootstrap, that of the
seeds from the difference of every pair of seeds; t has the degrees of freedom of Clark's min F'
("The language-as-fixed-effect fallacy", Journal of Verbal Learning and Verbal Behavior 12, 1973,
p. 347), and the interval belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from lnln.evaluation.by_model import ModelAnswers
from lnln.evaluation.curves import Curve, curves
from lnln.evaluation.resampling import CONFIDENCE, Units, exchanges
from lnln.settings import MetricSet

Values = NDArray[np.float64]

_AT_ONCE = 1000  # permutations


class Tested(NamedTuple):
    """Ends of the interval of a difference, and its p-value; None where there is none."""

    low: float | None
    high: float | None
    p: float | None


def crossed(differences: Values, drawn: Units) -> Tested:
    """Interval and p-value where clips and seeds are both random.

    Parameters
    ----------
    differences : ndarray, [seeds, 1 + resamples]
        Of every pair of seeds, on the clips themselves and on each resample of them.
    drawn : Units
        What a resample draws.
    """
    by_seed, resampled = differences[:, 0], differences[:, 1:].mean(axis=0)
    resampled = resampled[~np.isnan(resampled)]
    mean, seeds, count = float(by_seed.mean()), len(by_seed), drawn.count
    if np.isnan(mean) or len(resampled) < 2 or count < 2:
        return Tested(None, None, None)
    # The bootstrap's variance is that of a sample about its own mean: (n - 1) / n of the true one.
    of_clips = float(np.var(resampled, ddof=1)) * count / (count - 1)
    of_seeds = float(np.var(by_seed, ddof=1)) / seeds
    both = of_clips + of_seeds
    if both == 0:
        return Tested(mean, mean, 1.0 if mean == 0 else 2.0 ** (1 - count))
    freedom = both**2 / (of_clips**2 / (count - 1) + of_seeds**2 / (seeds - 1))
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * both**0.5
    p = 2 * float(stdtr(freedom, -abs(mean) / both**0.5))  # Student's t
    return Tested(mean - half, mean + half, max(p, 2.0 ** (1 - count)))


def permuted(
    a: ModelAnswers,
    b: ModelAnswers,
    drawn: Units,
    metric: str,
    metric_set: MetricSet,
    permutations: int,
    seed: int,
) -> Curve:
    """Compute the curve of the difference after each exchange of answers, the first being none.

    The answers of both models stand side by side, as if each clip were two, of which either the
    one or the other has weight 1 and its twin 0.

    Parameters
    ----------
    a, b : ModelAnswers
        Of one seed each.
    drawn : Units
        What is exchanged as a whole.
    metric : str
    metric_set : {"mosi", "sims"}
    permutations, seed : int

    Returns
    -------
    Curve
        Values [1, 1 + permutations, rates], of `a` minus `b`.
    """
    both = replace(
        a,
        label=np.concatenate([a.label, a.label]),
        prediction=np.concatenate([a.prediction, b.prediction], axis=-1),
    )
    exchanged = exchanges(drawn, permutations, seed)
    parts = []
    for start in range(0, exchanged.shape[1], _AT_ONCE):
        part = exchanged[:, start : start + _AT_ONCE].astype(np.float64)
        mine, other = (
            curves(both, np.concatenate(weights), metric_set, [metric])[metric]
            for weights in ((1 - part, part), (part, 1 - part))
        )
        parts.append(mine.values - other.values)
    return Curve(a.name, metric, a.rates, np.concatenate(parts, axis=1))


def permutation_p(values: Values) -> float | None:
    """Two-sided p-value: the share of exchanges that part the models as much as they are parted.

    What is observed counts as one of them, so that p is never 0 (Phipson and Smyth,
    "Permutation P-values should never be zero", 2010). An exchange that leaves the metric
    undefined counts as one of them, too.

    Parameters
    ----------
    values : ndarray, [1 + permutations]
        The difference as it is, and after each exchange.
    """
    observed, exchanged = abs(values[0]), np.abs(values[1:])
    if np.isnan(observed):
        return None
    least = observed * (1 - 1e-9)  # sums of other orders differ in their last digits
    return float((1 + (~(exchanged < least)).sum()) / (1 + len(exchanged)))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for their number, as Holm does.

    The smallest is multiplied by their number m, the next by m - 1, ..., and none is less than one
    before it (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6, 1979). What was not tested, None, does not count.
    """
    corrected: list[float | None] = [None] * len(p_values)
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    highest = 0.0
    for rank, (p, place) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        corrected[place] = highest
    return corrected
