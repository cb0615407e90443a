"""How well an encoder rates sentences that it was not tuned on, beside what it has to beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.metrics import correlation
from lnln.layers.pooled import average
from lnln.tuning.run import READ_AT_ONCE, rate, tune
from lnln.tuning.sentences import FloatArray, Sentences, batch
from lnln.tuning.settings import TuningSettings

SEED = 0  # of the words that are lost when it is judged
PENALTIES = 10.0 ** np.arange(-1, 6)  # of the ridge, chosen by leave-one-out

Rater = Callable[[Sentences, float], FloatArray]  # sentences, share of the words that is lost


class Judged(NamedTuple):
    """What ratings are worth at one rate.

    Attributes
    ----------
    lost : float
        Share of the words that is lost.
    mae : float
        On a scale of -3 to 3.
    corr : float or None
        None where the ratings are all the same.
    """

    lost: float
    mae: float
    corr: float | None


def judge(sentences: Sentences, rates: Sequence[float], rater: Rater) -> list[Judged]:
    """Compare ratings with those of people, at each share of lost words."""
    rows = []
    for lost in rates:
        said = rater(sentences, lost)
        error = 3 * float(np.abs(said - sentences.ratings).mean())
        rows.append(Judged(lost, error, correlation(said, sentences.ratings)))
    return rows


def tuned(folder: Path, seen: Sentences, settings: TuningSettings) -> Rater:
    """Tune an encoder on some sentences."""
    model = tune(folder, seen, settings).model
    return lambda sentences, lost: rate(model, sentences, lost, seed=SEED)


def ridge(folder: Path, seen: Sentences) -> Rater:
    """Fit a ridge regression on the mean states of the encoder as it is, half with words lost."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    encoder = FrozenLanguageEncoder.from_folder(folder)
    lost = np.where(np.arange(len(seen)) % 2, np.random.default_rng(SEED).random(len(seen)), 0)
    line = make_pipeline(StandardScaler(), RidgeCV(PENALTIES))
    line.fit(_means(encoder, seen, lost), seen.ratings)

    def said(sentences: Sentences, share: float) -> FloatArray:
        rated: FloatArray = line.predict(_means(encoder, sentences, np.full(len(sentences), share)))
        return rated

    return said


def constant(seen: Sentences) -> Rater:
    """Answer the median of the ratings."""
    median = float(np.median(seen.ratings))
    return lambda sentences, lost: np.full(len(sentences), median)


@torch.inference_mode()
def _means(encoder: FrozenLanguageEncoder, sentences: Sentences, lost: FloatArray) -> FloatArray:
    """Average the states of the words that are left, [sentences, D]."""
    generator = np.random.default_rng(SEED)
    means = np.zeros((len(sentences), encoder.width))
    order = np.argsort([len(s) for s in sentences.ids], kind="stable")
    for start in range(0, len(order), READ_AT_ONCE):
        chosen = order[start : start + READ_AT_ONCE]
        shown = batch(sentences.take(chosen), lost[chosen], generator)
        states = encoder(shown.ids, shown.mask)
        means[chosen] = average(states, shown.content).double().numpy()
    return means
