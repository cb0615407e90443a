"""What statistics and report of 12 models with 5 seeds each take: the stages evaluate and report.

    python benchmarks/report.py

Made-up predictions stand for the models, each asked about as many clips as MOSI's test split has,
in 5 draws at 11 missing rates: once under the patterns that params.yaml names, once under seven.
Each stage runs in a process of its own, as `dvc repro` runs it. Nothing else of a run is there
(clips, trainings, studies), and nothing else of the report grows with it. The result is also kept
in `benchmarks/results/`, by date.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stdout
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import typer
import yaml
from kept import keep, machine

from contracts.parquet import write_table
from contracts.schemas import MANIFEST, PREDICTIONS, TRANSCRIPTS
from lnln.evaluation.table import write
from lnln.missing.patterns import conditions
from pipeline.params import load_params, resolve_dataset
from pipeline.paths import DATASET, DATASETS, OBSERVED, PARAMS, SWEPT, run_name
from pipeline.paths import TRANSCRIPTS as SAID
from pipeline.stage import write_json

ROOT = Path(__file__).parents[1]
PATTERNS = ("random", "unequal", "bursts", "block", "synchronous", "no_text", "no_audio")
RATES = [round(0.1 * step, 1) for step in range(11)]
DRAWS = 5
PER_GROUP = 20  # clips of one video


def asked(patterns: Sequence[str], clips: int) -> dict[str, np.ndarray]:
    """Lay out what every model is asked, as columns of the table of predictions."""
    random = np.random.default_rng(0)
    label = np.round(random.uniform(-3, 3, clips), 1).astype(np.float32)
    names = np.array([f"{i // PER_GROUP:03}/{i:04}" for i in range(clips)], dtype=object)
    where = conditions(patterns, RATES, DRAWS)
    rate = np.repeat([c.rate for c in where], clips)
    return {
        "pattern": np.repeat(np.array([c.pattern for c in where], dtype=object), clips),
        "rate": rate,
        "draw": np.repeat([c.draw for c in where], clips),
        "clip_id": np.tile(names, len(where)),
        "group": np.tile([name[:3] for name in names], len(where)),
        "label": np.tile(label, len(where)),
        "completeness": np.clip(1 - rate + random.normal(0, 0.1, len(rate)), 0, 1),
        "observed": np.ones(len(rate), bool),
    }


def answered(questions: dict[str, np.ndarray], model: str, seed: int, place: int) -> pa.Table:
    """Answer with the label, less of it the more is missing and the later the model stands."""
    random = np.random.default_rng([place, seed])
    rate, label = questions["rate"], questions["label"]
    noise = random.standard_normal((2, len(rate)), np.float32)
    prediction = (1 - rate) * label / (1 + 0.1 * place) + noise[0]
    half = 1 + rate + 0.1 * np.abs(noise[1])
    columns = questions | {
        "model": np.full(len(rate), model, dtype=object),
        "seed": np.full(len(rate), seed),
        "prediction": prediction,
        "low": prediction - half,
        "high": prediction + half,
        "level": np.full(len(rate), 0.9),
    }
    if place == 0:
        columns["w"] = questions["completeness"]
    arrays = []
    for field in PREDICTIONS:
        values = columns.get(field.name)
        array = pa.nulls(len(rate), field.type) if values is None else pa.array(values)
        if pa.types.is_dictionary(field.type):
            array = array.dictionary_encode()
        arrays.append(array.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=PREDICTIONS)


def run_of(models: int, seeds: int, clips: int, patterns: Sequence[str]) -> list[str]:
    """Write what the stages read into the working folder, and name the models."""
    content = yaml.safe_load((ROOT / PARAMS).read_text("utf-8"))
    content["train"]["seeds"] = list(range(seeds))
    content["evaluate"]["rates"] = RATES
    content["masks"] |= {"patterns": list(patterns), "draws": DRAWS}
    PARAMS.write_text(yaml.safe_dump(content), "utf-8")
    DATASETS.write_bytes((ROOT / DATASETS).read_bytes())
    params = load_params()
    write_json(resolve_dataset(params).model_dump(mode="json", exclude={"models"}), DATASET)
    write_table(MANIFEST.empty_table(), OBSERVED)
    write_table(TRANSCRIPTS.empty_table(), SAID)
    names = [params.model.name, *(f"model_{i}" for i in range(1, models))]
    questions = asked(patterns, clips)
    for place, name in enumerate(names):
        for seed in range(seeds):
            table = answered(questions, name, seed, place)
            write(table, SWEPT / f"{run_name(name, seed)}.parquet")
    return names


def run_stage(name: str, models: list[str]) -> None:
    """Run a stage as if these models were compared."""
    stage: Any = import_module(f"pipeline.stages.{name}")
    stage.compared = lambda _: models
    sys.argv = [name]
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        stage.main()


def rows(models: int, seeds: int, clips: int, patterns: Sequence[str]) -> Iterator[str]:
    """One row of Markdown per stage."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        names = run_of(models, seeds, clips, patterns)
        for stage in ("evaluate", "report"):
            before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
            process = get_context("spawn").Process(target=run_stage, args=(stage, names))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(f"the stage {stage} failed")
            after, wall = getrusage(RUSAGE_CHILDREN), time.perf_counter() - began
            of_processors = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            yield f"| {', '.join(patterns)} | {stage} | {wall:.1f} | {of_processors:.1f} |"


def main(
    models: Annotated[int, typer.Option(help="How many.")] = 12,
    seeds: Annotated[int, typer.Option(help="Of training.")] = 5,
    clips: Annotated[int, typer.Option(help="Of the test split.")] = 686,
) -> None:
    """Print the table, and keep it with the machine it was made on."""
    default = yaml.safe_load((ROOT / PARAMS).read_text("utf-8"))["masks"]["patterns"]
    keep(
        "report",
        [
            f"# Statistics and report of {models} models with {seeds} seeds",
            "",
            machine(f"{os.environ.get('OMP_NUM_THREADS', 'all')} threads") + ".",
            f"{len(RATES)} rates, up to {DRAWS} draws, {clips} clips.",
            "",
            "| patterns | stage | seconds | seconds of processors |",
            "|---|---|---|---|",
            *rows(models, seeds, clips, default),
            *rows(models, seeds, clips, PATTERNS),
        ],
    )


if __name__ == "__main__":
    typer.run(main)
