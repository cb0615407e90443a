"""What a user does after the first `dvc repro`: other params, other clips, the same again."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.parquet import read_table

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]
Change = Callable[[Path, dict[str, Any]], None]


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '(.+?)'", output))


def results(folder: Path) -> dict[str, bytes]:
    files = [f for name in ("metrics", "plots") for f in (folder / name).rglob("*") if f.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_experiment_with_another_missing_rate(copy: Path, run: Run) -> None:
    before = json.loads((copy / "metrics" / "test.json").read_text())
    done = run(copy, "dvc", "exp", "run", "-S", "missing_rate=0.7")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {"incomplete", "train@1111", "choose", "evaluate"}
    after = json.loads((copy / "metrics" / "test.json").read_text())
    assert after["missing_rate"] == 0.7
    assert after["lnln"] != before["lnln"]
    assert after["floors"]["constant"] == before["floors"]["constant"]


def test_experiment_with_a_bad_value_is_refused_with_its_name(copy: Path, run: Run) -> None:
    done = run(copy, "dvc", "exp", "run", "-S", "network.width=wide")
    assert done.returncode != 0
    assert "network.width: 'wide' is not allowed" in done.stdout + done.stderr


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(
    copy: Path, run: Run, change_params: Change
) -> None:
    first = results(copy)
    change_params(copy, {"run": {"workers": 1, "cache": ""}})  # nothing kept helps
    done = run(copy, "dvc", "repro", "--force")
    assert done.returncode == 0, done.stderr
    assert len(stages_run(done.stdout)) == 12
    assert results(copy) == first


def test_clip_added_to_the_folder_is_taken_in(
    copy: Path, run: Run, add_to_sample: Callable[..., None]
) -> None:
    add_to_sample(copy, (("adam", "003"),))
    done = run(copy, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert "dataset" not in stages_run(done.stdout)
    assert "adam/003" in read_table(copy / "outputs" / "manifest.parquet")["clip_id"].to_pylist()
    assert json.loads((copy / "metrics" / "test.json").read_text())["clips"] == 4


def test_other_words_in_the_code_run_nothing_but_its_hashes(copy: Path, run: Run) -> None:
    for path in copy.glob("*/*/*.py"):
        with path.open("a", encoding="utf-8") as file:
            file.write('\n# a comment\n"""and a text"""\n')
    done = run(copy, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {"code"}


def test_more_seeds_train_what_is_new_and_report_mean_and_deviation(copy: Path, run: Run) -> None:
    before = json.loads((copy / "metrics" / "test.json").read_text())
    done = run(copy, "dvc", "exp", "run", "-S", "train.seeds=[1111,1112,1113]")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {"train@1112", "train@1113", "choose", "evaluate"}
    after = json.loads((copy / "metrics" / "test.json").read_text())
    assert (before["seeds"], after["seeds"]) == ([1111], [1111, 1112, 1113])
    assert "deviation" not in before
    assert after["deviation"]["lnln"]["mae"] > 0
    found = {
        seed: json.loads((copy / "models" / "seeds" / str(seed) / "config.json").read_text())
        for seed in after["seeds"]
    }
    best = min(found, key=lambda seed: found[seed]["training"]["validation"]["mae"])
    assert json.loads((copy / "models" / "lnln" / "config.json").read_text()) == found[best]


@pytest.mark.parametrize(
    "changes",
    [
        {"network": {"variant": "official"}},
        {"train": {"finetune_language": True, "epochs": 1}},
    ],
    ids=["official", "finetune_language"],
)
def test_other_networks_go_the_whole_way(
    copy: Path, run: Run, change_params: Change, changes: dict[str, Any]
) -> None:
    change_params(copy, changes)
    done = run(copy, "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stdout) == {"train@1111", "choose", "evaluate"}
    clip = "data/sample/Raw/adam/004.mp4"
    answer = run(copy, "pipeline", "predict", clip, "--json", "--offline")
    assert answer.returncode == 0, answer.stderr
    (row,) = json.loads(answer.stdout)["predictions"]
    assert -3 <= row["sentiment"] <= 3
