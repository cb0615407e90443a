"""Models are compared by whatever names a person has for their predictions."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from contracts.features import FeatureInfo
from contracts.schemas import MODALITIES
from lnln.checkpoints.config import Config
from lnln.evaluation.table import Condition, answers, join, write
from lnln.models.constant.settings import SETTINGS as ConstantSettings
from lnln.models.interface import Scores
from lnln.settings import Shapes
from pipeline.commands.main import app

CLIPS = 40
LABELS = np.random.default_rng(0).uniform(-3, 3, CLIPS).round(1)
Predict = Callable[..., pa.Table]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["compare", *arguments])


def found(*arguments: str) -> dict:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def predicted(
    errors: dict[str, float],
    *,
    seeds: Sequence[int] = (1, 2),
    rates: Sequence[float] = (0.0, 0.5, 0.9),
    clips: int = CLIPS,
    pattern: str = "random",
) -> pa.Table:
    """Predictions of models that are off by noise of some size; of size 0 they are a constant."""
    columns = pa.table(
        {
            "clip_id": [f"v/{i:02d}" for i in range(clips)],
            "group": [f"v{i % 12}" for i in range(clips)],
            "label": pa.array(LABELS[:clips], pa.float32()),
            **{f"label_{letter}": pa.nulls(clips, pa.float32()) for letter in "tav"},
        }
    )
    rows = []
    for model, size in errors.items():
        for seed in seeds:
            noise = np.random.default_rng([seed, int(100 * size)])
            for rate in rates:
                said = LABELS + size * noise.normal(size=CLIPS) if size else np.full(CLIPS, 0.5)
                rows.append(
                    answers(
                        model,
                        seed,
                        Condition(pattern, rate, 0),
                        columns,
                        Scores(said[:clips], None),
                        np.full(clips, 1 - rate),
                        np.full(clips, True),
                    )
                )
    return join(rows)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project after `dvc repro`: three models, two seeds."""
    monkeypatch.chdir(tmp_path)
    write(
        predicted({"lnln": 0.5, "ridge": 2.0, "constant": 0.0}),
        Path("outputs/predictions.parquet"),
    )
    Path("outputs/dataset.json").write_text('{"metric_set": "mosi"}', "utf-8")
    return tmp_path


def test_first_model_is_compared_with_each_of_the_others(folder: Path) -> None:
    content = found("lnln", "ridge", "constant")
    assert [row["model"] for row in content["scores"]] == ["lnln", "ridge", "constant"]
    assert [(row["a"], row["b"]) for row in content["differences"]] == [
        ("lnln", "ridge"),
        ("lnln", "constant"),
    ]
    for row in content["differences"]:
        assert row["low"] < row["difference"] < row["high"] < 0
        assert (row["comparisons"], row["seeds"], row["units"]) == (2, 2, 12)
    assert content["collapsed"] == {"lnln": [], "ridge": [], "constant": [0.0, 0.5, 0.9]}
    assert content["rates"] == [0.0, 0.5, 0.9]


def test_tables_and_sentences_say_it_in_plain_words(folder: Path) -> None:
    result = run("lnln", "ridge", "constant")
    text = " ".join(result.stdout.split())
    assert "MAE, mean over r = 0, 0.5, 0.9; pattern random" in text
    assert "lower than ridge's (95 % interval -" in text
    assert "after Holm's correction over 2 comparisons)" in text
    assert "lnln - ridge" in text and "at every r" in text


def test_undefined_values_are_called_so(folder: Path) -> None:
    text = " ".join(run("lnln", "constant", "--metric", "corr").stdout.split())
    assert "lnln and constant cannot be compared in Corr: it is undefined for constant." in text
    (row,) = found("lnln", "constant", "--metric", "corr")["differences"]
    assert (row["difference"], row["p"], row["value_b"], row["undefined"]) == (None, None, None, 1)


def test_other_sums_of_the_curve_and_rates_can_be_asked_for(folder: Path) -> None:
    high = found("lnln", "ridge", "--over", "high")["scores"][0]["value"]
    at = [found("lnln", "ridge", "--over", r)["scores"][0]["value"] for r in ("0.5", "0.9")]
    assert high == pytest.approx(np.mean(at))
    assert found("lnln", "ridge", "--rate", "0.5", "--rate", "0.9")["scores"][0][
        "value"
    ] == pytest.approx(high)


def test_same_call_prints_the_same(folder: Path) -> None:
    assert run("lnln", "ridge").stdout == run("lnln", "ridge").stdout


# Names


def test_tables_elsewhere_are_named_by_path_and_model(folder: Path) -> None:
    write(predicted({"lnln": 1.0, "other": 1.5}), Path("elsewhere/a.parquet"))
    content = found("lnln", "elsewhere/a.parquet:lnln", "elsewhere/a.parquet:other")
    assert [row["model"] for row in content["scores"]] == [
        "lnln",
        "elsewhere/a.parquet:lnln",
        "other",
    ]
    everything = found("ridge", "elsewhere/a.parquet")
    assert [row["model"] for row in everything["scores"]] == ["ridge", "lnln", "other"]


def test_default_table_can_be_another(folder: Path) -> None:
    shutil.move("outputs/predictions.parquet", "old.parquet")
    content = found("lnln", "ridge", "--predictions", "old.parquet", "--metric-set", "mosi")
    assert len(content["scores"]) == 2


