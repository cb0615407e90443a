"""What the statistics of an evaluation cost: seconds for a large table of predictions.

    OMP_NUM_THREADS=1 python benchmarks/evaluation.py

The table is made up: clips in groups of twenty, missing rates from 0 to 1. The result is also kept
in `benchmarks/results/`, by date.
"""

import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import typer
from kept import keep, machine, peak_mb, reset_peak

from contracts.schemas import PREDICTIONS
from lnln.evaluation.by_model import by_model
from lnln.evaluation.collapse import collapses
from lnln.evaluation.comparison import compare
from lnln.evaluation.scores import scores
from lnln.evaluation.summary import results

RATES = [round(0.1 * step, 1) for step in range(11)]


def predictions(models: int, seeds: int, draws: int, clips: int) -> pa.Table:
    """Make up a table: noise around labels, more of it at higher rates."""
    random = np.random.default_rng(0)
    labels = np.round(random.uniform(-3, 3, clips), 1)
    shape = (models, seeds, len(RATES), draws, clips)
    places = np.indices(shape).reshape(5, -1)
    model, seed, rate, draw, clip = places
    noise = random.normal(size=shape) * (0.5 + np.array(RATES)[:, None, None])
    names = {
        "model": (model, [f"model {i:02d}" for i in range(models)]),
        "pattern": (np.zeros_like(model), ["random"]),
        "clip_id": (clip, [f"{i // 20:04d}/{i:05d}" for i in range(clips)]),
        "group": (clip // 20, [f"{i:04d}" for i in range(-(-clips // 20))]),
    }
    values = {
        "seed": seed,
        "rate": np.array(RATES)[rate],
        "draw": draw,
        "label": labels[clip],
        "prediction": (labels + noise).ravel(),
        "completeness": 1 - np.array(RATES)[rate],
        "observed": np.ones(len(model), bool),
    }
    columns = []
    for field in PREDICTIONS:
        if field.name in names:
            codes, known = names[field.name]
            columns.append(pa.DictionaryArray.from_arrays(codes.astype(np.int32), known))
        elif field.name in values:
            columns.append(pa.array(values[field.name]).cast(field.type))
        else:
            columns.append(pa.nulls(len(model), field.type))
    return pa.Table.from_arrays(columns, schema=PREDICTIONS)


def lines(table: pa.Table, resamples: int) -> Iterator[str]:
    """One row of Markdown per step."""
    models: list[Any] = []
    steps: dict[str, Callable[[], Any]] = {
        "arrange by model": lambda: models.extend(by_model(table, "random")),
        "all metrics: mean, area, r ≥ 0.5, with intervals": lambda: scores(
            models, "mosi", seed=1, resamples=resamples
        ),
        "collapse": lambda: collapses(models),
        "MAE of every pair of models": lambda: compare(models, "mosi", seed=1, resamples=resamples),
        "Corr of every pair of models": lambda: compare(
            models, "mosi", seed=1, metric="corr", resamples=resamples
        ),
        "the summary of the stage `evaluate`": lambda: results(
            table,
            "mosi",
            pattern="random",
            missing_rate=0.5,
            rates=RATES,
            seed=1,
            resamples=resamples,
        ),
    }
    for step, call in steps.items():
        reset_peak()
        before, begin = peak_mb(), time.process_time()
        call()
        yield f"| {step} | {time.process_time() - begin:.1f} | {peak_mb() - before:.0f} |"


def main(
    models: Annotated[int, typer.Option(help="How many.")] = 12,
    seeds: Annotated[int, typer.Option(help="Of training.")] = 5,
    draws: Annotated[int, typer.Option(help="Of masks.")] = 5,
    clips: Annotated[int, typer.Option(help="Of the test split.")] = 700,
    resamples: Annotated[int, typer.Option(help="Of the bootstrap.")] = 1000,
) -> None:
    """Print the table, and keep it with the machine it was made on."""
    table = predictions(models, seeds, draws, clips)
    size = (
        f"{models} models, {seeds} seeds, {len(RATES)} rates of {draws} draws, {clips} clips, "
        f"{resamples} resamples"
    )
    keep(
        "evaluation",
        [
            f"# Statistics of {table.num_rows} predictions",
            "",
            f"{machine('one thread')}. {size}.",
            "",
            "| step | seconds of one core | MB |",
            "|---|---|---|",
            *lines(table, resamples),
        ],
    )


if __name__ == "__main__":
    typer.run(main)
