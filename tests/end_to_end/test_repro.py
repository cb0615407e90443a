"""From raw clips to metrics: what one `dvc repro` leaves behind, and what a change runs again."""

import csv
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from contracts.features import read_modality
from contracts.parquet import read_table
from contracts.quarantine import read_quarantine
from pipeline.params import load_dataset
from pipeline.stage import StageError
from pipeline.stages.splits import read_split
from tests.end_to_end.conftest import FLOORS

Run = Callable[..., subprocess.CompletedProcess[str]]
MODELS = ("lnln", *FLOORS)


@pytest.fixture
def manifest(project: Path) -> pa.Table:
    return read_table(project / "outputs" / "manifest.parquet")


def content(file: Path) -> dict:
    return json.loads(file.read_text("utf-8"))


def observed(project: Path, modality: str, clip_id: str) -> np.ndarray:
    table = read_modality(project / "outputs" / "features" / modality)
    (rows,) = table.filter(pc.equal(table["clip_id"], clip_id))["observed"].to_pylist()
    return np.array(rows)


def test_every_readable_clip_is_in_the_manifest_under_its_split(manifest: pa.Table) -> None:
    counts = {split: manifest["split"].to_pylist().count(split) for split in ("train", "valid")}
    assert (len(manifest), counts) == (11, {"train": 6, "valid": 2})
    assert not any(Path(path).is_absolute() for path in manifest["path"].to_pylist())


def test_every_broken_clip_is_quarantined_with_its_reason(project: Path) -> None:
    rows = [
        row
        for file in sorted((project / "outputs" / "quarantine").glob("*.csv"))
        for row in read_quarantine(file)
    ]
    reasons = {row.clip_id: (row.stage, row.reason) for row in rows}
    for clip_id, stage, reason in (
        ("fiona/empty", "ingest", "the file is empty"),
        ("karl/renamed", "ingest", "not a readable video"),
        ("milo/truncated", "ingest", "not a readable video"),
        ("../../outside/001", "ingest", "not a plain name"),
        ("ivy/nothing", "transcribe", "no words in it"),
    ):
        found_stage, found_reason = reasons.pop(clip_id)
        assert found_stage == stage
        assert reason in found_reason
    assert not reasons


def test_a_clip_without_transcript_is_transcribed(project: Path) -> None:
    rows = read_table(project / "outputs" / "transcripts.parquet").to_pylist()
    assert {row["clip_id"]: row["source"] for row in rows if row["source"] != "given"} == {
        "joe/002": "asr"
    }
    assert all(row["text"] for row in rows)


def test_what_a_clip_lacks_is_unobserved_and_keeps_its_place_in_time(project: Path) -> None:
    for modality, clip_id in (
        ("audio", "milo/002"),
        ("audio", "karl/013"),
        ("vision", "nell/003"),
    ):
        rows = observed(project, modality, clip_id)
        assert len(rows) > 10
        assert not rows.any(), clip_id
    leaves = observed(project, "vision", "steph/009")
    assert 0 < leaves.mean() < 1


def test_metrics_hold_the_network_beside_its_floors(project: Path) -> None:
    metrics = content(project / "metrics" / "test.json")
    assert (metrics["missing_rate"], metrics["pattern"]) == (0.5, "random")
    assert metrics["clips"] == 3
    assert metrics["models"].keys() == set(MODELS)
    for scores in metrics["models"].values():
        assert {"mae", "corr", "acc7", "acc5", "acc2_with_zero", "f1_with_zero"} <= scores.keys()
    assert metrics["models"]["lnln"]["mae"] > 0
    assert {"w_mae", "w_corr"} <= metrics["models"]["lnln"].keys()
    assert metrics["mean_over_rates"].keys() == set(MODELS)
    assert content(project / "metrics" / "observed.json")["vision"]["missing"] == {"no face": 1}


def test_curves_have_a_point_per_missing_rate(project: Path) -> None:
    with (project / "plots" / "mae.csv").open(newline="") as file:
        assert [row["rate"] for row in csv.DictReader(file)] == ["0.0", "0.9"]
    assert (project / "plots" / "rates.png").read_bytes().startswith(b"\x89PNG")


