"""Stage `incomplete`: which rows of valid and test are dropped, at `missing_rate`."""

from contracts.parquet import write_table
from lnln.missing.masks import evaluation_masks, to_table
from pipeline.params import load_dataset, load_params
from pipeline.paths import INCOMPLETE
from pipeline.stage import run
from pipeline.stages.splits import read_manifest, read_split


def main() -> None:
    """Write the masks of both splits; features are never written again, only masked on reading."""
    params, dataset = load_params(), load_dataset()
    manifest = read_manifest()
    for split in ("valid", "test"):
        features = read_split(manifest, split, dataset)
        draws = [
            evaluation_masks(
                features,
                params.missing_rate,
                seed=params.masks.seed,
                purpose=split,
                pattern=params.masks.pattern,
                draw=draw,
            )
            for draw in range(params.masks.draws)
        ]
        write_table(to_table(draws), INCOMPLETE / f"{split}.parquet")


if __name__ == "__main__":
    run(main)
