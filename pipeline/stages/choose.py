"""Stage `choose`: of the seeds' networks the one that did best on the validation split."""

import json

from contracts.files import replacing
from lnln.evaluation.metrics import better
from pipeline.params import load_params
from pipeline.paths import MODEL, SEEDS
from pipeline.stage import run

FILES = (
    "model.safetensors",
    "README.md",
    "config.json",
)  # the config last: see `save`


def main() -> None:
    """Copy the checkpoint; it is the one that `lnln predict` uses."""
    params = load_params()
    selection, best = params.train.selection, params.train.seeds[0]
    found = {}
    for seed in params.train.seeds:
        config = json.loads((SEEDS / str(seed) / "config.json").read_text("utf-8"))
        found[seed] = config["training"]["validation"][selection]
        if better(selection, found[seed], found[best]):
            best = seed
    for name in FILES:
        with replacing(MODEL / name) as temporary:
            temporary.write_bytes((SEEDS / str(best) / name).read_bytes())
    print(f"seed {best} has the best {selection} of the validation split: {found[best]:.4f}")


if __name__ == "__main__":
    run(main)
