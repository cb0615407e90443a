"""Stage `sentences`: the rated sentences that the dataset trains with; without any, no rows."""

from collections import Counter

import pyarrow.compute as pc

from contracts.parquet import read_table, write_table
from contracts.schemas import SPLITS
from extractors.sentences.gathering import gather
from pipeline.params import load_dataset, load_params
from pipeline.paths import MANIFEST, METRICS, SENTENCES, TRANSCRIPTS
from pipeline.stage import run, warn, write_json


def main() -> None:
    """Write the sentences and how many there are, and tell which leaked."""
    params, dataset = load_params(), load_dataset()
    manifest, transcripts = read_table(MANIFEST), read_table(TRANSCRIPTS)
    said = {}
    for split in ("valid", "test"):
        clips = manifest.filter(pc.equal(manifest["split"], split))["clip_id"]
        own = transcripts.filter(pc.is_in(transcripts["clip_id"], clips.combine_chunks()))
        said[split] = own["text"].to_pylist()
    gathered = gather(
        {name: corpus.reading() for name, corpus in dataset.corpora.items()},
        dataset.text,
        label_range=dataset.label_range,
        language=dataset.language,
        said=said,
        offline=params.run.offline,
    )
    warn(gathered.warnings)
    write_table(gathered.table, SENTENCES)
    splits = Counter(gathered.table["split"].to_pylist())
    counts = {split: splits[split] for split in SPLITS}
    write_json({"sentences": counts, "leaks": gathered.leaked}, METRICS / "sentences.json")
    if dataset.corpora:
        print("sentences:", ", ".join(f"{count} {split}" for split, count in counts.items()))


if __name__ == "__main__":
    run(main)
