"""Stage `ingest`: list the clips of the dataset, probe each, and quarantine the broken ones."""

from collections import Counter
from pathlib import Path

import pyarrow as pa

from contracts.messages import message
from contracts.parquet import write_table
from contracts.schemas import SPLITS
from extractors.datasets.labels import DatasetError, outside
from extractors.datasets.listing import Listing, leakage, read_dataset
from extractors.datasets.precomputed import read_precomputed
from extractors.workers.session import Session
from pipeline.params import load_dataset, load_params
from pipeline.paths import LISTED_MANIFEST, METRICS
from pipeline.set_aside import aside_in
from pipeline.stage import quarantine, run, warn, write_json


def main() -> None:
    """Write the manifest, the quarantine and the counts.

    Raises
    ------
    StageError
        A larger share of the clips than `ingest.max_quarantined` was quarantined.
    """
    params, dataset = load_params(), load_dataset()
    root = Path(dataset.root)
    if (root / "manifest.parquet").is_file():  # precomputed features
        listing = Listing(read_precomputed(root), [], [])
    else:
        with Session(params.run) as session:
            listing = read_dataset(root, session, language=dataset.language)
        listing = with_reasons(listing, root)
    leaks = leakage(listing.manifest)
    odd_labels = outside(listing.manifest, dataset.label_range)
    warn([*listing.warnings, *odd_labels])
    rejected = len(listing.quarantine)
    total = listing.manifest.num_rows + rejected
    quarantine(listing.quarantine, "ingest", total, params.ingest.max_quarantined)
    write_table(listing.manifest, LISTED_MANIFEST)
    splits = Counter(listing.manifest["split"].to_pylist())
    counts = {split: splits[split] for split in ("train", "valid", "test")}
    if dataset.clips is not None:
        warn(other_than_published(counts, dataset.clips.model_dump()))
    print("clips:", ", ".join(f"{count} {split}" for split, count in counts.items()))
    print("labels:", labelled(listing.manifest))
    summary = {
        "listed": counts,
        "quarantined": rejected,
        "leaks": len(leaks),
        "odd_labels": len(odd_labels),
    }
    write_json(summary, METRICS / "ingest.json")


def with_reasons(listing: Listing, root: Path) -> Listing:
    """Say of clips without a file that it was set aside, and why."""
    reasons = {path.with_suffix("").as_posix(): why for path, why in aside_in(root).items()}
    rejected = [
        row._replace(reason=message(f"set aside: {reasons[row.path]}; lnln doctor looks again"))
        if row.path in reasons
        else row
        for row in listing.quarantine
    ]
    return listing._replace(quarantine=rejected)


def labelled(manifest: pa.Table) -> str:
    """How many clips of each split have a label, in words."""
    rows = manifest.select(["split", "label"]).to_pylist()
    clips = Counter(row["split"] for row in rows)
    filled = Counter(row["split"] for row in rows if row["label"] is not None)
    return ", ".join(f"{filled[split]} of {clips[split]} {split}" for split in SPLITS)


def other_than_published(counts: dict[str, int], published: dict[str, int]) -> list[str]:
    """Warnings about splits that have another number of clips than was published."""
    return [
        message(f"{counts[split]} {split} clips, where {expected} were published")
        for split, expected in published.items()
        if counts[split] != expected
    ]


if __name__ == "__main__":
    run(main, DatasetError)
