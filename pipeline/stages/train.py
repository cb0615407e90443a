"""Stage `train`: LNLN on the training split, its best epoch chosen on the validation split.

python -m pipeline.stages.train 1111    # the network of one seed; without it those of `train.seeds`
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

from dvclive import Live

from lnln.checkpoints.checkpoint import Checkpoint, Config, language_config, save
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.training.fingerprint import fingerprint
from lnln.training.history import Row
from lnln.training.processes import accelerator
from lnln.training.resume import Stopped, alone, resumable
from lnln.training.run import Trained, TrainingDiverged, train
from pipeline.params import Params, ResolvedDataset, load_dataset, load_params
from pipeline.paths import SEEDS, TRAINING
from pipeline.stage import run
from pipeline.stages.splits import (
    as_published,
    language_folder,
    lengths,
    read_manifest,
    read_masks,
    read_split,
)


def gather(params: Params, dataset: ResolvedDataset, seed: int) -> dict[str, Any]:
    """Collect from `outputs/` and the params what `lnln.training.run.train` takes."""
    manifest = read_manifest()
    encoder = LanguageEncoder if params.train.finetune_language else FrozenLanguageEncoder
    return {
        "train_set": read_split(manifest, "train", dataset),
        "valid_set": read_split(manifest, "valid", dataset),
        "valid_masks": read_masks("valid"),
        "lengths": lengths(dataset),
        "network": params.network,
        "loss": params.loss,
        "settings": params.train.with_seed(seed),
        "metric_set": dataset.metrics,
        "language": encoder.from_folder(language_folder(dataset, offline=params.run.offline)),
    }


def checkpoint(
    trained: Trained, inputs: dict[str, Any], params: Params, dataset: ResolvedDataset
) -> Checkpoint:
    """Put what was trained beside what it was trained on.

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
        network=params.network,
        shapes=trained.shapes,
        normalisation=trained.normalisation,
        features={m: train_set.modality(m).info for m in ("text", "audio", "vision")},
        transcription={"language": dataset.language, "speech": dataset.speech.model_dump()},
        language=language_config(trained.model),
        metrics=dataset.metrics,
        label_range=dataset.label_range,
        dataset=dataset.name,
        notice=dataset.notice,
        training={
            "settings": inputs["settings"].model_dump(),
            "loss": params.loss.model_dump(),
            "missing_rate": params.missing_rate,
            "best_epoch": trained.best_epoch,
            "clips": {"train": len(train_set), "valid": len(valid_set)},
            "validation": {
                name.removeprefix("valid/"): value
                for name, value in best.items()
                if name.startswith("valid/")
            },
        },
    )
    return Checkpoint(trained.model, config)


def fit(params: Params, dataset: ResolvedDataset, seed: int) -> None:
    """Write the checkpoint of one seed, and the history of every term as DVC plots."""
    inputs = gather(params, dataset, seed)
    model, kept = SEEDS / str(seed), Path(params.run.resume)
    # One run at a time writes the model, and goes on from a state: a killed `dvc repro` leaves
    # its stage running.
    with (
        alone(kept, hashlib.sha256(bytes(model.absolute())).hexdigest()),
        resumable(kept, fingerprint(inputs)) as state,
    ):
        if not accelerator().is_main_process:  # of several processes one writes
            train(**inputs, state=state)
            return
        with Live(str(TRAINING / str(seed)), dvcyaml=None, report=None, save_dvc_exp=False) as live:

            def log(row: Row) -> None:
                for name, value in row.items():
                    if name != "epoch" and value is not None:
                        live.log_metric(name, value)
                live.next_step()

            trained = train(**inputs, on_epoch=log, state=state)
            live.log_metric("best_epoch", trained.best_epoch, plot=False)
        save(model, checkpoint(trained, inputs, params, dataset))
        state.remove()
    print(
        f"seed {seed}: best epoch {trained.best_epoch} of {len(trained.history)}, chosen on the "
        "validation split"
    )


def main() -> None:
    """Train the network of the seed that is given, or those of all."""
    dataset = load_dataset()
    params = as_published(load_params(), dataset)
    for seed in map(int, sys.argv[1:]) if sys.argv[1:] else params.train.seeds:
        fit(params, dataset, seed)
    accelerator().end_training()


if __name__ == "__main__":
    run(main, TrainingDiverged, Stopped)
