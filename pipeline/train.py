"""Stage `train`: LNLN on the training split, its best epoch chosen on the validation split."""

from dvclive import Live

from extractors.tables import read_table
from lnln.checkpoint import Checkpoint, Config, language_config, save
from lnln.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.training import train
from pipeline.params import load_dataset, load_params
from pipeline.paths import MANIFEST, MODEL, TRAINING
from pipeline.splits import language_folder, lengths, read_masks, read_split
from pipeline.stage import run


def main() -> None:
    """Write the checkpoint, and the history of every loss term as DVC plots."""
    params, dataset = load_params(), load_dataset()
    manifest = read_table(MANIFEST)
    train_set, valid_set = (read_split(manifest, split, dataset) for split in ("train", "valid"))
    encoder = LanguageEncoder if params.train.finetune_language else FrozenLanguageEncoder
    with Live(str(TRAINING), dvcyaml=None, report=None, save_dvc_exp=False) as live:

        def log(row: dict[str, float | int | None]) -> None:
            for name, value in row.items():
                if name != "epoch" and value is not None:
                    live.log_metric(name, value)
            live.next_step()

        trained = train(
            train_set,
            valid_set,
            [read_masks("valid")],
            lengths=lengths(dataset),
            network=params.network,
            loss=params.loss,
            settings=params.train,
            metric_set=dataset.metrics,
            language=encoder.from_folder(language_folder(dataset, offline=params.run.offline)),
            on_epoch=log,
        )
        live.summary = {"best_epoch": trained.best_epoch}
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
        },
    )
    save(MODEL, Checkpoint(trained.model, config))
    print(f"best epoch {trained.best_epoch} of {params.train.epochs}, chosen on the valid split")


if __name__ == "__main__":
    run(main)
