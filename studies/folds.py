"""Stages `folds@<model>`, `folds-speaker@<model>`: every speaker tested by models new to them.

python -m studies.folds javanese lnln [speaker]
"""

import sys
from pathlib import Path

import pyarrow as pa

from extractors.api import read_features
from extractors.datasets.folds import groups_of, leave_one_group_out
from lnln.evaluation.table import join, write
from pipeline.stage import run, write_json
from studies.corpora import CORPORA, Corpus, describe, read_splits
from studies.settings import load_studies
from studies.training import as_it_is, run_experiment

FOLDS = Path("outputs/studies/folds")  # <corpus>-<result>/


def fold(name: str, manifest: pa.Table, number: int) -> Corpus:
    """Read a corpus with the splits of one fold."""
    split = leave_one_group_out(manifest, number)
    return read_splits(CORPORA / name, describe(name), split)


def main() -> None:
    """Train and ask one model in every fold; its table has every clip once."""
    name, model, *how = sys.argv[1:]
    studies = load_studies(Path(f"studies/{name}/params.yaml"))
    manifest = read_features(CORPORA / name).manifest
    experiment, outcomes = as_it_is(model, studies, *how), []
    for number, group in enumerate(groups_of(manifest)):
        print(f"{experiment.name}: {group} is tested")
        outcomes.append(run_experiment(experiment, fold(name, manifest, number), studies))
    folder = FOLDS / f"{name}-{experiment.name}"
    write(join(outcome.predictions for outcome in outcomes), folder / "predictions.parquet")
    write_json(outcomes[0].about, folder / "about.json")


if __name__ == "__main__":
    run(main)
