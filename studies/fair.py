"""Stages `fair@<encoder>-<normalisation>-<model>`: every model with every help, under one budget.

python -m studies.fair minilm-rated speaker lnln
"""

import sys
from pathlib import Path

from lnln.evaluation.table import write
from pipeline.stage import run, write_json
from studies.corpora import read
from studies.settings import load_studies
from studies.training import as_it_is, run_experiment

PARAMS = Path("studies/fair/params.yaml")
FAIR = Path("outputs/studies/fair")  # <result>/


def result_of(encoder: str, normalisation: str, model: str) -> str:
    """Name a result."""
    return f"{encoder}-{normalisation}-{model}"


def main() -> None:
    """Train and ask the model that the command line names."""
    encoder, normalisation, model = sys.argv[1:]
    studies = load_studies(PARAMS)
    name = result_of(encoder, normalisation, model)
    experiment = as_it_is(model, studies, normalisation)._replace(name=name)
    outcome = run_experiment(experiment, read(studies.corpora[0], encoder=encoder), studies)
    write(outcome.predictions, FAIR / name / "predictions.parquet")
    write_json(outcome.about, FAIR / name / "about.json")


if __name__ == "__main__":
    run(main)
