"""The majority: the median of the training labels that have the more frequent sign."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lnln.data.features import FeatureSet
from lnln.models.majority.model import Majority
from lnln.settings import ModelSettings, Shapes


@pytest.mark.parametrize(
    ("labels", "answer"),
    [
        ([-2.0, -1.0, -3.0, 0.0, 0.0, 1.0, 2.0], -2.0),  # 0 has no sign
        ([1.0, 2.0, -3.0, 3.0, -1.0], 2.0),
        ([1.0, 2.0, 3.0, 2.5, -1.0], 2.25),
        ([-1.0, 2.0], 2.0),  # as many of one as of the other
        ([0.0, 0.0], 0.0),
    ],
)
def test_majority_is_the_median_of_the_more_frequent_sign(
    make_set: Callable[..., FeatureSet], shapes: Shapes, labels: list[float], answer: float
) -> None:
    train_set = replace(make_set("train", len(labels)), labels=np.array(labels, np.float32))
    model = Majority(ModelSettings(), shapes)
    model.fit([train_set], [])
    scores = model.predict(make_set("test", 4))
    assert scores.prediction.tolist() == [answer] * 4
    assert scores.w is None
