"""Stage `incomplete`: which rows of valid and test are dropped."""

from contracts.parquet import write_table
from lnln.missing.masks import masks_under
from lnln.missing.patterns import conditions
from lnln.missing.table import to_table
from pipeline.params import load_dataset, load_params
from pipeline.paths import INCOMPLETE
from pipeline.stage import run
from pipeline.stages.splits import read_manifest, read_split


def main() -> None:
    """Write the masks of both splits; features are never written again, only masked on reading.

    Models are chosen under those of valid, at `masks.valid_rates`, and asked under those of test,
    at `missing_rate`.
    """
    params, dataset = load_params(), load_dataset()
    draws, seed = params.masks.draws, params.masks.seed
    manifest = read_manifest()
    for split, asked in (
        ("valid", conditions(["random"], params.masks.valid_rates, draws)),
        ("test", conditions(params.masks.patterns, [params.missing_rate], draws)),
    ):
        features = read_split(manifest, split, dataset)
        masks = masks_under(asked, features, seed=seed, purpose=split)
        write_table(to_table(masks), INCOMPLETE / f"{split}.parquet")


if __name__ == "__main__":
    run(main)
