"""Pickles of MMSA from import to metrics, through the stages that raw clips go through."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]
WORDS = ("good", "bad", "film", "the", "was", "very", "not", "story")

# Runs the command line and prints how long it took and the most memory it had, MB.
MEASURED = """
import re, sys, time
from pathlib import Path
from pipeline.commands.main import app
begin = time.perf_counter()
app(sys.argv[1:], standalone_mode=False)
seconds = time.perf_counter() - begin
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print("measured", seconds, int(peak[1]) / 1024)
"""


def test_pickle_in_the_shapes_of_mosi_reaches_metrics(
    empty_project: Path,
    make_bert: Any,
    mmsa: Any,
    run: Run,
    change_params: Callable[..., None],
    give_text_model: Any,
    tmp_path: Path,
) -> None:
    shapes = {"text": (50, 768), "audio": (375, 5), "vision": (500, 20)}
    content = mmsa(WORDS, train=1284, valid=229, test=686, **shapes)
    file = tmp_path / "unaligned_50.pkl"
    with file.open("wb") as out:
        pickle.dump(content, out)
    command = ("import-mmsa", str(file), "--dataset", "mosi")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=empty_project,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seconds, peak_mb = map(float, done.stdout.splitlines()[-1].split()[1:])
    size_mb = file.stat().st_size / 2**20
    print(f"import of {size_mb:.0f} MB: {seconds:.1f} s, peak memory {peak_mb:.0f} MB")
    assert seconds < 30
    assert peak_mb < 2 * size_mb
    give_text_model(empty_project, "mosi", make_bert(WORDS))
    change_params(empty_project, {"train": {"batch_size": None}})
    values = ("dataset=mosi", "masks.draws=1", "train.epochs=1")
    settings = [part for value in values for part in ("-S", value)]
    done = run(empty_project, "dvc", "exp", "run", *settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "train.epochs 1," in done.stdout
    assert "were published" not in done.stderr
    metrics = json.loads((empty_project / "metrics" / "test.json").read_text("utf-8"))
    assert metrics["clips"] == 686
    assert {"mae", "acc7", "acc2_without_zero"} <= metrics["models"]["lnln"].keys()
