"""Stage `evaluate`: every seed's network on the test split, beside the floors it has to beat."""

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import rich

from contracts.files import replacing
from contracts.parquet import write_table
from lnln.checkpoints.checkpoint import CheckpointError, load
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.judging import Evaluation, evaluate
from lnln.evaluation.seeds import over_seeds
from pipeline.params import Params, ResolvedDataset, load_dataset, load_params
from pipeline.paths import METRICS, PLOTS, PREDICTIONS, SEEDS
from pipeline.report.figures import plot_rates
from pipeline.report.tables import modalities_table, results_table
from pipeline.stage import run, write_json
from pipeline.stages.splits import language_folder, read_manifest, read_masks, read_split


def judge(params: Params, dataset: ResolvedDataset, seed: int) -> Evaluation:
    """Evaluate the network of one seed on the features and masks that lie in `outputs/`."""
    manifest = read_manifest()
    language = FrozenLanguageEncoder.from_folder(
        language_folder(dataset, offline=params.run.offline)
    )
    return evaluate(
        load(SEEDS / str(seed), language),
        *(read_split(manifest, split, dataset) for split in ("train", "valid", "test")),
        valid_masks=read_masks("valid"),
        test_masks=read_masks("test"),
        language=language,
        rates=params.evaluate.rates,
        seed=params.masks.seed,
        train_seed=seed,
        pattern=params.masks.pattern,
        resamples=params.evaluate.bootstrap,
    )


def main() -> None:
    """Write metrics at `missing_rate`, the curves over all rates, and every prediction."""
    params, dataset = load_params(), load_dataset()
    result = over_seeds({seed: judge(params, dataset, seed) for seed in params.train.seeds})
    write_json({"missing_rate": params.missing_rate} | result.metrics, METRICS / "test.json")
    write_csv(result.by_rate, PLOTS / "rates.csv")
    for metric in ("mae", "corr"):
        write_csv(curves(result.by_rate, metric), PLOTS / f"{metric}.csv")
    write_csv(result.completeness, PLOTS / "completeness.csv")
    write_csv(result.predictions, PLOTS / "predictions.csv")  # Parquet cannot be plotted by DVC
    write_table(pa.Table.from_pylist(result.predictions), PREDICTIONS)
    plot_rates(result.by_rate, PLOTS / "rates.png")
    rich.print(results_table(result.by_rate))
    if "modalities" in result.metrics:
        rich.print(modalities_table(result.metrics["modalities"]))


def curves(by_rate: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Return one row per missing rate, and a column per predictor; undefined values are empty."""
    rows: dict[float, dict[str, Any]] = {}
    for row in by_rate:
        rows.setdefault(row["rate"], {"rate": row["rate"]})[row["predictor"]] = row[metric]
    return list(rows.values())


def write_csv(rows: list[dict[str, Any]], path: Path) -> None:
    """Write rows with the same keys as CSV, replacing the file in one step."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    run(main, CheckpointError)
