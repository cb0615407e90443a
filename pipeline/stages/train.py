"""Stage `train@<model>-<seed>`: one model, its best epoch chosen on the validation split.

python -m pipeline.stages.train lnln 1111   # without both, `model.name` with all of `train.seeds`
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

from dvclive import Live

from contracts.schemas import MODALITIES
from lnln.checkpoints.checkpoint import Checkpoint, language_config, save
from lnln.checkpoints.config import Config
from lnln.checkpoints.intervals import Intervals
from lnln.data.sentences import read_sentences
from lnln.missing.masks import evenly
from lnln.threads import use_threads
from lnln.training.fingerprint import fingerprint
from lnln.training.history import Row
from lnln.training.processes import accelerator
from lnln.training.resume import Stopped, exclusive, resumable
from lnln.training.run import Trained, train
from lnln.training.steps import TrainingDiverged
from pipeline.models import load_model
from pipeline.params import Params, ResolvedDataset, load_dataset, load_params
from pipeline.paths import SENTENCES, TRAINED, TRAINING, run_name
from pipeline.stage import run
from pipeline.stages.splits import (
    lengths,
    load_language,
    read_manifest,
    read_masks,
    read_split,
)


def gather(params: Params, dataset: ResolvedDataset, model: str, seed: int) -> dict[str, Any]:
    """Collect from `outputs/` and the params what `lnln.training.run.train` takes."""
    manifest, resolved = read_manifest(), load_model(model)
    settings = resolved.training(seed)
    train_set = read_split(manifest, "train", dataset)
    return {
        "name": model,
        "train_set": train_set,
        "valid_set": read_split(manifest, "valid", dataset),
        "valid_masks": evenly(read_masks("valid")),
        "lengths": lengths(dataset),
        "model_settings": resolved.settings(model),
        "settings": settings,
        "metric_set": dataset.metric_set,
        "label_range": dataset.label_range,
        "language": load_language(
            model, dataset, finetuned=settings.finetune_language, offline=params.run.offline
        ),
        "further": read_sentences(SENTENCES, dataset.sentences, train_set),
    }


def checkpoint(
    trained: Trained, inputs: dict[str, Any], params: Params, dataset: ResolvedDataset
) -> Checkpoint:
    """Put what was trained beside what it was trained on.

    What is said of it to people, and how new clips are transcribed, is added by `choose`.

    Parameters
    ----------
    trained : Trained
    inputs : dict
        As `gather` made them.
    params : Params
    dataset : ResolvedDataset
    """
    train_set, valid_set = inputs["train_set"], inputs["valid_set"]
    best = trained.history[trained.best_epoch - 1]
    config = Config(
        model=inputs["name"],
        settings=inputs["model_settings"],
        shapes=trained.shapes,
        normalisation=trained.normalisation,
        features={m: train_set.modality(m).info for m in MODALITIES},
        language=language_config(trained.model),
        metric_set=dataset.metric_set,
        label_range=dataset.label_range,
        dataset=dataset.name,
        intervals=Intervals.fit(
            trained.calibration, inputs["settings"].interval_level, dataset.label_range
        ),
        training={
            "settings": inputs["settings"].model_dump(),
            "valid_rates": params.masks.valid_rates,
            "best_epoch": trained.best_epoch,
            "clips": {"train": len(train_set), "valid": len(valid_set)},
            **({"sentences": trained.sentences} if trained.sentences else {}),
            "validation": {
                name.removeprefix("valid/"): value
                for name, value in best.items()
                if name.startswith("valid/")
            },
        },
    )
    return Checkpoint(trained.model, config)


def fit(params: Params, dataset: ResolvedDataset, model: str, seed: int) -> None:
    """Write the checkpoint of one model and seed, and the history of every term as DVC plots."""
    inputs, name = gather(params, dataset, model, seed), run_name(model, seed)
    folder, kept = TRAINED / name, Path(params.run.resume)
    # One run at a time writes the model, and resumes from a state: a killed `dvc repro` leaves
    # its stage running.
    with (
        exclusive(kept, hashlib.sha256(bytes(folder.absolute())).hexdigest()),
        resumable(kept, fingerprint(inputs)) as state,
    ):
        if not accelerator().is_main_process:  # of several processes one writes
            train(**inputs, state=state)
            return
        with Live(str(TRAINING / name), dvcyaml=None, report=None, save_dvc_exp=False) as live:

            def log(row: Row) -> None:
                for term, value in row.items():
                    if term != "epoch" and value is not None:
                        live.log_metric(term, value)
                live.next_step()

            trained = train(**inputs, on_epoch=log, state=state)
            live.log_metric("best_epoch", trained.best_epoch, plot=False)
        save(folder, checkpoint(trained, inputs, params, dataset))
        state.remove()
    print(
        f"{model}, seed {seed}: best epoch {trained.best_epoch} of {len(trained.history)}, chosen "
        "on the validation split"
    )


def main() -> None:
    """Train the model and seed that the command line names, or those of params.yaml."""
    params, dataset = load_params(), load_dataset()
    use_threads(params.run.threads)
    match sys.argv[1:]:
        case []:
            for seed in params.train.seeds:
                fit(params, dataset, params.model.name, seed)
        case [model, number] if number.isdecimal():
            fit(params, dataset, model, int(number))
        case _:
            sys.exit("usage: python -m pipeline.stages.train [MODEL SEED]")
    accelerator().end_training()


if __name__ == "__main__":
    run(main, TrainingDiverged, Stopped)
