"""What a run left behind, as far as the report tells of it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from contracts.files import read_json
from contracts.parquet import read_table
from lnln.evaluation.by_model import ModelAnswers, from_slices
from lnln.evaluation.table import Slice, read, slices
from lnln.settings import MetricSet
from pipeline.paths import METRICS, OBSERVED, PREDICTIONS, TRAINED, TRAINING, TRANSCRIPTS


@dataclass(frozen=True)
class About:
    """What was asked of the run.

    Attributes
    ----------
    dataset : str
    notice : str or None
        What has to be said wherever its results are shown.
    metric_set : {"mosi", "sims"}
    label_range : tuple of float
    model : str
        The one that the run is about.
    models : sequence of str
        All that are compared, `model` first.
    patterns : sequence of str
        Of missing data; the first is the headline's.
    rates : sequence of float
        Missing rates of the curves.
    missing_rate : float
        That of the headline.
    selection : str
        Metric by which epochs were chosen on the validation split.
    seed, resamples : int
        Of the bootstrap.
    """

    dataset: str
    notice: str | None
    metric_set: MetricSet
    label_range: tuple[float, float]
    model: str
    models: Sequence[str]
    patterns: Sequence[str]
    rates: Sequence[float]
    missing_rate: float
    selection: str
    seed: int
    resamples: int


@dataclass(frozen=True)
class Run:
    """A run's tables and files, below the working folder.

    Attributes
    ----------
    about : About
    studies : Path
        Folder of what the studies found; need not be there.
    benchmarks : Path
        Folder of kept benchmarks; need not be there.
    """

    about: About
    studies: Path
    benchmarks: Path

    @cached_property
    def predictions(self) -> list[Slice]:
        """What all models answered."""
        return list(slices(read([PREDICTIONS])))

    @cached_property
    def observed(self) -> list[dict[str, Any]]:
        """Rows of the manifest, with what could be observed of each clip."""
        return read_table(OBSERVED).to_pylist()

    @cached_property
    def words(self) -> dict[str, str]:
        """What was said, by clip."""
        rows = read_table(TRANSCRIPTS, ["clip_id", "text"]).to_pylist()
        return {row["clip_id"]: row["text"] for row in rows}

    @cached_property
    def test(self) -> dict[str, Any]:
        """What the stage `evaluate` found on the test split."""
        return _json(METRICS / "test.json")

    @cached_property
    def findings(self) -> dict[str, Any]:
        """What the studies found, by study; empty where none were run."""
        path = self.studies / "findings.json"
        return _json(path) if path.is_file() else {}

    def of_model(self, model: str) -> list[Slice]:
        """What one model answered."""
        return [answers for answers in self.predictions if answers.model == model]

    def answers(self, pattern: str, rates: Sequence[float]) -> list[ModelAnswers]:
        """Arrange what was answered by model, in the order of `About.models`."""
        found = {model.name: model for model in from_slices(self.predictions, pattern, rates)}
        return [found[name] for name in self.about.models if name in found]

    def at_headline(self, rate: float) -> ModelAnswers | None:
        """Arrange what the main model answered at one rate of the headline's pattern."""
        own = self.of_model(self.about.model)
        found = from_slices(own, self.about.patterns[0], [rate])
        return found[0] if found else None

    def trainings(self) -> list[Training]:
        """Read what was logged of every training, by model and seed, in this order."""
        found = [_training(folder) for folder in sorted(TRAINING.glob("*-*"))]
        order = list(self.about.models)
        there = [t for t in found if t.model in order]
        return sorted(there, key=lambda t: (order.index(t.model), t.seed))

    def checkpoints(self) -> dict[str, Path]:
        """Return the weights of each model, those of its first seed."""
        found: dict[str, Path] = {}
        for folder in sorted(TRAINED.glob("*-*")):
            found.setdefault(_model_and_seed(folder)[0], folder / "model.safetensors")
        return {name: found[name] for name in self.about.models if name in found}


@dataclass(frozen=True)
class Training:
    """What was logged of one training, epoch by epoch.

    Attributes
    ----------
    model : str
    seed : int
    curves : dict of str to list of (int, float)
        By term, such as `train/total`: epochs, from 1, and values.
    best_epoch : int or None
        The one that was kept, chosen on the validation split.
    """

    model: str
    seed: int
    curves: dict[str, list[tuple[int, float]]]
    best_epoch: int | None


def _training(folder: Path) -> Training:
    logged = folder / "plots" / "metrics"
    curves = {}
    for file in sorted(logged.rglob("*.tsv")):
        term = file.relative_to(logged).with_suffix("").as_posix()
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
        curves[term] = [(int(row["step"]) + 1, float(row[file.stem])) for row in rows]
    path = folder / "metrics.json"
    best = _json(path).get("best_epoch") if path.is_file() else None
    return Training(*_model_and_seed(folder), curves, best)


def _model_and_seed(folder: Path) -> tuple[str, int]:
    """Take apart what `pipeline.paths.run_name` put together."""
    model, _, seed = folder.name.rpartition("-")
    return model, int(seed)


def _json(path: Path) -> dict[str, Any]:
    return read_json(path)
