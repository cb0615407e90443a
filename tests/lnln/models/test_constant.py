"""The constant: the median of the training labels, whatever the clip."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lnln.data.features import FeatureSet
from lnln.evaluation.metrics import compute
from lnln.models.constant.model import Constant
from lnln.settings import ModelSettings, Shapes

Labelled = Callable[[list[float]], FeatureSet]


@pytest.fixture
def labelled(make_set: Callable[..., FeatureSet]) -> Labelled:
    return lambda labels: replace(
        make_set("train", len(labels)), labels=np.array(labels, np.float32)
    )


def test_constant_is_the_median_of_the_training_labels(labelled: Labelled, shapes: Shapes) -> None:
    model = Constant(ModelSettings(), shapes)
    model.fit([labelled([-2.0, 1.0, 1.0, 1.0, 3.0, 0.0])], [])
    test_set = labelled([1.0, 1.0, -1.0, 2.0, 0.0])
    scores = model.predict(test_set)
    assert scores.prediction.tolist() == [1.0] * 5 and scores.prediction.dtype == np.float64
    assert scores.w is None
    found = compute(test_set.known_labels(), scores.prediction, "mosi")
    assert found["acc7"] == pytest.approx(2 / 5)
    assert found["acc2_with_zero"] == pytest.approx(4 / 5)
    assert found["acc2_without_zero"] == pytest.approx(3 / 4)  # the 0 is left out
    assert found["f1_without_zero"] == pytest.approx(3 / 4 * 6 / 7)
    assert found["mae"] == pytest.approx((0 + 0 + 2 + 1 + 1) / 5)
    assert found["corr"] is None


def test_no_constant_has_a_lesser_error_on_the_training_split(
    labelled: Labelled, shapes: Shapes
) -> None:
    labels = [-2.5, 0.3, 0.5, 2.0, 3.0]
    model = Constant(ModelSettings(), shapes)
    model.fit([labelled(labels)], [])
    errors = {c: np.abs(np.array(labels) - c).sum() for c in np.linspace(-3, 3, 61).round(1)}
    assert model.predict(labelled(labels)).prediction[0] == pytest.approx(
        min(errors, key=lambda c: errors[c])
    )
