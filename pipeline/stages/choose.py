"""Stage `choose`: of the seeds of `model.name` the one that did best on the validation split."""

from contracts.files import replacing
from lnln.checkpoints.config import CheckpointError, read_config
from lnln.checkpoints.hub import CONFIG, WEIGHTS
from lnln.evaluation.metrics import better
from pipeline.params import load_dataset, load_params
from pipeline.paths import MODEL, TRAINED, run_name
from pipeline.stage import run


def main() -> None:
    """Copy the checkpoint, made ready for new clips: it is the one that `lnln predict` uses.

    How new clips are transcribed, and the notice that comes with every prediction, are added here:
    they train nothing.
    """
    params, dataset = load_params(), load_dataset()
    model, selection, seeds = params.model.name, params.train.selection, params.train.seeds
    folders = {seed: TRAINED / run_name(model, seed) for seed in seeds}
    configs = {seed: read_config(folders[seed]) for seed in seeds}
    reached = {seed: config.training["validation"][selection] for seed, config in configs.items()}
    best = seeds[0]
    for seed in seeds:
        if better(selection, reached[seed], reached[best]):
            best = seed
    transcription = {"language": dataset.language, "speech": dataset.speech.model_dump()}
    config = configs[best].model_copy(
        update={"transcription": transcription, "notice": dataset.notice}
    )
    with replacing(MODEL / WEIGHTS) as temporary:
        temporary.write_bytes((folders[best] / WEIGHTS).read_bytes())
    with replacing(MODEL / CONFIG) as temporary:  # last, as `save` does
        temporary.write_text(config.model_dump_json(indent=2) + "\n", "utf-8")
    value = "undefined" if reached[best] is None else f"{reached[best]:.4f}"
    print(f"{model}: seed {best} has the best {selection} of validation: {value}")


if __name__ == "__main__":
    run(main, CheckpointError)
