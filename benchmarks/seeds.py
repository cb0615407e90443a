"""Train and evaluate with several seeds; print mean and standard deviation beside the floors.

    python benchmarks/seeds.py                  # after `dvc repro`, on its features and masks

The table that the README quotes. It is also kept in `benchmarks/results/`, by date, with the
machine it was made on. Nothing is chosen from it.
"""

import datetime
import os
import platform
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from extractors.tables import replacing
from lnln.checkpoint import save
from lnln.evaluation import Evaluation
from pipeline.evaluate import judge
from pipeline.params import Params, ResolvedDataset, load_dataset, load_params
from pipeline.train import fit

RESULTS = Path(__file__).parent / "results"


def run(params: Params, dataset: ResolvedDataset, seed: int) -> Evaluation:
    """Train with one seed and judge the result; the outputs of the stages stay as they are."""
    params = params.model_copy(update={"train": params.train.model_copy(update={"seed": seed})})
    checkpoint = fit(params, dataset, on_epoch=lambda row: None)
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder), checkpoint)
        return judge(params, dataset, Path(folder))


def table(evaluations: Sequence[Evaluation], rates: Sequence[float]) -> str:
    """Return a Markdown table over the missing rates, the last row their mean."""
    found = [
        [{(row["rate"], row["predictor"]): row for row in e.by_rate}, e.metrics["mean_over_rates"]]
        for e in evaluations
    ]
    lines = [
        "| r | LNLN MAE | ridge MAE | constant MAE | LNLN Corr | ridge Corr |",
        "|---|---|---|---|---|---|",
    ]
    for rate in [*rates, None]:
        cells = ["mean" if rate is None else f"{rate:g}"]
        for metric, predictors in (
            ("mae", ("lnln", "ridge", "constant")),
            ("corr", ("lnln", "ridge")),
        ):
            for predictor in predictors:
                values = [
                    (mean[predictor] if rate is None else rows[rate, predictor])[metric]
                    for rows, mean in found
                ]
                spread = statistics.stdev(values) if len(set(values)) > 1 else 0
                cell = f"{statistics.mean(values):.3f}"
                cells.append(f"{cell} ± {spread:.3f}" if spread else cell)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(
    seeds: Annotated[
        str, typer.Option(help="Training seeds, with commas between.")
    ] = "1111,1112,1113",
) -> None:
    """Train with several seeds; print mean and standard deviation beside the floors."""
    params, dataset = load_params(), load_dataset()
    evaluations = [run(params, dataset, int(seed)) for seed in seeds.split(",")]
    today = datetime.date.today().isoformat()
    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )
    text = (
        f"# {dataset.name}: test split, seeds {seeds}\n\n{today}, {machine}. Mean ± standard "
        f"deviation over the seeds.\n\n{table(evaluations, params.evaluate.rates)}\n"
    )
    with replacing(RESULTS / f"{today}-seeds-{dataset.name}.md") as temporary:
        temporary.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    typer.run(main)
