"""Stage `train`: LNLN on the training split, its best epoch chosen on the validation split."""

from collections.abc import Callable

from dvclive import Live

from lnln.checkpoint import Checkpoint, Config, language_config, save
from lnln.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.training import Row, TrainingDiverged, train
from pipeline.params import Params, ResolvedDataset, load_dataset, load_params
from pipeline.paths import MODEL, TRAINING
from pipeline.splits import (
    as_published,
    language_folder,
    lengths,
    read_manifest,
    read_masks,
    read_split,
)
from pipeline.stage import run


def fit(params: Params, dataset: ResolvedDataset, on_epoch: Callable[[Row], None]) -> Checkpoint:
    """Train one network on the features that lie in `outputs/`.

    Parameters
    ----------
    params : Params
    dataset : ResolvedDataset
    on_epoch : callable
        Called with each epoch's row of the history, see `lnln.training.train`.
    """
    manifest = read_manifest()
    train_set, valid_set = (read_split(manifest, split, dataset) for split in ("train", "valid"))
    encoder = LanguageEncoder if params.train.finetune_language else FrozenLanguageEncoder
    trained = train(
        train_set,
        valid_set,
        read_masks("valid"),
        lengths=lengths(dataset),
        network=params.network,
        loss=params.loss,
        settings=params.train,
        metric_set=dataset.metrics,
        language=encoder.from_folder(language_folder(dataset, offline=params.run.offline)),
        on_epoch=on_epoch,
    )
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
            "settings": params.train.model_dump(),
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


def main() -> None:
    """Write the checkpoint, and the history of every loss term as DVC plots."""
    dataset = load_dataset()
    params = as_published(load_params(), dataset)
    with Live(str(TRAINING), dvcyaml=None, report=None, save_dvc_exp=False) as live:

        def log(row: Row) -> None:
            for name, value in row.items():
                if name != "epoch" and value is not None:
                    live.log_metric(name, value)
            live.next_step()

        checkpoint = fit(params, dataset, log)
        best = checkpoint.config.training["best_epoch"]
        live.log_metric("best_epoch", best, plot=False)
    save(MODEL, checkpoint)
    print(f"best epoch {best} of {params.train.epochs}, chosen on the validation split")


if __name__ == "__main__":
    run(main, TrainingDiverged)
