"""What a table of predictions says, computed from the table and from nothing else."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lnln.evaluation import scores as reached
from lnln.evaluation.by_model import by_model
from lnln.evaluation.metrics import compute, majority, metric_names
from lnln.evaluation.summary import by_condition, by_modality, over_seeds, results
from lnln.evaluation.table import join, slices

MakeRows = Callable[..., pa.Table]
LABELS = np.array([1.0, -1.5, 0.0, 2.0, -0.5, 3.0])
RATES = [0.0, 0.5, 0.9]


def said(*key: Any) -> np.ndarray:
    """What a model says under a condition: noise of its own around the labels."""
    seed = int.from_bytes(repr(key).encode(), "little")
    return (LABELS + np.random.default_rng(seed).normal(size=6)).astype(np.float32)


@pytest.fixture
def table(make_rows: MakeRows) -> pa.Table:
    """LNLN and a ridge, two seeds, three rates, two draws; the ridge makes no estimate."""
    return join(
        make_rows(
            LABELS,
            said(model, seed, rate, draw),
            model=model,
            seed=seed,
            condition=("random", rate, draw),
            w=[0.1 * seed, 0.5, 0.5, 0.5, 0.9, 0.1 + draw] if model == "lnln" else None,
            completeness=[1 - rate, 1, 1, 1, 1, 0],
        )
        for model in ("ridge", "lnln")
        for seed in (2, 1)
        for rate in RATES
        for draw in range(2 if rate else 1)
    )


def summed(table: pa.Table, **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "pattern": "random",
        "missing_rate": 0.5,
        "rates": RATES,
        "seed": 1,
        "resamples": 50,
    }
    answers = list(slices(table))
    return results(answers, by_condition(answers, "mosi"), "mosi", **arguments | changes)


# By condition


def test_metrics_of_a_condition_are_those_of_its_rows_averaged_over_draws(table: pa.Table) -> None:
    rows = by_condition(slices(table), "mosi")
    assert [(r["model"], r["seed"], r["rate"]) for r in rows] == [
        (model, seed, rate) for model in ("lnln", "ridge") for seed in (1, 2) for rate in RATES
    ]
    for row in rows:
        draws = [
            compute(LABELS, said(row["model"], row["seed"], row["rate"], draw), "mosi")
            for draw in range(2 if row["rate"] else 1)
        ]
        for name in metric_names("mosi"):
            assert row[name] == pytest.approx(np.mean([d[name] for d in draws]))


def test_estimate_of_completeness_is_compared_with_the_truth(table: pa.Table) -> None:
    rows = by_condition(slices(table), "mosi")
    row = next(r for r in rows if (r["model"], r["seed"], r["rate"]) == ("lnln", 1, 0.5))
    truth = np.array([0.5, 1, 1, 1, 1, 0])
    estimates = [np.array([0.1, 0.5, 0.5, 0.5, 0.9, 0.1 + draw]) for draw in (0, 1)]
    assert row["w"] == pytest.approx(np.mean(estimates))
    assert row["completeness"] == pytest.approx(truth.mean())
    assert row["w_mae"] == pytest.approx(np.mean([np.abs(w - truth).mean() for w in estimates]))
    assert row["w_corr"] == pytest.approx(
        np.mean([np.corrcoef(w, truth)[0, 1] for w in estimates]), abs=1e-6
    )
    assert all("w" not in r and "w_mae" not in r for r in rows if r["model"] == "ridge")


# Over seeds


def row(seed: int, mae: float, corr: float | None, **more: float) -> dict[str, Any]:
    key = {"model": "m", "seed": seed, "pattern": "random", "rate": 0.5}
    return key | {"mae": mae, "corr": corr} | more


def test_several_seeds_have_mean_and_standard_deviation() -> None:
    rows = [row(1, 1.0, 0.5, acc7=0.1), row(2, 2.0, None, acc7=0.3), row(3, 3.0, 0.7, acc7=0.5)]
    assert over_seeds(rows) == [
        {
            "model": "m",
            "pattern": "random",
            "rate": 0.5,
            "mae": 2.0,
            "corr": None,
            "acc7": pytest.approx(0.3),
            "mae_deviation": pytest.approx(1.0),
            "corr_deviation": None,
        }
    ]


def test_one_seed_has_no_deviation() -> None:
    (found,) = over_seeds([row(1, 1.5, 0.5)])
    assert (found["mae"], found["mae_deviation"], found["corr_deviation"]) == (1.5, None, None)


def test_models_and_rates_are_kept_apart() -> None:
    rows = [row(1, 1.0, 0.5), row(1, 3.0, 0.5) | {"rate": 0.9}, row(1, 5.0, 0.5) | {"model": "n"}]
    assert [(r["model"], r["rate"], r["mae"]) for r in over_seeds(rows)] == [
        ("m", 0.5, 1.0),
        ("m", 0.9, 3.0),
        ("n", 0.5, 5.0),
    ]


# Results


def test_results_are_json_and_hold_no_nan(table: pa.Table) -> None:
    json.dumps(summed(table), allow_nan=False)
    json.dumps(by_condition(slices(table), "mosi"), allow_nan=False)
    json.dumps(over_seeds(by_condition(slices(table), "mosi")), allow_nan=False)


def test_models_are_compared_at_the_missing_rate_averaged_over_seeds_and_draws(
    table: pa.Table,
) -> None:
    found = summed(table)
    assert (found["clips"], found["seeds"]) == (6, [1, 2])
    assert found["models"].keys() == found["mean_over_rates"].keys() == {"lnln", "ridge"}
    for model, scores in found["models"].items():
        drawn = [
            compute(LABELS, said(model, seed, 0.5, draw), "mosi")
            for seed in (1, 2)
            for draw in (0, 1)
        ]
        for name in metric_names("mosi"):
            assert scores[name] == pytest.approx(np.mean([d[name] for d in drawn]))
    assert {"w", "w_mae", "w_corr", "completeness"} < found["models"]["lnln"].keys()
    assert set(found["models"]["ridge"]) == {*metric_names("mosi"), "mae_interval", "corr_interval"}


def test_intervals_are_those_of_the_scores_at_the_missing_rate(table: pa.Table) -> None:
    found = summed(table)["models"]["ridge"]
    (model,) = by_model(table.filter(pc.equal(table["model"].cast("string"), "ridge")), "random")
    for score in reached.scores(
        [model], "mosi", seed=1, resamples=50, over=[0.5], metrics=["mae", "corr"]
    ):
        assert found[f"{score.metric}_interval"] == pytest.approx([score.low, score.high])
    assert summed(table, resamples=0)["models"]["ridge"]["mae_interval"] is None


def test_curves_are_summed_up_by_mean_area_and_high_rates(table: pa.Table) -> None:
    found = summed(table)
    rows = over_seeds(by_condition(slices(table), "mosi"))
    for model in ("lnln", "ridge"):
        for metric in metric_names("mosi"):
            at = [row[metric] for row in rows if row["model"] == model]
            assert found["mean_over_rates"][model][metric] == pytest.approx(np.mean(at))
            assert found["area_over_rates"][model][metric] == pytest.approx(
                np.trapezoid(at, RATES) / np.ptp(RATES)
            )
            assert found["mean_over_high_rates"][model][metric] == pytest.approx(np.mean(at[1:]))
            for name in ("mean_over_rates", "area_over_rates", "mean_over_high_rates"):
                low, high = found["intervals"][name][model][metric]
                assert low - 1e-9 <= found[name][model][metric] <= high + 1e-9


def test_constant_answers_are_marked_and_undefined_values_told(make_rows: MakeRows) -> None:
    table = join(
        make_rows(LABELS, np.where(rate < 0.9, LABELS, 0.5), condition=("random", rate, 0))
        for rate in RATES
    )
    found = summed(table)
    assert found["collapsed"] == {"m": [0.9]}
    assert found["mean_over_rates"]["m"]["corr"] is None
    assert found["intervals"]["mean_over_rates"]["m"]["corr"] is None
    assert found["undefined"]["mean_over_rates"]["m"]["corr"] == 1
    assert "mae" not in found["undefined"]["mean_over_rates"]["m"]
    assert (found["unit"], found["units"]) == ("clip", 6)
    json.dumps(found, allow_nan=False)


def test_mean_over_rates_is_the_mean_of_the_rates(table: pa.Table) -> None:
    rows = over_seeds(by_condition(slices(table), "mosi"))
    found = summed(table)["mean_over_rates"]["lnln"]
    for name in ("mae", "corr", "acc7", "w", "w_mae"):
        assert found[name] == pytest.approx(
            np.mean([r[name] for r in rows if r["model"] == "lnln"])
        )
    some = summed(table, rates=[0.0, 0.9])["mean_over_rates"]["lnln"]["mae"]
    assert some == pytest.approx(
        np.mean([r["mae"] for r in rows if r["model"] == "lnln" and r["rate"] != 0.5])
    )


def test_deviation_is_over_seeds_and_only_of_several(table: pa.Table, make_rows: MakeRows) -> None:
    rows = {
        (r["model"], r["seed"], r["rate"]): r["mae"] for r in by_condition(slices(table), "mosi")
    }
    found = summed(table)["deviation"]
    at_rate = [rows["ridge", seed, 0.5] for seed in (1, 2)]
    assert found["models"]["ridge"]["mae"] == pytest.approx(np.std(at_rate, ddof=1))
    averaged = [np.mean([rows["ridge", seed, rate] for rate in RATES]) for seed in (1, 2)]
    assert found["mean_over_rates"]["ridge"]["mae"] == pytest.approx(np.std(averaged, ddof=1))
    area = [
        np.trapezoid([rows["ridge", seed, rate] for rate in RATES], RATES) / np.ptp(RATES)
        for seed in (1, 2)
    ]
    assert found["area_over_rates"]["ridge"]["mae"] == pytest.approx(np.std(area, ddof=1))
    assert "deviation" not in summed(make_rows(LABELS, said(1)))


def test_majority_is_that_of_the_test_split(table: pa.Table) -> None:
    assert summed(table)["majority_of_test"] == majority(LABELS, "mosi")


def test_other_patterns_are_in_the_table_and_not_in_the_results(
    table: pa.Table, make_rows: MakeRows
) -> None:
    other = make_rows(LABELS, LABELS + 9, model="ridge", condition=("block", 0.5, 0))
    assert summed(join([table, other])) == summed(table)
    found = summed(join([table, other]), pattern="block")["models"]
    assert found.keys() == {"ridge"} and found["ridge"]["mae"] == 9.0


# Single modalities


@pytest.fixture
def own(make_rows: MakeRows) -> pa.Table:
    """Sound has labels of its own: the first clip lacks one, in the third nothing was heard."""
    labels = {"label_a": [None, 1.0, 2.0, -1.0, -2.0, 0.5]}
    heard = [i != 2 for i in range(6)]
    return join(
        make_rows(
            LABELS,
            said(model, seed, pattern),
            model=model,
            seed=seed,
            condition=(pattern, 0.0, 0),
            observed=heard if pattern == "only_audio" else None,
            **labels,
        )
        for model in ("lnln", "ridge")
        for seed in (1, 2)
        for pattern in ("only_audio", "random")
    )


def test_clips_without_the_label_or_the_modality_are_not_counted(own: pa.Table) -> None:
    found = by_modality(list(slices(own)), "mosi")
    assert found.keys() == {"audio"}
    assert found["audio"].keys() == {"lnln", "ridge"}
    counted, labels = [1, 3, 4, 5], [1.0, -1.0, -2.0, 0.5]
    for model, scores in found["audio"].items():
        assert scores["clips"] == 4
        for name, pattern in (("only", "only_audio"), ("all", "random")):
            runs = [compute(labels, said(model, s, pattern)[counted], "mosi") for s in (1, 2)]
            assert scores[name].keys() == runs[0].keys()
            for metric, value in scores[name].items():
                assert value == pytest.approx(np.mean([run[metric] for run in runs]))


def test_modality_of_which_no_clip_counts_is_left_out(make_rows: MakeRows) -> None:
    rows = [
        make_rows(
            LABELS,
            LABELS,
            condition=(pattern, 0.0, 0),
            observed=[pattern == "random"] * 6,
            label_v=[1.0] * 6,
        )
        for pattern in ("only_vision", "random")
    ]
    assert by_modality(list(slices(join(rows))), "mosi") == {}
