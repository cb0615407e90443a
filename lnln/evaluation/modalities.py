"""Each modality by itself, where annotators judged it by itself as well.

CH-SIMS (Yu et al., ACL 2020) has, beside the sentiment of a clip, one label of its words read, one
of its sound heard and one of its silent picture seen. The network is trained on the first alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from contracts.schemas import MODALITIES
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.data.batches import incomplete
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation import metrics
from lnln.evaluation.floors import constant
from lnln.missing.masks import only_modality


def by_modality(
    checkpoint: Checkpoint,
    train_set: FeatureSet,
    test_set: FeatureSet,
    language: FrozenLanguageEncoder,
) -> dict[str, dict[str, Any]]:
    """Compare the network's answers with the labels of single modalities.

    Parameters
    ----------
    checkpoint : Checkpoint
    train_set, test_set : FeatureSet
        Prepared, nothing dropped. The first is for the floor.
    language : FrozenLanguageEncoder

    Returns
    -------
    dict
        For each modality with labels in both splits `clips`, those of the test split that have one
        and in which it was observed, and the metrics of three answers to them: `alone`, of the
        network given this modality and nothing else, `all`, of the network given everything, and
        `constant`, the floor. Empty where nobody labelled modalities.
    """
    found: dict[str, dict[str, Any]] = {}
    for modality in MODALITIES:
        fitted, truth = (s.own_labels.get(modality) for s in (train_set, test_set))
        if fitted is None or truth is None:
            continue
        known = np.flatnonzero(np.isfinite(truth) & (test_set.observed_shares()[modality] > 0))
        fitted = fitted[np.isfinite(fitted)]
        if not len(known) or not len(fitted):
            continue
        clips, labels = test_set.take(known), truth[known]
        alone = checkpoint.score(incomplete(clips, only_modality(clips, modality), language))
        family = checkpoint.config.metrics
        found[modality] = {
            "clips": len(clips),
            "alone": metrics.compute(labels, alone.sentiment, family),
            "all": metrics.compute(labels, checkpoint.score(clips).sentiment, family),
            "constant": constant(fitted, labels, family),
        }
    return found
