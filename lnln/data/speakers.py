"""A person is their own baseline: mean and deviation of voice and face by speaker.

How high a voice is, or how far apart two eyebrows are, says who speaks. How far they are from what
is usual for that person says how. A speaker's own statistics are computed from that speaker's
observed rows and nothing else. Few rows say little, so they are shrunk towards the training
split's, by what actuaries call credibility (Buehlmann, "Experience rating and credibility", ASTIN
Bulletin 4(3), 1967):

    z = n / (n + k),   statistic = z * own + (1 - z) * the split's

for mean and variance alike, n being the speaker's observed rows and k those that last `PRIOR_S`.
The k with which a mean is estimated best is the ratio of its variance within speakers to that
between them. More than that leaves single clips their sentiment, which a mean over them takes out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lnln.data.features import IntArray, ModalityFeatures

# Of eight people who acted emotions (the corpus `javanese`) that ratio is worth 9 s of voice and
# 5 s of face (medians over the features). A ridge regression that leaves one speaker out does
# equally well with 5 to 40 s where 24 clips of a speaker are there, and better the longer it is
# where one is.
PRIOR_S = 20.0
USUAL_S = 4.0  # length of a clip without known times, as in `lnln.missing.rules`

Matrix = NDArray[np.float64]


class Moments(NamedTuple):
    """Mean and deviation of every feature, [D] or, by speaker, [speakers, D]."""

    mean: Matrix
    deviation: Matrix


def prior_rows(modality: ModalityFeatures) -> float:
    """Say how many rows of a modality last `PRIOR_S`.

    Where no row has a time, as with features of MMSA, a clip counts as 4 s long.
    """
    clip = np.repeat(np.arange(len(modality.counts)), modality.counts)
    steps = np.diff(modality.times)[np.diff(clip) == 0]
    steps = steps[np.isfinite(steps)]
    if len(steps):
        return PRIOR_S / float(np.median(steps))
    return PRIOR_S / USUAL_S * max(1, len(clip)) / max(1, int((modality.counts > 0).sum()))


def by_speaker(
    modality: ModalityFeatures, speakers: IntArray, split: Moments, prior: float
) -> Moments:
    """Compute every speaker's moments.

    Parameters
    ----------
    modality : ModalityFeatures
        Observed rows alone are looked at.
    speakers : array, [clips] int64
        Number of the speaker of every clip, from 0.
    split : Moments
        Of the training split, [D].
    prior : float
        k, the rows that these are worth.

    Returns
    -------
    Moments
        [speakers, D]; those of the split for a speaker without an observed row. The deviation has
        no floor.

    Raises
    ------
    ValueError
        If an observed value is infinite.
    """
    seen = modality.observed
    values = modality.values[seen].astype(np.float64)
    if not np.isfinite(values).all():
        column = int(np.argwhere(~np.isfinite(values))[0, 1])
        raise ValueError(
            f"{modality.info.modality} feature {modality.info.names[column]!r} is infinite, and so "
            "no speaker has a mean of it: extract it anew, or train with normalisation=split"
        )
    counts = modality.count(seen)
    of_row = np.repeat(speakers, counts)
    # Sums over the rows of every clip, [clips, rows], then over the clips of every speaker.
    rows = csr_array(
        (np.ones(len(values)), np.arange(len(values)), np.concatenate([[0], np.cumsum(counts)])),
        shape=(len(counts), len(values)),
    )
    clips = csr_array(
        (np.ones(len(counts)), (speakers, np.arange(len(counts)))),
        shape=(int(speakers.max(initial=-1)) + 1, len(counts)),
    )
    n = (clips @ counts)[:, None]
    mean = clips @ (rows @ values) / np.maximum(n, 1)
    variance = clips @ (rows @ (values - mean[of_row]) ** 2) / np.maximum(n, 1)
    z = n / (n + prior)
    return Moments(
        split.mean + z * (mean - split.mean),
        np.sqrt(split.deviation**2 + z * (variance - split.deviation**2)),
    )
