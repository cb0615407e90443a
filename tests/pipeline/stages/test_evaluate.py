"""Metrics and curves are of the models, seeds and rates of this run, whatever lies beside them."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lnln.evaluation.sweep import conditions
from lnln.evaluation.table import Condition, answers, join, read, write
from lnln.models.interface import Scores
from pipeline.models import compared
from pipeline.params import load_params
from pipeline.stage import StageError
from pipeline.stages import dataset, evaluate

CLIPS = pa.table(
    {
        "clip_id": ["a/1", "a/2", "b/1"],
        "group": ["a", "a", "b"],
        "label": pa.array([-1, 0.5, 2], pa.float32()),
        **{f"label_{letter}": pa.nulls(3, pa.float32()) for letter in "tav"},
    }
)
Sweep = Callable[..., None]


@pytest.fixture
def sweep(project: Path, change: Callable[..., None], write_dataset: Callable[..., None]) -> Sweep:
    """Write what the stage `sweep` leaves of a model and seed, which is off by `error`."""
    change("evaluate", {"rates": [0.0, 0.9], "bootstrap": 10})
    change("masks.draws", 2)
    write_dataset([], {})
    dataset.main()

    def write_answers(
        model: str,
        seed: int,
        error: float,
        rates: Sequence[float] = (0.0, 0.5, 0.9),
        patterns: Sequence[str] = ("random",),
        clips: pa.Table = CLIPS,
    ) -> None:
        asked = conditions(patterns, rates, draws=2)

        def said(asked: Condition) -> Scores:
            wrong = error + 10 * patterns.index(asked.pattern) if asked.pattern in patterns else 99
            w = np.full(3, 0.7) if model == "lnln" else None
            return Scores(CLIPS["label"].to_numpy() + wrong, w)

        tables = [
            answers(model, seed, c, clips, said(c), np.full(3, 1 - c.rate), np.full(3, True))
            for c in asked
        ]
        write(join(tables), project / "outputs" / "predictions" / f"{model}-{seed}.parquet")

    return write_answers


@pytest.fixture
def swept(sweep: Sweep) -> Sweep:
    """A run of the default model and one seed."""
    for place, model in enumerate(compared(load_params())):
        sweep(model, 1111, error=1 + place)
    return sweep


def results(project: Path) -> dict:
    return json.loads((project / "metrics" / "test.json").read_text("utf-8"))


def test_every_model_has_its_metrics_and_a_column_of_the_curves(
    project: Path, swept: Sweep
) -> None:
    evaluate.main()
    found, models = results(project), compared(load_params())
    assert found["models"].keys() == found["mean_over_rates"].keys() == set(models)
    assert [found["models"][name]["mae"] for name in models] == [1, 2, 3, 4, 5]
    assert (found["missing_rate"], found["pattern"], found["clips"]) == (0.5, "random", 3)
    with (project / "plots" / "mae.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [list(row) for row in rows] == [["rate", *models]] * 2
    assert [row["rate"] for row in rows] == ["0.0", "0.9"]
    with (project / "plots" / "w.csv").open(newline="", encoding="utf-8") as file:
        (first, _) = csv.DictReader(file)
    assert [round(float(value), 6) for value in first.values()] == [0, 0.7, 1]
    with (project / "plots" / "predictions.csv").open(newline="", encoding="utf-8") as file:
        assert [row["draw"] for row in csv.DictReader(file)] == ["0"] * 3 + ["1"] * 3


def test_predictions_of_earlier_runs_count_for_nothing(
    project: Path, swept: Sweep, change: Callable[..., None]
) -> None:
    evaluate.main()
    alone = results(project)
    swept("lnln", 1112, error=0)  # of a run with more seeds
    swept("mean_audio", 1111, error=0)  # of a model that is no more
    evaluate.main()
    assert results(project) == alone
    table = read([project / "outputs" / "predictions.parquet"])
    assert set(table["model"].to_pylist()) == set(compared(load_params()))
    assert set(table["seed"].to_pylist()) == {1111}
    change("model.name", "ridge")
    evaluate.main()
    assert "lnln" not in results(project)["models"]


def test_predictions_of_other_rates_are_refused_by_name(
    swept: Sweep, change: Callable[..., None]
) -> None:
    swept("ridge", 1111, error=1, rates=(0.0, 0.5))
    with pytest.raises(StageError, match=r"ridge-1111\.parquet has no .* rate 0\.9 .*dvc repro"):
        evaluate.main()
    swept("ridge", 1111, error=1)
    change("missing_rate", 0.7)
    with pytest.raises(StageError, match=r"lnln-1111\.parquet has no predictions at .* rate 0\.7"):
        evaluate.main()


def test_model_that_was_not_asked_is_told_by_its_file(
    swept: Sweep, change: Callable[..., None]
) -> None:
    change("train.seeds", [1111, 1112])
    with pytest.raises(FileNotFoundError, match=r"lnln-1112\.parquet is not there: run dvc repro"):
        evaluate.main()


def test_several_seeds_have_their_deviation(
    project: Path, swept: Sweep, change: Callable[..., None]
) -> None:
    evaluate.main()
    assert "deviation" not in results(project)
    for place, model in enumerate(compared(load_params())):
        swept(model, 1112, error=3 + place)
    change("train.seeds", [1111, 1112])
    evaluate.main()
    found = results(project)
    assert found["seeds"] == [1111, 1112]
    assert found["models"]["lnln"]["mae"] == 2
    assert found["deviation"]["models"]["lnln"]["mae"] == pytest.approx(2**0.5)


def test_every_pattern_is_told_and_the_first_one_makes_the_headline(
    project: Path, sweep: Sweep, change: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    patterns = ["block", "random", "only_text"]
    change("masks.patterns", patterns)
    models = compared(load_params())
    for place, model in enumerate(models):
        sweep(model, 1111, error=1 + place, patterns=patterns)
    evaluate.main()
    found = results(project)
    assert found["pattern"] == "block"
    assert found["models"]["lnln"]["mae"] == pytest.approx(1)
    assert list(found["patterns"]) == ["random", "only_text"]
    for place, name in enumerate(found["patterns"]):
        told = found["patterns"][name]
        assert told.keys() == {"models", "mean_over_rates"}
        assert [told["models"][m]["mae"] for m in models] == pytest.approx(
            [10 * (place + 1) + 1 + i for i in range(5)]
        )
        assert told["models"]["lnln"]["mae_interval"] is not None
    with (project / "plots" / "rates.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["pattern"], row["model"], row["rate"]) for row in csv.DictReader(file)]
    assert rows == [(p, m, rate) for p in patterns for m in models for rate in ("0.0", "0.9")]
    with (project / "plots" / "mae.csv").open(newline="", encoding="utf-8") as file:
        assert [float(row["lnln"]) for row in csv.DictReader(file)] == pytest.approx([1, 1])
    printed = capsys.readouterr().out
    assert [printed.count(f"pattern {name}\n") for name in patterns] == [1, 1, 1]


def test_predictions_of_other_patterns_are_refused_by_name(
    swept: Sweep, change: Callable[..., None]
) -> None:
    change("masks.patterns", ["random", "bursts"])
    with pytest.raises(StageError, match=r"lnln-1111\.parquet has no .* of the pattern bursts: "):
        evaluate.main()


def test_modalities_stand_in_the_results_where_somebody_labelled_them(
    project: Path, swept: Sweep
) -> None:
    evaluate.main()
    assert "modalities" not in results(project)
    column = CLIPS.column_names.index("label_a")
    own = CLIPS.set_column(column, "label_a", pa.array([1, None, -1], pa.float32()))
    for model in compared(load_params()):
        swept(model, 1111, error=1, clips=own)
    evaluate.main()
    found = results(project)["modalities"]
    assert found.keys() == {"audio"}
    assert found["audio"].keys() == set(compared(load_params()))
    assert all(scores["clips"] == 2 for scores in found["audio"].values())
