"""Stage `transcribe`: the words of every clip, from the dataset or recognised."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from contracts import schemas
from contracts.parquet import read_table, write_table
from extractors.transcription import transcribe, wordless_sound
from extractors.workers.session import Session
from pipeline.params import load_dataset, load_params
from pipeline.paths import LISTED_MANIFEST, LISTED_TRANSCRIPTS
from pipeline.stage import quarantine, run, warn


def main() -> None:
    """Write the transcripts; clips with neither words nor a picture are quarantined."""
    params, dataset = load_params(), load_dataset()
    manifest = read_table(LISTED_MANIFEST, schema=schemas.MANIFEST)
    with Session(params.run) as session:
        result = transcribe(manifest, dataset.speech, session)
    rejected = wordless_sound(manifest, result.table)
    warn(result.warnings)
    quarantined = [*result.quarantine, *rejected]
    quarantine(quarantined, "transcribe", manifest.num_rows, params.ingest.max_quarantined)
    left_out = pa.array([row.clip_id for row in rejected], pa.string())
    transcripts = result.table.filter(pc.invert(pc.is_in(result.table["clip_id"], left_out)))
    write_table(transcripts, LISTED_TRANSCRIPTS)
    sources = Counter(transcripts["source"].to_pylist())
    print("text:", ", ".join(f"{count} {source}" for source, count in sorted(sources.items())))


if __name__ == "__main__":
    run(main)
