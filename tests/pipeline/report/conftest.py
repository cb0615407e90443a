"""What is left of a tiny run, and a browser that looks at its page."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from contracts.parquet import write_table
from contracts.schemas import MANIFEST, TRANSCRIPTS
from lnln.evaluation.summary import by_condition, results
from lnln.evaluation.table import answers, join, slices, write
from lnln.missing.patterns import Condition, conditions
from lnln.models.interface import Scores
from pipeline import paths
from pipeline.report.page.run import About, Run
from tests.pipeline.report.browser import CHROMIUM, Browser, Seen, look


@pytest.fixture
def browse(tmp_path: Path) -> Iterator[Callable[..., Seen]]:
    """Opens a page in headless Chromium: `browse(path, width=1200, dark=False)`."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with ExitStack() as stack:
        browser = stack.enter_context(Browser(tmp_path / "profile"))
        yield lambda page, **how: look(browser, page, **how)


RATES = (0.0, 0.5)
NAMES = [f"{speaker}/{number}" for speaker in "abcd" for number in range(6)]
LABELS = np.linspace(-3, 3, len(NAMES)).astype(np.float32)
# How far a model's answers are from the labels: of each clip another, the same in every draw.
NOISE = np.random.default_rng(0).normal(0, 1, len(NAMES))
# What the models say of clips with these labels when the share r of the rows is missing.
GOOD = {
    "lnln": lambda labels, r: labels + 0.2 * NOISE,
    "ridge": lambda labels, r: -labels + NOISE,
    "constant": lambda labels, r: np.full(len(labels), 0.3),
}
MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRun:
    """Writes what is left of a run into the working folder, and returns the run.

    `make_run(said=GOOD, names=NAMES, words="good", seeds=(1,), path="gone.mp4",
    patterns=("random",), half=1.5)`; `half` is half of the width of every interval.
    """
    monkeypatch.chdir(tmp_path)
    return write_run


def write_run(
    said: dict[str, Any] = GOOD,
    names: list[str] = NAMES,
    words: str = "good",
    seeds: tuple[int, ...] = (1,),
    path: str = "gone.mp4",
    patterns: tuple[str, ...] = ("random",),
    half: float | None = 1.5,
) -> Run:
    clips = pa.table(
        {
            "clip_id": names,
            "group": [name.split("/")[0] for name in names],
            "label": LABELS[: len(names)],
            **{f"label_{letter}": pa.nulls(len(names), pa.float32()) for letter in "tav"},
        }
    )
    labels = clips["label"].to_numpy()

    def asked(model: str, seed: int, condition: Condition) -> pa.Table:
        left = np.full(len(names), 1 - condition.rate)
        w = np.linspace(0.6, 0.8, len(names)) if model == "lnln" else None
        prediction = said[model](labels, condition.rate)
        observed = np.full(len(names), True)
        ends = None if half is None else (prediction - half, prediction + half, 0.9)
        return answers(model, seed, condition, clips, Scores(prediction, w), left, observed, ends)

    table = join(
        asked(model, seed, condition)
        for model in said
        for seed in seeds
        for condition in conditions(patterns, RATES, draws=2)
    )
    write(table, paths.PREDICTIONS)
    swept = list(slices(table))
    test = results(
        swept,
        by_condition(swept, "mosi"),
        "mosi",
        pattern="random",
        missing_rate=0.5,
        rates=RATES,
        seed=0,
        resamples=20,
    )
    paths.METRICS.mkdir(exist_ok=True)
    (paths.METRICS / "test.json").write_text(json.dumps(test), "utf-8")
    write_table(observed_of(names, path), paths.OBSERVED)
    rows = [{"clip_id": n, "text": words, "source": "given", "words": []} for n in names]
    write_table(pa.Table.from_pylist(rows, TRANSCRIPTS), paths.TRANSCRIPTS)
    for model in said:
        for seed in seeds:
            write_training(paths.TRAINING / paths.run_name(model, seed))
            weights = paths.TRAINED / paths.run_name(model, seed) / "model.safetensors"
            weights.parent.mkdir(parents=True)
            save_file({"head.weight": np.zeros((3, 4)), "language.embedding": np.zeros(7)}, weights)
    about = About(
        dataset="tiny",
        notice="trained on nothing",
        metric_set="mosi",
        label_range=(-3, 3),
        model=next(iter(said)),
        models=list(said),
        patterns=patterns,
        rates=RATES,
        missing_rate=0.5,
        selection="mae",
        seed=0,
        resamples=200,
    )
    return Run(about, Path("studies"), Path("benchmarks"))


def observed_of(names: list[str], path: str) -> pa.Table:
    """A manifest with what was observed: of the first clip no face, of the last nothing at all."""
    whole = {"share": 1.0, "missing": "", "gaps": []}
    none = {"share": 0.0, "missing": "no face", "gaps": []}
    rows = [
        {field.name: None for field in MANIFEST}
        | {"clip_id": name, "path": path, "sha256": "", "duration_s": 2.0, "has_audio": True}
        | {"has_video": True, "language": "en", "group": name[0], "split": "test", "text": ""}
        for name in names
    ]
    table = pa.Table.from_pylist(rows, MANIFEST)
    of_vision = [none, *[whole] * (len(names) - 2), None]
    for name, values in (("text", [whole] * len(names)), ("audio", [whole] * len(names))):
        table = table.append_column(f"observed_{name}", pa.array(values))
    return table.append_column("observed_vision", pa.array(of_vision))


def write_training(folder: Path) -> None:
    """Write what DVCLive logs in three epochs."""
    for term in ("train/total", "train/loss_prediction", "valid/mae", "valid/w_mae"):
        file = folder / "plots" / "metrics" / f"{term}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"step\t{file.stem}", *(f"{step}\t{3 / (1 + step)}" for step in range(3))]
        file.write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "metrics.json").write_text(json.dumps({"best_epoch": 2, "step": 2}), "utf-8")
