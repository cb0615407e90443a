"""Stages `compare@<corpus>-<model>`, `compare-speaker@...`: models and corpora, under one budget.

python -m studies.compare sample lnln [speaker]
"""

import sys
from pathlib import Path

from contracts.parquet import write_table
from lnln.evaluation.table import write
from pipeline.stage import run, write_json
from studies.corpora import read
from studies.settings import load_studies
from studies.training import as_it_is, keep, run_experiment

COMPARED = Path("outputs/studies/compare")  # <corpus>-<result>/
MODELS = Path("models/studies")  # <corpus>-<result>/<seed>


def main() -> None:
    """Train, ask and keep the model that the command line names."""
    corpus, model, *how = sys.argv[1:]
    studies = load_studies()
    experiment = as_it_is(model, studies, *how)
    priced = corpus == studies.by_epoch
    outcome = run_experiment(experiment, read(corpus), studies, by_epoch=priced)
    folder = COMPARED / f"{corpus}-{experiment.name}"
    write(outcome.predictions, folder / "predictions.parquet")
    if outcome.epochs is not None:
        write_table(outcome.epochs, folder / "epochs.parquet")
    write_json(outcome.about, folder / "about.json")
    keep(outcome, MODELS / f"{corpus}-{experiment.name}")


if __name__ == "__main__":
    run(main)
