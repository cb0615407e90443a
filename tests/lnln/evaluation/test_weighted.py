"""Weighted metrics are those of clips that are repeated as often as their weight says."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from lnln.evaluation.metrics import GRADINGS, compute, metric_names
from lnln.evaluation.weighted import weighted_metrics

CLIPS = 40


def resampled(clips: int, count: int, seed: int = 0) -> np.ndarray:
    draws = np.random.default_rng(seed).integers(0, clips, (count, clips))
    return np.stack([np.bincount(row, minlength=clips) for row in draws], axis=1).astype(float)


def answers(kind: str, labels: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(1)
    noise = random.normal(size=(3, len(labels)))
    return {
        "random": labels + noise,
        "constant": np.stack([np.full(len(labels), value) for value in (-0.3, 0.0, 0.7)]),
        "tied": np.round(labels + noise),
        "nearly constant": 0.7 + 1e-7 * noise,
        "constant but for one clip": np.where(np.arange(len(labels)) == 3, 2.0, 0.7)
        + np.zeros((3, 1)),
        "far from zero": 1e6 + noise,
        "huge": 1e9 * noise,
    }[kind]


def labelled(kind: str, limit: float) -> np.ndarray:
    random = np.random.default_rng(2)
    return {
        "random": np.round(random.uniform(-limit, limit, CLIPS), 1),
        "tied": random.choice([-limit, 0.0, limit], CLIPS),
        "constant": np.full(CLIPS, 0.4),
        "mostly zero": np.where(np.arange(CLIPS) < 2, limit, 0.0),
    }[kind]


@pytest.mark.parametrize("metric_set", ["mosi", "sims"])
@pytest.mark.parametrize("kind_of_labels", ["random", "tied", "constant", "mostly zero"])
@pytest.mark.parametrize(
    "kind",
    [
        "random",
        "constant",
        "tied",
        "nearly constant",
        "constant but for one clip",
        "far from zero",
        "huge",
    ],
)
def test_values_and_undefined_cases_are_those_of_materialised_resamples(
    kind: str, kind_of_labels: str, metric_set: str
) -> None:
    labels = labelled(kind_of_labels, 3.0 if metric_set == "mosi" else 1.0)
    predictions, weights = answers(kind, labels), resampled(CLIPS, 8)
    found = weighted_metrics(labels, predictions, weights, metric_set)
    assert list(found) == metric_names(metric_set)
    for answer, sample in np.ndindex(3, 8):
        times = weights[:, sample].astype(int)
        expected = compute(
            np.repeat(labels, times), np.repeat(predictions[answer], times), metric_set
        )
        for name, value in expected.items():
            if value is None:
                assert np.isnan(found[name][answer, sample]), name
            else:
                assert found[name][answer, sample] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize("metric_set", ["mosi", "sims"])
def test_accuracy_and_f1_are_those_of_scikit_learn_with_sample_weights(metric_set: str) -> None:
    limit = 3.0 if metric_set == "mosi" else 1.0
    labels = labelled("random", limit)
    predictions = np.clip(answers("random", labels), -limit, limit)
    weights = resampled(CLIPS, 10)
    found = weighted_metrics(labels, predictions, weights, metric_set)
    for grading in GRADINGS[metric_set]:
        counted = grading.counted(labels)
        truth = grading.classes(labels[counted])
        for answer, sample in np.ndindex(3, 10):
            said = grading.classes(predictions[answer][counted])
            weight = weights[counted, sample]
            assert found[grading.accuracy][answer, sample] == pytest.approx(
                accuracy_score(truth, said, sample_weight=weight)
            )
            if grading.f1:
                assert found[grading.f1][answer, sample] == pytest.approx(
                    f1_score(truth, said, average="weighted", sample_weight=weight, zero_division=0)
                )


def test_only_what_is_asked_for_is_computed() -> None:
    labels = labelled("random", 3.0)
    everything = weighted_metrics(labels, labels[None], resampled(CLIPS, 2), "mosi")
    for name in metric_names("mosi"):
        if name == "acc2_with_zero" or name == "acc2_without_zero":
            continue
        found = weighted_metrics(labels, labels[None], resampled(CLIPS, 2), "mosi", [name])
        assert list(found) == [name]
        assert np.array_equal(found[name], everything[name])
    assert list(
        weighted_metrics(labels, labels[None], resampled(CLIPS, 2), "mosi", ["acc2_with_zero"])
    ) == ["acc2_with_zero"]


def test_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="'acc3' is not one of acc7, acc5"):
        weighted_metrics(np.ones(2), np.ones((1, 2)), np.ones((2, 1)), "mosi", ["acc3"])


def test_constant_negative_answer_reaches_the_floor_that_the_shares_of_mosi_s_test_split_say() -> (
    None
):
    """686 clips: 379 negative, 30 zero, 277 positive; 379 of 656 is 57.8 %."""
    labels = np.repeat([-1.0, 0.0, 1.0], [379, 30, 277])
    found = weighted_metrics(labels, np.full((1, 686), -0.1), np.ones((686, 1)), "mosi")
    assert found["acc2_without_zero"].item() == pytest.approx(0.578, abs=0.0005)
    assert found["acc2_with_zero"].item() == pytest.approx(379 / 686)
    # Negatives: precision 379 / 656, recall 1; positives are never answered.
    precision = 379 / 656
    f1 = 2 * precision / (1 + precision)
    assert found["f1_without_zero"].item() == pytest.approx(379 / 656 * f1)
    assert np.isnan(found["corr"].item())
