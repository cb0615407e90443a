"""What the report of a large run takes, part by part: `python benchmarks/report.py`.

A synthetic table of predictions stands for 12 models with 5 seeds each, asked about 700 clips in
5 draws at 11 missing rates under 3 patterns. Nothing else of a run is there, and nothing else
grows with it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from kept import keep, machine

from contracts.schemas import PREDICTIONS as SCHEMA
from lnln.evaluation.by_model import by_model
from lnln.evaluation.summary import by_condition, over_seeds, results
from lnln.evaluation.table import write
from pipeline.paths import PREDICTIONS
from pipeline.report.page.run import About, Run
from pipeline.report.page.sections.completeness import completeness
from pipeline.report.page.sections.confusion import confusion
from pipeline.report.page.sections.robustness import robustness
from pipeline.report.page.standings import standings

RATES = [round(0.1 * step, 1) for step in range(11)]


def predictions(models: int, seeds: int, patterns: list[str], draws: int, clips: int) -> pa.Table:
    """Answers that are the label, less of it the more is missing, and noise."""
    draw = np.random.default_rng(0)
    asked = [(p, r, d) for p in patterns for r in RATES for d in range(draws)]
    label = draw.uniform(-3, 3, clips).astype(np.float32)
    runs, conditions = models * seeds, len(asked)
    shape = (models, seeds, conditions, clips)
    kept = 1 - np.array([rate for _, rate, _ in asked], np.float32)[:, None]
    skill = np.linspace(0.9, 0.3, models, dtype=np.float32)[:, None, None, None]
    prediction = skill * kept * label + draw.standard_normal(shape, np.float32)
    completeness = np.clip(kept + draw.normal(0, 0.1, (conditions, clips)), 0, 1)

    def names(values: list[str], each: int, times: int) -> pa.DictionaryArray:
        codes = np.tile(np.repeat(np.arange(len(values)), each), times).astype(np.int32)
        return pa.DictionaryArray.from_arrays(codes, values)

    def of_condition(place: int) -> np.ndarray:
        return np.tile(np.repeat([one[place] for one in asked], clips), runs)

    rows, of_run = prediction.size, conditions * clips
    w = np.where(np.arange(rows) < seeds * of_run, np.tile(completeness.ravel(), runs), np.nan)
    columns = {
        "model": names([f"model_{i}" for i in range(models)], seeds * of_run, 1),
        "seed": np.tile(np.repeat(np.arange(seeds), of_run), models),
        "pattern": names(patterns, len(RATES) * draws * clips, runs),
        "rate": of_condition(1),
        "draw": of_condition(2),
        "clip_id": names([f"clip/{i:04}" for i in range(clips)], 1, runs * conditions),
        "group": names([f"group_{i}" for i in range(clips)], 1, runs * conditions),
        "label": np.tile(label, runs * conditions),
        **{name: pa.nulls(rows, pa.float32()) for name in ("label_t", "label_a", "label_v")},
        "prediction": prediction.ravel(),
        "w": pa.array(w, from_pandas=True),
        "completeness": np.tile(completeness.ravel(), runs),
        "observed": np.ones(rows, bool),
    }
    arrays = [pa.array(columns[f.name]).cast(f.type) for f in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def main() -> None:
    """Time every part that the size of the table decides."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--clips", type=int, default=700)
    parser.add_argument("--patterns", nargs="+", default=["random", "bursts", "synchronous"])
    size = parser.parse_args()
    about = About(
        dataset="synthetic",
        notice=None,
        metric_set="mosi",
        label_range=(-3, 3),
        model="model_0",
        models=[f"model_{i}" for i in range(size.models)],
        patterns=size.patterns,
        rates=RATES,
        missing_rate=0.5,
        selection="mae",
        seed=0,
        resamples=1000,
    )
    run = Run(about, Path("none"), Path("none"))
    took: list[tuple[str, float, float]] = []

    def timed(name: str, work: Callable[[], Any]) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        done = work()
        took.append((name, time.perf_counter() - wall, time.process_time() - processor))
        print(f"{took[-1][1]:8.1f} s, {took[-1][2]:6.1f} s of processors  {name}", flush=True)
        return done

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        table = predictions(size.models, size.seeds, size.patterns, size.draws, size.clips)
        write(table, PREDICTIONS)
        rows = table.num_rows
        del table
        one = size.patterns[0]
        read = timed("read the table", lambda: run.predictions)
        first = timed("arrange one pattern by model", lambda: by_model(run.of_pattern(one), one))
        timed(
            "scores, intervals and all comparisons of one pattern",
            lambda: standings(first, about, ["mean", "high"], at_rates=True),
        )
        timed("chapter on robustness, all patterns", lambda: robustness(run))
        timed("chapters on w and on classes", lambda: (completeness(run), confusion(run)))
        timed(
            "stage evaluate: metrics by condition", lambda: over_seeds(by_condition(read, "mosi"))
        )
        timed(
            "stage evaluate: summary of one pattern",
            lambda: results(
                run.of_pattern(one), "mosi", pattern=one, missing_rate=0.5, rates=RATES, seed=0
            ),
        )
        os.chdir(Path(__file__).parents[1])
    keep(
        "report",
        [
            "# The report of a large run",
            "",
            machine(f"{os.environ.get('OMP_NUM_THREADS', 'all')} threads"),
            "",
            f"{size.models} models, {size.seeds} seeds, {len(RATES)} rates, {size.draws} draws, "
            f"{size.clips} clips, {len(size.patterns)} patterns: {rows:,} rows",
            "",
            "| part | seconds | seconds of processors |",
            "|---|---|---|",
            *(f"| {name} | {wall:.1f} | {processor:.1f} |" for name, wall, processor in took),
        ],
    )


if __name__ == "__main__":
    main()