def test_answers_to_the_test_split_open_in_pandas_polars_and_datasets(
    project: Path, tmp_path: Path
) -> None:
    import datasets
    import pandas
    import polars

    path = project / "outputs" / "predictions.parquet"
    with (project / "plots" / "predictions.csv").open(newline="", encoding="utf-8") as file:
        drawn = [float(line["prediction"]) for line in csv.DictReader(file)]
    frame = pandas.read_parquet(path)
    asked = (frame["model"] == "lnln") & (frame["pattern"] == "random") & (frame["rate"] == 0.5)
    told = frame[asked].sort_values(["draw", "clip_id"])
    assert told["clip_id"].tolist() == ["adam/004", "steph/009", "steph/011"] * 2
    assert told["prediction"].tolist() == drawn
    lnln = polars.read_parquet(path).filter(polars.col("model").cast(str) == "lnln")
    assert lnln["w"].is_between(0, 1).all()
    assert lnln["completeness"].is_between(0, 1).all()
    table = datasets.load_dataset(
        "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path)
    )
    assert table[0]["seed"] == 1111


def test_dvc_shows_metrics_and_plots(copy: Path, run: Run, tmp_path: Path) -> None:
    shown = run(copy, "dvc", "metrics", "show", "--json")
    assert json.loads(shown.stdout)[""]["data"]["metrics/test.json"]["data"]["clips"] == 3
    drawn = run(copy, "dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    assert drawn.returncode == 0, drawn.stderr
    page = (tmp_path / "plots" / "index.html").read_text("utf-8")
    for title in yaml.safe_load((copy / "dvc.yaml").read_text("utf-8"))["plots"]:
        if isinstance(title, dict):
            assert next(iter(title)) in page


def test_what_was_used_is_what_dvc_the_checkpoint_and_the_card_say(project: Path, run: Run) -> None:
    used = content(project / "outputs" / "settings.json")["lnln"]
    assert used["model"]["width"] == 16  # of params.yaml
    assert used["model"]["loss"]["adversarial"] == 0.1  # of the preset
    assert used["model"]["depth"] == 2  # of the model
    assert (used["train"]["epochs"], used["train"]["averaging"]) == (2, 0.99)
    config = content(project / "models" / "lnln" / "config.json")
    assert config["settings"] == used["model"]
    assert config["training"]["settings"] == used["train"] | {"seed": 1111}
    shown = run(project, "dvc", "exp", "show", "--csv")
    assert shown.returncode == 0, shown.stderr
    row = next(csv.DictReader(shown.stdout.splitlines()))
    card = (project / "models" / "lnln" / "README.md").read_text("utf-8")
    for section, settings in used.items():
        for key, value in leaves(settings):
            assert row[f"lnln.{section}.{key}"] == str(value)
            assert f"{key} | {value} |" in card


def leaves(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def test_checkpoint_holds_no_pickle(project: Path) -> None:
    names = {file.name for file in (project / "models" / "lnln").iterdir()}
    assert names == {"model.safetensors", "config.json", "README.md"}


def test_a_second_repro_runs_nothing(copy: Path, run: Run) -> None:
    done = run(copy, "dvc", "repro")
    assert "Data and pipelines are up to date." in done.stdout
    assert "Running stage" not in done.stdout


def test_another_missing_rate_runs_nothing_up_to_training(copy: Path, run: Run) -> None:
    params = (copy / "params.yaml").read_text("utf-8")
    (copy / "params.yaml").write_text(params.replace("missing_rate: 0.5", "missing_rate: 0.7"))
    changed = json.loads(run(copy, "dvc", "status", "dvc.yaml", "--json").stdout)
    sweeps = {f"sweep@{model}-1111" for model in MODELS}
    assert changed.keys() == {"incomplete", *sweeps, "evaluate", "report"}


def test_another_frame_rate_extracts_vision_and_cuts_recordings_anew(copy: Path, run: Run) -> None:
    params = (copy / "params.yaml").read_text("utf-8")
    (copy / "params.yaml").write_text(params.replace("fps: 10", "fps: 5"))
    assert run(copy, "dvc", "repro", "--single-item", "dataset").returncode == 0
    changed = json.loads(run(copy, "dvc", "status", "dvc.yaml", "--json").stdout)
    assert changed.keys() == {"segment", "extract@vision"}


def test_clip_without_a_label_is_refused_by_name(
    project: Path, manifest: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    column = manifest.schema.get_field_index("label")
    unlabelled = manifest.set_column(column, "label", pa.nulls(len(manifest), pa.float32()))
    with pytest.raises(StageError, match=r"split 'test': 3 clips have no label \(adam/004, "):
        read_split(unlabelled, "test", load_dataset())
