"""Print mean and standard deviation over the seeds beside the floors, as a Markdown table.

    dvc exp run -S 'train.seeds=[1111,1112,1113]' && python benchmarks/seeds.py

The table that the README quotes, of what the stage `evaluate` left in `plots/rates.csv`. It is
also kept in `benchmarks/results/`, by date, with the machine it was made on. Nothing is chosen
from it.
"""

import csv
import json
from typing import Any

import torch
from kept import keep, machine

from pipeline.params import load_dataset
from pipeline.paths import METRICS, PLOTS
from pipeline.stages.evaluate import curves

MODELS = ["lnln", "text_only", "ridge", "constant"]
TITLES = {
    "lnln": "LNLN",
    "text_only": "text only",
    "ridge": "ridge",
    "constant": "constant",
    "mae": "MAE",
    "corr": "Corr",
}
COLUMNS = (("mae", MODELS), ("corr", MODELS[:-1]))  # a constant has no correlation


def table(by_rate: list[dict[str, str]], metrics: dict[str, Any]) -> str:
    """Return a Markdown table over the missing rates, the last row their mean."""
    by_rate = [row for row in by_rate if row["pattern"] == metrics["pattern"]]
    lines = [
        f"| r | {' | '.join(f'{TITLES[n]} {TITLES[m]}' for m, names in COLUMNS for n in names)} |",
        f"|{'---|' * (1 + sum(len(names) for _, names in COLUMNS))}",
    ]
    means, spreads = (
        {m: curves(by_rate, MODELS, f"{m}{d}") for m, _ in COLUMNS} for d in ("", "_deviation")
    )
    for i, row in enumerate(means["mae"]):
        cells = [
            cell(means[metric][i][name], spreads[metric][i][name])
            for metric, names in COLUMNS
            for name in names
        ]
        lines.append(f"| {float(row['rate']):g} | {' | '.join(cells)} |")
    spread = metrics.get("deviation", {}).get("mean_over_rates", {})
    cells = [
        cell(metrics["mean_over_rates"][name][metric], spread.get(name, {}).get(metric))
        for metric, names in COLUMNS
        for name in names
    ]
    return "\n".join([*lines, f"| mean | {' | '.join(cells)} |"])


def cell(mean: str | float, deviation: str | float | None) -> str:
    """Write a mean and, where there is one, its deviation."""
    spread = float(deviation or 0)
    return f"{float(mean):.3f}" + (f" ± {spread:.3f}" if spread else "")


def main() -> None:
    """Print the table, and keep it."""
    metrics = json.loads((METRICS / "test.json").read_text("utf-8"))
    with (PLOTS / "rates.csv").open(newline="", encoding="utf-8") as file:
        by_rate = list(csv.DictReader(file))
    name, seeds = load_dataset().name, ", ".join(map(str, metrics["seeds"]))
    keep(
        f"seeds-{name}",
        [
            f"# {name}: test split, seeds {seeds}",
            "",
            f"{machine(f'torch {torch.__version__}')}. Mean ± standard deviation over the seeds.",
            "",
            table(by_rate, metrics),
        ],
    )


if __name__ == "__main__":
    main()
