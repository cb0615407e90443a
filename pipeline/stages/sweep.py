"""Stage `sweep@<model>-<seed>`: a trained model's predictions for the test split.

python -m pipeline.stages.sweep lnln 1111
"""

import sys

from lnln.checkpoints.checkpoint import load
from lnln.checkpoints.config import CheckpointError
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.sweep import conditions, sweep
from lnln.evaluation.table import write
from lnln.threads import use_threads
from pipeline.params import load_dataset, load_params
from pipeline.paths import SWEPT, TRAINED, run_name
from pipeline.stage import run
from pipeline.stages.splits import load_language, read_manifest, read_masks, read_split


def main() -> None:
    """Ask one model under every pattern and rate, at `missing_rate` under those of `incomplete`."""
    model, seed = sys.argv[1], int(sys.argv[2])
    params, dataset = load_params(), load_dataset()
    use_threads(params.run.threads)
    manifest = read_manifest()
    test_set = read_split(manifest, "test", dataset)
    language = load_language(model, dataset, offline=params.run.offline)
    assert language is None or isinstance(language, FrozenLanguageEncoder)
    rates = [*params.evaluate.rates, params.missing_rate]
    asked = conditions(params.masks.patterns, rates, params.masks.draws)
    table = sweep(
        load(TRAINED / run_name(model, seed), language),
        test_set,
        manifest,
        model=model,
        train_seed=seed,
        conditions=asked,
        masks_seed=params.masks.seed,
        language=language,
        stored=read_masks("test"),
    )
    write(table, SWEPT / f"{run_name(model, seed)}.parquet")
    print(f"{model}, seed {seed}: {table.num_rows} predictions under {len(asked)} conditions")


if __name__ == "__main__":
    run(main, CheckpointError)
