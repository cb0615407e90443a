"""Stage `observe`: how much of each clip and modality was observed."""

from contracts import schemas
from contracts.features import read_modality
from contracts.parquet import read_table, write_table
from contracts.schemas import MODALITIES
from extractors.observation import COLUMNS, observe, summary
from pipeline.paths import FEATURES, MANIFEST, METRICS, OBSERVED, PLOTS, TRANSCRIPTS
from pipeline.report.figures import plot_observed
from pipeline.stage import print_observed, run, write_json


def main() -> None:
    """Write the manifest with what was observed, the counts, and a plot of them."""
    features = {m: read_modality(FEATURES / m, COLUMNS[m]) for m in MODALITIES}
    manifest = read_table(MANIFEST, schema=schemas.MANIFEST)
    transcripts = read_table(TRANSCRIPTS, schema=schemas.TRANSCRIPTS)
    observed = observe(manifest, transcripts, features)
    write_table(observed, OBSERVED)
    counts = summary(observed)
    write_json(counts, METRICS / "observed.json")
    plot_observed(observed, PLOTS / "observed.png")
    print_observed(counts)


if __name__ == "__main__":
    run(main)
