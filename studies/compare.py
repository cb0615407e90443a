"""Stage `compare@<corpus>-<model>`: every model on every corpus, under one budget.

python -m studies.compare sample lnln
"""

import sys
from pathlib import Path

from contracts.parquet import write_table
from lnln.evaluation.table import write
from pipeline.stage import run, write_json
from studies.corpora import read
from studies.settings import load_studies
from studies.training import Experiment, keep, run_experiment

COMPARED = Path("outputs/studies/compare")  # <corpus>-<model>/
MODELS = Path("models/studies")  # <corpus>-<model>/<seed>


def main() -> None:
    """Train, ask and keep the model that the command line names."""
    corpus, model = sys.argv[1:]
    studies = load_studies()
    rates = studies.budget.learning_rates
    priced = corpus == studies.by_epoch
    outcome = run_experiment(
        Experiment(model, model, {}, rates), read(corpus), studies, by_epoch=priced
    )
    folder = COMPARED / f"{corpus}-{model}"
    write(outcome.predictions, folder / "predictions.parquet")
    if outcome.epochs is not None:
        write_table(outcome.epochs, folder / "epochs.parquet")
    write_json(outcome.about, folder / "about.json")
    keep(outcome, MODELS / f"{corpus}-{model}")


if __name__ == "__main__":
    run(main)
