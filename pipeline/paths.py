"""Where the stages read and write, relative to the project's folder; `dvc.yaml` says the same."""

from pathlib import Path

PARAMS = Path("params.yaml")
DATASETS = Path("datasets.yaml")

OUTPUTS = Path("outputs")
CODE = OUTPUTS / "code"  # what the code of each stage does, as hashes
DATASET = OUTPUTS / "dataset.json"
MANIFEST = OUTPUTS / "manifest.parquet"
QUARANTINE = OUTPUTS / "quarantine"  # one CSV per stage
TRANSCRIPTS = OUTPUTS / "transcripts.parquet"
OBSERVED = OUTPUTS / "observed.parquet"  # the manifest, with what could be observed
FEATURES = OUTPUTS / "features"  # one folder per modality
INCOMPLETE = OUTPUTS / "incomplete"  # one file per split
PREDICTIONS = OUTPUTS / "predictions.parquet"  # for the test split

MODEL = Path("models/lnln")  # of the seeds' networks the best on the validation split
SEEDS = Path("models/seeds")  # one folder per seed
METRICS = Path("metrics")
TRAINING = METRICS / "train"  # what DVCLive logs, one folder per seed
PLOTS = Path("plots")
