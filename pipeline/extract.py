"""Stage `extract@<modality>`: one modality's features, and how much of it could be observed."""

import sys
from typing import cast

import numpy as np
import pyarrow as pa

from extractors.run import extract_modality
from extractors.tables import MODALITIES, Modality, read_table, write_modality
from pipeline.params import load_dataset, load_params
from pipeline.paths import FEATURES, MANIFEST, METRICS, TRANSCRIPTS
from pipeline.stage import quarantine, run, warn, write_json


def main() -> None:
    """Write the features of the modality that the command line names."""
    if sys.argv[1:] not in [[modality] for modality in MODALITIES]:
        sys.exit(f"usage: python -m pipeline.extract {{{'|'.join(MODALITIES)}}}")
    modality = cast(Modality, sys.argv[1])
    settings = getattr(load_dataset(), modality)
    manifest, transcripts = read_table(MANIFEST), read_table(TRANSCRIPTS)
    result = extract_modality(modality, manifest, transcripts, settings, load_params().run)
    warn(result.warnings)
    quarantine(result.quarantine, modality)
    write_modality(result.table, FEATURES / modality)
    write_json(observation(result.table), METRICS / f"{modality}.json")


def observation(table: pa.Table) -> dict[str, float | int]:
    """Measure the natural incompleteness of one modality, and print it.

    Returns
    -------
    dict
        `clips`; `observed`, the share of all rows (for text, of all content tokens) at which
        there was anything to measure; `unobserved_clips`, how many clips had none.
    """
    observed = [np.asarray(rows) for rows in table["observed"].to_pylist()]
    if "special" in table.column_names:
        special = [np.asarray(rows) for rows in table["special"].to_pylist()]
        observed = [rows[~marks] for rows, marks in zip(observed, special, strict=True)]
    rows = sum(len(clip) for clip in observed)
    share = sum(int(clip.sum()) for clip in observed) / rows if rows else 0.0
    nothing = sum(not clip.any() for clip in observed)
    print(f"{len(observed)} clips, {share:.1%} of {rows} rows observed, nothing in {nothing} clips")
    return {"clips": len(observed), "observed": round(share, 4), "unobserved_clips": nothing}


if __name__ == "__main__":
    run(main)
