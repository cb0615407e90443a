"""What a user does after the first `dvc repro`: other params, other clips, other code."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.parquet import read_table
from tests.end_to_end.conftest import FLOORS

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]
Change = Callable[[Path, dict[str, Any]], None]
MODELS = ("lnln", *FLOORS)


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '(.+?)'", output))


def of(models: tuple[str, ...], *seeds: int) -> set[str]:
    """Stages that train models and ask them."""
    return {f"{stage}@{m}-{seed}" for stage in ("train", "sweep") for m in models for seed in seeds}


def sweeps(models: tuple[str, ...]) -> set[str]:
    return {name for name in of(models, 1111) if name.startswith("sweep")}


def results(folder: Path) -> dict[str, bytes]:
    written = [
        file
        for name in ("metrics", "plots", "models", "outputs/predictions")
        for file in (folder / name).rglob("*")
        if file.is_file()
    ]
    written.append(folder / "outputs" / "predictions.parquet")
    return {str(file.relative_to(folder)): file.read_bytes() for file in written}


def content(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def replace(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file.write_text(text, "utf-8")


def test_experiment_with_another_missing_rate(copy: Path, run: Run) -> None:
    before = content(copy / "metrics" / "test.json")
    done = run(copy, "dvc", "exp", "run", "-S", "missing_rate=0.7")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {"incomplete", *sweeps(MODELS), "evaluate", "report"}
    after = content(copy / "metrics" / "test.json")
    assert after["missing_rate"] == 0.7
    assert after["models"]["lnln"] != before["models"]["lnln"]
    assert after["models"]["constant"] == before["models"]["constant"]


def test_other_patterns_of_missing_data_are_judged_and_nothing_is_trained(
    copy: Path, run: Run
) -> None:
    before = content(copy / "metrics" / "test.json")
    done = run(copy, "dvc", "exp", "run", "-S", "masks.patterns=[random,block_end,synchronous]")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {"incomplete", *sweeps(MODELS), "evaluate", "report"}
    after = content(copy / "metrics" / "test.json")
    assert after["patterns"].keys() == {"block_end", "synchronous"}
    assert after["patterns"]["block_end"]["models"].keys() == set(MODELS)
    del after["patterns"]
    assert after == before


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("lnln.width=wide", "lnln.width: 'wide' is not allowed: Input should be a valid integer"),
        ("model.name=lnlm", "Parameters 'lnlm' are missing from 'params.yaml'"),  # DVC itself
    ],
    ids=["value", "model"],
)
def test_experiment_with_a_bad_value_is_refused_with_its_name(
    copy: Path, run: Run, value: str, told: str
) -> None:
    done = run(copy, "dvc", "exp", "run", "-S", value)
    assert done.returncode != 0
    assert told in done.stdout + done.stderr


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(
    copy: Path, run: Run, change_params: Change
) -> None:
    first = results(copy)
    change_params(copy, {"run": {"workers": 1, "cache": ""}})  # nothing kept helps
    done = run(copy, "dvc", "repro", "--force")
    assert done.returncode == 0, done.stderr
    assert len(stages_run(done.stdout)) == 15 + 2 * len(MODELS)
    assert results(copy) == first


def test_clip_added_to_the_folder_is_taken_in(
    copy: Path, run: Run, add_to_sample: Callable[..., None]
) -> None:
    add_to_sample(copy, (("adam", "003"),))
    done = run(copy, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert "dataset" not in stages_run(done.stdout)
    assert "adam/003" in read_table(copy / "outputs" / "manifest.parquet")["clip_id"].to_pylist()
    assert content(copy / "metrics" / "test.json")["clips"] == 4


def test_other_words_in_the_code_run_nothing_but_its_hashes(copy: Path, run: Run) -> None:
    training = copy / "lnln" / "training"
    replace(training / "checking.py", ("load the other kind", "take the other one"))  # of an error
    replace(
        training / "run.py",
        ("Called with each row of the history", "Given each row of the history"),
    )
    for package in ("contracts", "extractors", "lnln", "pipeline"):
        for path in (copy / package).rglob("*.py"):
            text = path.read_text("utf-8").replace('"""', '"""In other words. ', 1)
            path.write_text(text + '\n# a comment\n"""and a text"""\n', "utf-8")
    done = run(copy, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {"code"}


def test_another_template_of_the_card_writes_the_card_again_and_nothing_else(
    copy: Path, run: Run
) -> None:
    template = copy / "lnln" / "checkpoints" / "card_template.md"
    replace(template, ("## Limits", "## What it cannot do"))
    done = run(copy, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {"code", "card"}
    assert "## What it cannot do" in (copy / "models" / "lnln" / "README.md").read_text("utf-8")


def test_other_code_of_one_model_trains_that_model_again_and_no_other(copy: Path, run: Run) -> None:
    before = content(copy / "metrics" / "test.json")["models"]
    replace(
        copy / "lnln" / "models" / "ridge" / "model.py",
        ("float(best.intercept_)", "float(best.intercept_) + 0.5"),
    )
    done = run(copy, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {
        "code",
        *of(("ridge",), 1111),
        "evaluate",
        "report",
        "choose",
    }
    after = content(copy / "metrics" / "test.json")["models"]
    assert {name for name in MODELS if after[name] != before[name]} == {"ridge"}


def test_more_seeds_train_what_is_new_and_report_mean_and_deviation(copy: Path, run: Run) -> None:
    before = content(copy / "metrics" / "test.json")
    done = run(copy, "dvc", "exp", "run", "-S", "train.seeds=[1111,1112]")
    assert done.returncode == 0, done.stderr
    after = content(copy / "metrics" / "test.json")
    assert (before["seeds"], after["seeds"]) == ([1111], [1111, 1112])
    assert "deviation" not in before
    assert after["deviation"]["models"]["lnln"]["mae"] > 0
    found = {
        seed: content(copy / "models" / "trained" / f"lnln-{seed}" / "config.json")
        for seed in after["seeds"]
    }
    best = min(found, key=lambda seed: found[seed]["training"]["validation"]["mae"])
    chosen = content(copy / "models" / "lnln" / "config.json")
    assert chosen["weights_sha256"] == found[best]["weights_sha256"]
    assert chosen["training"] == found[best]["training"]
    card = {"card"} if best == 1112 else set()
    assert stages_run(done.stdout) == {*of(MODELS, 1112), "evaluate", "report", "choose", *card}


def test_another_model_is_chosen_by_its_name(copy: Path, run: Run, tmp_path: Path) -> None:
    done = run(copy, "dvc", "exp", "run", "-S", "model.name=text_only")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {
        "dataset",
        *of(("text_only",), 1111),
        *("evaluate", "report", "choose", "card"),
    }
    assert content(copy / "metrics" / "test.json")["models"].keys() == {"text_only", *FLOORS}
    assert content(copy / "models" / "lnln" / "config.json")["model"] == "text_only"
    drawn = run(copy, "dvc", "plots", "show", "--out", str(tmp_path / "plots"))
    assert drawn.returncode == 0, drawn.stderr
    clip = "data/sample/Raw/adam/004.mp4"
    answer = run(copy, "pipeline", "predict", clip, "--json", "--offline")
    assert answer.returncode == 0, answer.stderr
    (row,) = json.loads(answer.stdout)["predictions"]
    assert -3 <= row["prediction"] <= 3
    assert row["w"] is None


@pytest.mark.parametrize(
    ("changes", "trained"),
    [
        ({"lnln": {"variant": "official"}}, ("lnln",)),
        ({"train": {"finetune_language": True, "epochs": 1}}, ("lnln",)),
    ],
    ids=["official", "finetune_language"],
)
def test_other_networks_go_the_whole_way(
    copy: Path, run: Run, change_params: Change, changes: dict[str, Any], trained: tuple[str, ...]
) -> None:
    change_params(copy, changes)
    done = run(copy, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {
        "dataset",
        *of(trained, 1111),
        *("evaluate", "report", "choose", "card"),
    }
    clip = "data/sample/Raw/adam/004.mp4"
    answer = run(copy, "pipeline", "predict", clip, "--json", "--offline")
    assert answer.returncode == 0, answer.stderr
    (row,) = json.loads(answer.stdout)["predictions"]
    assert -3 <= row["prediction"] <= 3
    assert row["w"] is None  # so small a network has not learned it: "w is not shown"
    assert any(said.startswith("w is not shown") for said in row["warnings"])
