"""Evaluation: network beside floors, at the stored masks and over the missing rates."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lnln.checkpoints.checkpoint import Checkpoint
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.judging import Evaluation, evaluate
from lnln.evaluation.metrics import compute
from lnln.missing.masks import evaluation_masks
from lnln.settings import NetworkSettings

RATES = (0.0, 0.5, 0.9)


@pytest.fixture(scope="module")
def sets(make_set: Callable[..., FeatureSet]) -> list[FeatureSet]:
    return [make_set("train", 20), make_set("valid", 8), make_set("test", 12)]


@pytest.fixture
def judged(
    sets: list[FeatureSet],
    make_checkpoint: Callable[..., Checkpoint],
    language: FrozenLanguageEncoder,
) -> Callable[..., Evaluation]:
    def judged(checkpoint: Checkpoint | None = None, **changed: Any) -> Evaluation:
        _, valid_set, test_set = sets
        arguments: dict[str, Any] = {
            "valid_masks": [evaluation_masks(valid_set, 0.5, seed=1, purpose="valid")],
            "test_masks": [evaluation_masks(test_set, 0.5, seed=1, purpose="test")],
            "language": language,
            "rates": RATES,
            "seed": 1,
            "train_seed": 2,
            "resamples": 20,
        }
        return evaluate(checkpoint or make_checkpoint(sets[0]), *sets, **arguments | changed)

    return judged


def test_network_and_floors_are_judged_by_the_same_metrics(
    judged: Callable[..., Evaluation],
) -> None:
    found = judged().metrics
    names = set(found["floors"]["ridge"])
    assert names == set(found["floors"]["constant"])
    assert set(found["lnln"]) - names == {"mae_interval", "corr_interval"}
    assert set(found["floors"]["majority_of_test"]) == names - {"mae", "corr"}


def test_results_are_json_and_hold_no_nan(judged: Callable[..., Evaluation]) -> None:
    result = judged()
    for part in (result.metrics, result.by_rate, result.completeness, result.predictions):
        json.dumps(part, allow_nan=False)


def test_metrics_are_those_of_the_predictions(judged: Callable[..., Evaluation]) -> None:
    result = judged()
    labels, said = ([row[name] for row in result.predictions] for name in ("label", "prediction"))
    expected = compute(labels, said, "mosi")
    assert {k: result.metrics["lnln"][k] for k in expected} == expected
    assert result.metrics["clips"] == len(labels) == 12


def test_sweep_has_every_rate_and_predictor_and_is_averaged(
    judged: Callable[..., Evaluation],
) -> None:
    result = judged()
    assert [(r["rate"], r["predictor"]) for r in result.by_rate] == [
        (rate, name) for rate in RATES for name in ("lnln", "ridge", "constant")
    ]
    errors = [r["mae"] for r in result.by_rate if r["predictor"] == "lnln"]
    assert result.metrics["mean_over_rates"]["lnln"]["mae"] == pytest.approx(np.mean(errors))


def test_sweep_at_the_missing_rate_has_the_stored_masks(judged: Callable[..., Evaluation]) -> None:
    result = judged()
    at_rate = next(r for r in result.by_rate if r["rate"] == 0.5 and r["predictor"] == "lnln")
    assert at_rate["mae"] == result.metrics["lnln"]["mae"]


def test_true_completeness_falls_with_the_rate(judged: Callable[..., Evaluation]) -> None:
    rows = judged().completeness
    truth = [row["completeness"] for row in rows]
    assert truth[0] == 1.0
    assert truth == sorted(truth, reverse=True)
    assert truth[1] == pytest.approx(0.5, abs=0.15)
    assert all(0 < row["w"] < 1 for row in rows)


def test_more_draws_are_averaged(
    judged: Callable[..., Evaluation],
    sets: list[FeatureSet],
    make_checkpoint: Callable[..., Checkpoint],
) -> None:
    checkpoint = make_checkpoint(sets[0])
    masks = [evaluation_masks(sets[2], 0.5, seed=1, purpose="test", draw=draw) for draw in range(3)]
    one, several = judged(checkpoint).by_rate, judged(checkpoint, test_masks=masks).by_rate
    assert one[0]["mae"] == pytest.approx(several[0]["mae"])  # r = 0: every draw is complete
    assert one[3]["mae"] != several[3]["mae"]


def test_evaluation_repeats_exactly(
    judged: Callable[..., Evaluation],
    sets: list[FeatureSet],
    make_checkpoint: Callable[..., Checkpoint],
) -> None:
    checkpoint = make_checkpoint(sets[0])
    assert judged(checkpoint) == judged(checkpoint)


def test_official_variant_is_evaluated_with_its_own_encoder(
    judged: Callable[..., Evaluation],
    sets: list[FeatureSet],
    make_checkpoint: Callable[..., Checkpoint],
    language: FrozenLanguageEncoder,
    tiny: NetworkSettings,
) -> None:
    official = tiny.model_copy(update={"variant": "official"})
    result = judged(make_checkpoint(sets[0], network=official, language=language))
    assert len(result.by_rate) == 9
