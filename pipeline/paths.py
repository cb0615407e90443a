"""Where the stages read and write, relative to the project's folder; `dvc.yaml` says the same."""

from pathlib import Path

PARAMS = Path("params.yaml")
DATASETS = Path("datasets.yaml")

DATA = Path("data")  # a folder per dataset
OUTPUTS = Path("outputs")
CODE = OUTPUTS / "code"  # what the code of each stage does, as hashes
DATASET = OUTPUTS / "dataset.json"
SETTINGS = OUTPUTS / "settings.json"  # of every model, nothing left open
# Clips or recordings as they were listed; where these are not cut, the same as the next two.
LISTED_MANIFEST = OUTPUTS / "listed" / "manifest.parquet"
LISTED_TRANSCRIPTS = OUTPUTS / "listed" / "transcripts.parquet"
MANIFEST = OUTPUTS / "manifest.parquet"
QUARANTINE = OUTPUTS / "quarantine"  # one CSV per stage
TRANSCRIPTS = OUTPUTS / "transcripts.parquet"
SENTENCES = OUTPUTS / "sentences.parquet"  # rated sentences to train with
OBSERVED = OUTPUTS / "observed.parquet"  # the manifest, with what could be observed
FEATURES = OUTPUTS / "features"  # one folder per modality
INCOMPLETE = OUTPUTS / "incomplete"  # one file per split
SWEPT = OUTPUTS / "predictions"  # for the test split, one file per model and seed
PREDICTIONS = OUTPUTS / "predictions.parquet"  # all of them

MODEL = Path("models/lnln")  # of the seeds of `model.name` the best on the validation split
TRAINED = Path("models/trained")  # one folder per model and seed
METRICS = Path("metrics")
TRAINING = METRICS / "train"  # what DVCLive logs, one folder per model and seed
PLOTS = Path("plots")
REPORT = Path("reports/index.html")


def run_name(model: str, seed: int) -> str:
    """Name what belongs to one model and seed, as the matrix stages of `dvc.yaml` do."""
    return f"{model}-{seed}"


def project_folder() -> Path:
    """The project's own folder, also in the copies of it that DVC makes.

    `dvc exp run --temp` and `--queue` work in such copies, under .dvc/tmp/exps.
    """
    here = Path.cwd()
    for folder in here.parents:
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2]
    return here