def checkpoint(folder: str, seed: int | None, weights: str) -> None:
    """What is read of a checkpoint of the model `constant`: its config."""
    shapes = Shapes(
        text_dim=1, audio_dim=1, vision_dim=1, text_length=3, audio_length=1, vision_length=1
    )
    config = Config(
        model="constant",
        settings=ConstantSettings(),
        shapes=shapes,
        normalisation=None,
        features={m: FeatureInfo(modality=m, names=("one",)) for m in MODALITIES},
        language=None,
        metric_set="mosi",
        label_range=(-3, 3),
        dataset="toy",
        training={} if seed is None else {"settings": {"seed": seed}},
        weights_sha256=weights,
    )
    Path(folder).mkdir(parents=True)
    (Path(folder) / "config.json").write_text(config.model_dump_json(), "utf-8")
    (Path(folder) / "model.safetensors").touch()


def test_checkpoint_means_its_predictions_and_its_seed(folder: Path) -> None:
    for seed in (1, 2):
        name = f"constant-{seed}"
        write(
            predicted({"constant": 0.0}, seeds=[seed]), Path(f"outputs/predictions/{name}.parquet")
        )
        checkpoint(f"models/trained/{name}", seed, weights=name)
    checkpoint("models/chosen", 1, weights="constant-1")
    content = found("models/chosen", "models/trained/constant-2")
    assert [(r["model"], r["seeds"]) for r in content["scores"]] == [
        ("constant-1", 1),
        ("constant-2", 1),
    ]
    assert any("one seed" in note for note in content["notes"])
    assert content["differences"][0]["p"] == 1


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (1, "constant-1.parquet is of models/trained/constant-1, which has other weights"),
        (None, "its training left no seed"),
        (3, "outputs/predictions/constant-3.parquet is not there: run dvc repro"),
    ],
)
def test_checkpoint_whose_predictions_are_not_here_is_told(
    folder: Path, seed: int | None, message: str
) -> None:
    checkpoint("models/trained/constant-1", 1, weights="1")
    checkpoint("models/elsewhere", seed, weights="2")
    result = run("lnln", "models/elsewhere")
    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.slow
def test_experiments_and_revisions_are_read_through_dvc(folder: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)

    def dvc(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", "dvc", *arguments], check=True, capture_output=True)

    Path("params.yaml").write_text("model:\n  name: lnln\n", "utf-8")
    git("init", "-b", "main")
    dvc("init")
    dvc("config", "core.analytics", "false")
    dvc("add", "outputs/predictions.parquet")
    git("add", "-A")
    git("add", "-f", "outputs/dataset.json")
    git("commit", "-m", "first")
    git("tag", "first")
    Path("outputs/predictions.parquet").chmod(0o644)
    Path("outputs/predictions.parquet").unlink()
    write(predicted({"lnln": 1.5, "ridge": 2.0}), Path("outputs/predictions.parquet"))
    dvc("add", "outputs/predictions.parquet")
    git("commit", "-am", "second")
    Path("outputs/predictions.parquet").unlink()
    write(predicted({"lnln": 0.1}), Path("outputs/predictions.parquet"))
    dvc("add", "outputs/predictions.parquet")
    dvc("exp", "save", "--name", "better-one")
    git("checkout", "-f", "HEAD")
    dvc("checkout", "--force")
    (row, other) = found("better-one", "lnln")["scores"]
    assert row["value"] < 0.2 < other["value"]
    content = found("lnln", "first", "first:constant")
    assert [row["model"] for row in content["scores"]] == ["lnln", "first:lnln", "constant"]
    values = [row["value"] for row in content["scores"]]
    assert values[1] < values[0]
    result = run("lnln", "first:text_only")
    assert "first:text_only: it has no model text_only, but constant, lnln, ridge" in result.output
    shutil.rmtree(".dvc/cache")
    result = run("lnln", "first")
    assert "first has no outputs/predictions.parquet that is to be had here" in result.output
    assert "dvc pull" in result.output


# Refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lnln"], "a comparison takes two models or more"),
        (["lnln", "lnln"], "lnln is named twice"),
        (["lnln", "nobody"], "no model of outputs/predictions.parquet (constant, lnln, ridge)"),
        (["lnln", "ridge", "--metric", "acc3"], "--metric acc3: give one of acc7, acc5"),
        (["lnln", "ridge", "--over", "most"], "--over most: give mean, area, high, or"),
        (["lnln", "ridge", "--over", "0.4"], "the models were asked at r = 0, 0.5, 0.9"),
        (["lnln", "ridge", "--pattern", "block"], "under the pattern block; its patterns: random"),
        (["lnln", "ridge", "--rate", "0.4"], "not asked under the pattern random at r = 0.4"),
        (["lnln", "short.parquet"], "not asked about the same clips: only lnln has v/39"),
        (["lnln", "rates.parquet"], "only lnln has r = 0.9 (draw 0)"),
        (["lnln", "seeds.parquet"], "lnln was trained with 2 seeds, b with 1"),
        (["lnln", "broken.parquet"], "broken.parquet is no Parquet file"),
        (["lnln", "empty.parquet:c"], "it has no model c, but b"),
    ],
)
def test_what_cannot_be_compared_is_one_message(
    folder: Path, arguments: list[str], message: str
) -> None:
    write(predicted({"b": 1.0}, clips=39), Path("short.parquet"))
    write(predicted({"b": 1.0}, rates=(0.0, 0.5)), Path("rates.parquet"))
    write(predicted({"b": 1.0}, seeds=[1]), Path("seeds.parquet"))
    write(predicted({"b": 1.0}), Path("empty.parquet"))
    Path("broken.parquet").write_text("no", "utf-8")
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert message in result.output
    assert "Traceback" not in result.output


def test_dataset_that_is_not_known_must_be_said(folder: Path) -> None:
    Path("outputs/dataset.json").unlink()
    assert "--metric-set mosi" in run("lnln", "ridge").output
    assert found("lnln", "ridge", "--metric-set", "sims")["scores"]
