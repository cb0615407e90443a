"""The more frequent sign of the training labels: no accuracy below its own is of use."""

import numpy as np

from lnln.data.features import FloatArray
from lnln.models.floor import ConstantEstimator


class Majority(ConstantEstimator):
    """The median of the labels that have the more frequent sign; a label of 0 has none."""

    def choose(self, labels: FloatArray) -> float:
        """Count the signs; with as many of one as of the other the positive one is taken."""
        positive, negative = labels[labels > 0], labels[labels < 0]
        majority = negative if len(negative) > len(positive) else positive
        return float(np.median(majority)) if len(majority) else 0.0


MODEL = Majority
