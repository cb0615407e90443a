"""Stage `ingest`: list the clips of the dataset, look into each, and set the broken ones aside."""

from collections import Counter

from extractors.manifest import DatasetError, leakage, read_dataset
from extractors.tables import write_table
from pipeline.params import load_dataset, load_params
from pipeline.paths import MANIFEST, METRICS, QUARANTINE
from pipeline.stage import StageError, quarantine, run, warn, write_json


def main() -> None:
    """Write the manifest, the quarantine and the counts.

    Raises
    ------
    StageError
        More than `ingest.max_quarantined` of the clips had to be set aside.
    """
    params, dataset = load_params(), load_dataset()
    listing = read_dataset(dataset.root, language=dataset.language, run=params.run)
    leaks = leakage(listing.manifest)
    warn(listing.warnings)
    quarantine(listing.quarantine, "ingest")
    rejected, total = len(listing.quarantine), listing.manifest.num_rows + len(listing.quarantine)
    if rejected > params.ingest.max_quarantined * total:
        raise StageError(
            f"{rejected} of {total} clips were quarantined, more than the share "
            f"{params.ingest.max_quarantined} that ingest.max_quarantined allows; the reasons are "
            f"in {QUARANTINE / 'ingest.csv'}: mend the clips, or raise it in params.yaml"
        )
    write_table(listing.manifest, MANIFEST)
    splits = Counter(listing.manifest["split"].to_pylist())
    counts = {split: splits[split] for split in ("train", "valid", "test")}
    print("clips:", ", ".join(f"{count} {split}" for split, count in counts.items()))
    found = {"clips": counts, "quarantined": rejected, "leaks": len(leaks)}
    write_json(found, METRICS / "ingest.json")


if __name__ == "__main__":
    run(main, DatasetError)
