"""Stage `choose`: of the seeds of `model.name` the one that did best on the validation split."""

from contracts.files import replacing
from lnln.checkpoints.config import CheckpointError, read_config
from lnln.checkpoints.hub import CONFIG, WEIGHTS
from lnln.evaluation.metrics import better
from pipeline.params import load_params
from pipeline.paths import MODEL, TRAINED, run_name
from pipeline.stage import run


def main() -> None:
    """Copy the checkpoint; it is the one that `lnln predict` uses."""
    params = load_params()
    model, selection, seeds = params.model.name, params.train.selection, params.train.seeds
    folders = {seed: TRAINED / run_name(model, seed) for seed in seeds}
    reached = {s: read_config(folders[s]).training["validation"][selection] for s in seeds}
    best = seeds[0]
    for seed in seeds:
        if better(selection, reached[seed], reached[best]):
            best = seed
    for name in (WEIGHTS, CONFIG):  # the config last, as `save` does
        with replacing(MODEL / name) as temporary:
            temporary.write_bytes((folders[best] / name).read_bytes())
    value = "undefined" if reached[best] is None else f"{reached[best]:.4f}"
    print(f"{model}: seed {best} has the best {selection} of validation: {value}")


if __name__ == "__main__":
    run(main, CheckpointError)
