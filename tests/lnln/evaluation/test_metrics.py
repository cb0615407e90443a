"""Metrics against values worked out by hand."""

import json

import numpy as np
import pytest

from lnln.evaluation.metrics import (
    better,
    compute,
    correlation,
    majority,
    mean,
    metric_names,
)


def test_mosi_metrics_by_hand() -> None:
    labels = [-3.0, -1.0, 0.0, 0.4, 2.0, 2.6]
    predictions = [-3.4, 0.2, -0.1, 0.6, 1.6, 1.4]
    found = compute(labels, predictions, "mosi")
    # classes of 7: -3 -1 0 0 2 3 against -3 0 0 1 2 1
    assert found["acc7"] == pytest.approx(3 / 6)
    # classes of 5: -2 -1 0 0 2 2 against -2 0 0 1 2 1
    assert found["acc5"] == pytest.approx(3 / 6)
    # >= 0: - - + + + + against - + - + + +
    assert found["acc2_with_zero"] == pytest.approx(4 / 6)
    # the third left out, > 0: - - + + + against - + + + +
    assert found["acc2_without_zero"] == pytest.approx(4 / 5)
    # negatives: precision 1, recall 1/2, F1 2/3 (support 2); positives: 3/4, 1, 6/7 (support 3)
    assert found["f1_without_zero"] == pytest.approx((2 * 2 / 3 + 3 * 6 / 7) / 5)
    assert found["mae"] == pytest.approx((0.4 + 1.2 + 0.1 + 0.2 + 0.4 + 1.2) / 6)
    assert found["corr"] == pytest.approx(np.corrcoef(labels, predictions)[0, 1])


def test_f1_weights_are_those_of_the_truth() -> None:
    found = compute([1, 1, 1, -1], [1, -1, -1, -1], "mosi")
    # positives: F1 1/2, support 3; negatives: F1 1/2, support 1 -- then a lopsided one
    assert found["f1_with_zero"] == pytest.approx(0.5)
    lopsided = compute([1, 1, 1, 1, -1], [1, 1, 1, -1, -1], "mosi")
    assert lopsided["f1_with_zero"] == pytest.approx((4 * 6 / 7 + 1 * 2 / 3) / 5)


def test_halves_are_rounded_to_even() -> None:
    # 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, -0.5 -> 0, -2.5 -> -2
    assert compute([0, 2, 2, 0, -2], [0.5, 1.5, 2.5, -0.5, -2.5], "mosi")["acc7"] == 1.0


def test_mosi_error_is_not_clipped() -> None:
    assert compute([3.0], [5.0], "mosi")["mae"] == 2.0


def test_sims_metrics_by_hand() -> None:
    labels = [-1.0, -0.4, 0.0, 0.2, 0.8]
    predictions = [-1.6, -0.8, -0.1, 0.05, 0.7]
    found = compute(labels, predictions, "sims")
    # classes of 5: 0 1 2 3 4 against 0 0 1 2 3 (-0.1 and 0.7 belong below the edge)
    assert found["acc5"] == pytest.approx(1 / 5)
    # classes of 3: 0 0 1 2 2 against 0 0 0 1 2
    assert found["acc3"] == pytest.approx(3 / 5)
    assert found["acc2"] == 1.0  # 0 belongs to the negative class
    assert found["f1"] == 1.0
    assert found["mae"] == pytest.approx((0 + 0.4 + 0.1 + 0.15 + 0.1) / 5)  # -1.6 clipped to -1


def test_correlation_with_a_constant_is_none_and_never_nan() -> None:
    found = compute([1.0, 2.0, 3.0], [0.7, 0.7, 0.7], "mosi")
    assert found["corr"] is None
    assert "NaN" not in json.dumps(found)
    assert correlation(np.array([1.0]), np.array([1.0])) is None


def test_all_neutral_labels_leave_accuracy_without_zero_undefined() -> None:
    found = compute([0.0, 0.0], [1.0, -1.0], "mosi")
    assert found["acc2_without_zero"] is None
    assert found["f1_without_zero"] is None


@pytest.mark.parametrize("metric_set", ["mosi", "sims"])
def test_names_are_those_computed(metric_set: str) -> None:
    assert metric_names(metric_set) == list(compute([0.5, -0.5], [0.4, 0.1], metric_set))


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([], [], "at least one clip"),
        ([1.0], [1.0, 2.0], "one of each per clip"),
        ([1.0], [float("nan")], "not a finite number"),
    ],
)
def test_impossible_input_is_refused(labels: list, predictions: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute(labels, predictions, "mosi")


def test_unknown_metric_set_is_refused() -> None:
    with pytest.raises(ValueError, match="'iemocap' is not one of mosi, sims"):
        compute([1.0], [1.0], "iemocap")


def test_majority_is_the_most_frequent_class_of_the_labels_themselves() -> None:
    found = majority([1.0, 1.0, -1.0, 2.0, 0.0], "mosi")
    assert found["acc7"] == pytest.approx(2 / 5)  # always 1
    assert found["acc5"] == pytest.approx(2 / 5)
    assert found["acc2_with_zero"] == pytest.approx(4 / 5)  # always >= 0
    assert found["f1_with_zero"] == pytest.approx(4 / 5 * 8 / 9)
    assert found["acc2_without_zero"] == pytest.approx(3 / 4)  # always > 0, the 0 left out
    assert found["f1_without_zero"] == pytest.approx(3 / 4 * 6 / 7)


@pytest.mark.parametrize("metric_set", ["mosi", "sims"])
def test_majority_has_every_accuracy_and_neither_error_nor_correlation(metric_set: str) -> None:
    assert [*majority([1, 0.4], metric_set), "mae", "corr"] == metric_names(metric_set)


def test_majority_of_neutral_labels_is_undefined_where_zero_is_left_out() -> None:
    assert majority([0.0, 0.0], "mosi")["acc2_without_zero"] is None


def test_mean_is_undefined_where_one_value_is() -> None:
    assert mean([{"mae": 1.0, "corr": None}, {"mae": 2.0, "corr": 0.5}]) == {
        "mae": 1.5,
        "corr": None,
    }


def test_lower_error_and_higher_correlation_are_better() -> None:
    assert better("mae", 1.0, 2.0) and not better("mae", 1.0, 1.0)
    assert better("corr", 0.6, 0.5) and better("corr", 0.1, None) and not better("corr", None, 0.1)


def test_labels_on_an_edge_belong_below_it_in_single_precision() -> None:
    labels = np.array([0.1, -0.7, -0.1, 0.7], dtype=np.float32).astype(np.float64)
    below = labels - 0.05
    assert compute(labels, below, "sims")["acc5"] == 1.0
    assert compute(labels[:1], below[:1], "sims")["acc3"] == 1.0
