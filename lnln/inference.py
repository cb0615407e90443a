"""The network's answers for a set of clips."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lnln.data.batches import Layout, collate, in_batches, rows_of, to_device
from lnln.data.features import FeatureSet
from lnln.models.lnln.network import LNLN

BATCH = 64  # clips at a time


class Scores(NamedTuple):
    """Sentiment and estimated completeness of language (w), each [clips]."""

    sentiment: NDArray[np.float64]
    completeness: NDArray[np.float64]


def best_device() -> torch.device:
    """Return CUDA where there is a GPU, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@torch.inference_mode()
def score(model: LNLN, features: FeatureSet, layout: Layout) -> Scores:
    """Run the network over clips, in evaluation mode, on the device it is on.

    Parameters
    ----------
    model : LNLN
    features : FeatureSet
        Normalised, and incomplete already where it is to be.
    layout : Layout
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    sentiment, completeness = [], []
    order = np.argsort(rows_of(features), kind="stable")  # like lengths together
    for clips in in_batches(order, BATCH) if len(features) else []:
        output = model(to_device(collate(features.take(clips), layout), device))
        sentiment.append(output.sentiment.double().cpu().numpy())
        completeness.append(output.completeness.double().cpu().numpy())
    model.train(was_training)
    if not sentiment:
        return Scores(np.empty(0), np.empty(0))
    back = np.argsort(order)
    return Scores(np.concatenate(sentiment)[back], np.concatenate(completeness)[back])
