"""A trained network judged on the test split, beside the floors it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lnln.checkpoints.checkpoint import Checkpoint
from lnln.data.batches import Recall, check_language, incomplete
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation import metrics
from lnln.evaluation.floors import RidgeFloor, constant, fit_ridge
from lnln.evaluation.modalities import by_modality
from lnln.inference import Scores
from lnln.missing.masks import Masks, evaluation_masks

Row = dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """Results, as plain values that can be written as JSON and CSV.

    Attributes
    ----------
    metrics : dict
        `lnln` and `floors` (`constant`, `majority_of_test`, `ridge`) under the stored masks,
        `completeness` (w against the true completeness of language), `mean_over_rates`, and
        where there are labels of single modalities `modalities` (`lnln.evaluation.modalities`).
    by_rate : list of dict
        rate, predictor (lnln, ridge, constant) and every metric.
    completeness : list of dict
        rate, and the mean over clips of w and of the true completeness.
    predictions : list of dict
        One row per clip and stored draw of masks.
    """

    metrics: Row
    by_rate: list[Row]
    completeness: list[Row]
    predictions: list[Row]


@dataclass(frozen=True)
class Verdict:
    """Network and ridge under one set of masks; `truth` is the completeness of language."""

    scores: Scores
    truth: NDArray[np.float64]
    lnln: metrics.Metrics
    ridge: metrics.Metrics

    def agreement(self) -> metrics.Metrics:
        """Compare w with the true completeness of language."""
        w = self.scores.completeness
        return {
            "w": float(w.mean()),
            "completeness": float(self.truth.mean()),
            "mae": float(np.abs(w - self.truth).mean()),
            "corr": metrics.correlation(w, self.truth),
        }


@dataclass(frozen=True)
class Judge:
    """The test split, prepared, and what is judged on it."""

    checkpoint: Checkpoint
    ridge: RidgeFloor
    test_set: FeatureSet
    language: FrozenLanguageEncoder
    recall: Recall

    def under(self, masks: Masks) -> Verdict:
        """Judge network and ridge under masks."""
        family, labels = self.checkpoint.config.metrics, self.test_set.known_labels()
        masked = incomplete(self.test_set, masks, self.language, self.recall)
        scores = self.checkpoint.score(masked)
        return Verdict(
            scores,
            masked.text.completeness(),
            metrics.compute(labels, scores.sentiment, family),
            metrics.compute(labels, self.ridge.predict(masked), family),
        )


def evaluate(
    checkpoint: Checkpoint,
    train_set: FeatureSet,
    valid_set: FeatureSet,
    test_set: FeatureSet,
    *,
    valid_masks: Sequence[Masks],
    test_masks: Sequence[Masks],
    language: FrozenLanguageEncoder,
    rates: Sequence[float],
    seed: int,
    train_seed: int,
    pattern: str = "random",
    resamples: int = 1000,
) -> Evaluation:
    """Judge a network on the test split.

    Nothing is chosen here: the network and the floors come from the other two splits.

    Parameters
    ----------
    checkpoint : Checkpoint
    train_set, valid_set, test_set : FeatureSet
        As read, with labels. The first two are for the floors.
    valid_masks : sequence of masks
        Those the network's epoch was chosen under; the ridge's alpha is chosen under the same.
    test_masks : sequence of masks
        The stored draws, at `missing_rate`. Metrics are means over them, and over as many draws
        at every rate of the sweep.
    language : FrozenLanguageEncoder
        The encoder the text features were made with.
    rates : sequence of float
        Missing rates of the sweep.
    seed : int
        Of the evaluation masks and the bootstrap.
    train_seed : int
        Of the training masks, which the ridge sees as well.
    pattern : str
        Of the sweep's masks, see `lnln.missing.masks.PATTERNS`.
    resamples : int
        Of the bootstrap; 0 for no intervals (they are None).
    """
    family = checkpoint.config.metrics
    train_set, valid_set, test_set = map(checkpoint.prepare, (train_set, valid_set, test_set))
    language.to(next(checkpoint.model.parameters()).device)
    check_language(test_set, language, checkpoint.lengths.text)
    ridge = fit_ridge(
        train_set,
        [incomplete(valid_set, masks, language) for masks in valid_masks],
        language=language,
        seed=train_seed,
    )
    judge = Judge(checkpoint, ridge, test_set, language, Recall())
    labels = test_set.known_labels()
    flat = constant(train_set.known_labels(), labels, family)
    majority = constant(labels, labels, family)

    own = by_modality(checkpoint, train_set, test_set, language)
    stored = [judge.under(masks) for masks in test_masks]
    intervals = metrics.intervals(
        labels, [v.scores.sentiment for v in stored], family, seed=seed, resamples=resamples
    )
    by_rate: list[Row] = []
    completeness: list[Row] = []
    for rate in tqdm(rates, desc="evaluate", unit="rate", disable=None):
        verdicts = [
            judge.under(
                evaluation_masks(
                    test_set, rate, seed=seed, purpose="test", pattern=pattern, draw=draw
                )
            )
            for draw in range(len(test_masks))
        ]
        found = {
            "lnln": metrics.mean([v.lnln for v in verdicts]),
            "ridge": metrics.mean([v.ridge for v in verdicts]),
            "constant": flat,
        }
        by_rate += [{"rate": rate, "predictor": name} | found[name] for name in found]
        completeness.append({"rate": rate} | metrics.mean([v.agreement() for v in verdicts]))
    return Evaluation(
        metrics={
            "clips": len(test_set),
            "lnln": metrics.mean([v.lnln for v in stored])
            | {f"{name}_interval": ends for name, ends in intervals.items()},
            "completeness": metrics.mean([v.agreement() for v in stored]),
            "floors": {
                "constant": flat,
                "majority_of_test": {k: v for k, v in majority.items() if k not in ("mae", "corr")},
                "ridge": metrics.mean([v.ridge for v in stored]),
            },
            "mean_over_rates": {
                name: metrics.mean(
                    [
                        {k: v for k, v in row.items() if k not in ("rate", "predictor")}
                        for row in by_rate
                        if row["predictor"] == name
                    ]
                )
                for name in ("lnln", "ridge", "constant")
            },
        }
        | ({"modalities": own} if own else {}),
        by_rate=by_rate,
        completeness=completeness,
        predictions=[
            {"draw": draw, "clip_id": c, "label": y, "prediction": p, "w": w, "completeness": t}
            for draw, verdict in enumerate(stored)
            for c, y, p, w, t in zip(
                test_set.clip_ids,
                labels.astype(float).tolist(),
                *(column.tolist() for column in verdict.scores),
                verdict.truth.tolist(),
                strict=True,
            )
        ],
    )
