"""Several seeds: means and deviations, and nothing but the seed's own figures where it is one."""

import pytest

from lnln.evaluation.judging import Evaluation
from lnln.evaluation.seeds import over_seeds


def evaluation(error: float) -> Evaluation:
    found = {"mae": error, "corr": None}
    ridge = {"mae": 2 * error, "corr": 0.5}
    return Evaluation(
        metrics={
            "clips": 3,
            "lnln": found | {"mae_interval": [error - 1, error + 1]},
            "floors": {"ridge": ridge},
            "mean_over_rates": {"lnln": found, "ridge": ridge},
        },
        by_rate=[{"rate": 0.5, "predictor": "lnln"} | found],
        completeness=[{"rate": 0.5, "w": error}],
        predictions=[{"clip_id": "a", "prediction": error}],
    )


def test_single_modalities_have_a_deviation_where_the_network_answers() -> None:
    several = {seed: evaluation(float(seed)) for seed in (1, 2)}
    for seed, one in several.items():
        scores = {"mae": float(seed), "corr": None}
        one.metrics["modalities"] = {
            "text": {"clips": 3, "alone": scores, "all": scores, "constant": {"mae": 5.0}}
        }
    text = over_seeds(several).metrics["modalities"]["text"]
    expected = {
        "mae": 1.5,
        "corr": None,
        "mae_deviation": pytest.approx(0.5**0.5),
        "corr_deviation": None,
    }
    assert text == {
        "clips": 3,
        "alone": expected,
        "all": expected,
        "constant": {"mae": 5.0},
    }


def test_one_seed_is_told_as_it_is() -> None:
    one = evaluation(1.5)
    found = over_seeds({7: one})
    assert found.metrics == one.metrics | {"seeds": [7]}
    assert found.completeness == one.completeness
    assert found.by_rate[0]["mae_deviation"] is None


def test_several_seeds_have_mean_and_standard_deviation() -> None:
    found = over_seeds({1: evaluation(1.0), 2: evaluation(2.0), 3: evaluation(3.0)})
    assert found.metrics["lnln"] == {"mae": 2.0, "corr": None, "mae_interval": [1.0, 3.0]}
    assert found.metrics["deviation"]["lnln"] == {"mae": pytest.approx(1.0), "corr": None}
    assert found.metrics["deviation"]["ridge"] == {"mae": pytest.approx(2.0), "corr": 0.0}
    assert found.metrics["clips"] == 3
    assert found.by_rate == [
        {
            "rate": 0.5,
            "predictor": "lnln",
            "mae": 2.0,
            "corr": None,
            "mae_deviation": pytest.approx(1.0),
            "corr_deviation": None,
        }
    ]
    assert [row["seed"] for row in found.predictions] == [1, 2, 3]
