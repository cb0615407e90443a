"""Stage `extract@<modality>`: the features of one modality, and how much of it was observed."""

import sys
from typing import cast

from contracts import schemas
from contracts.features import clip_warnings, read_modality, write_modality
from contracts.parquet import read_table
from contracts.quarantine import Rejected
from contracts.schemas import MODALITIES, Modality
from extractors.datasets.precomputed import is_precomputed, read_precomputed_modality
from extractors.extraction import extract_modality
from extractors.observation import COLUMNS, observe, summary
from extractors.workers.session import Session
from pipeline.params import load_dataset, load_params
from pipeline.paths import FEATURES, MANIFEST, TRANSCRIPTS
from pipeline.stage import print_observed, quarantine, run, warn


def main() -> None:
    """Write the features of the modality that the command line names."""
    if sys.argv[1:] not in [[modality] for modality in MODALITIES]:
        sys.exit(f"usage: python -m pipeline.stages.extract {{{'|'.join(MODALITIES)}}}")
    modality = cast(Modality, sys.argv[1])
    settings, params = getattr(load_dataset(), modality), load_params()
    manifest = read_table(MANIFEST, schema=schemas.MANIFEST)
    transcripts = read_table(TRANSCRIPTS, schema=schemas.TRANSCRIPTS)
    folder = FEATURES / modality
    rejected: list[Rejected] = []
    if is_precomputed(manifest) and modality != "text":
        precomputed = read_precomputed_modality(manifest, transcripts, modality)
        write_modality(precomputed.batches, precomputed.schema, folder)
    else:
        with Session(params.run) as session:
            result = extract_modality(modality, manifest, transcripts, settings, session)
            write_modality(result.batches(), result.schema, folder)
            rejected = result.quarantine
    limit = params.ingest.max_quarantined
    quarantine(rejected, modality, transcripts.num_rows, limit)
    if rejected:
        print(f"to try them again: dvc repro --force --single-item extract@{modality}")
    written = read_modality(folder, [*COLUMNS[modality], "warnings"])
    warn(clip_warnings(written))
    print_observed(summary(observe(manifest, transcripts, {modality: written})))


if __name__ == "__main__":
    run(main)
