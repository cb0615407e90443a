"""Stage `segment`: recordings cut into utterances, where the dataset is of whole recordings."""

import shutil

from contracts import schemas
from contracts.files import replacing
from contracts.messages import message
from contracts.parquet import read_table, write_table
from contracts.recordings import RECOGNITION
from extractors.clips import Clips
from extractors.datasets.precomputed import is_precomputed
from extractors.recordings.segmenting import segment
from extractors.workers.session import Session
from pipeline.params import load_dataset, load_params
from pipeline.paths import LISTED_MANIFEST, LISTED_TRANSCRIPTS, MANIFEST, TRANSCRIPTS
from pipeline.stage import StageError, quarantine, run, warn
from pipeline.timeline.limits import limits_of


def main() -> None:
    """Write manifest and transcripts: of utterances, or as they were listed.

    Raises
    ------
    StageError
        The dataset is of features, which cannot be cut.
    """
    params, dataset = load_params(), load_dataset()
    limit = params.ingest.max_quarantined
    if dataset.segment is None:
        for listed, path in ((LISTED_MANIFEST, MANIFEST), (LISTED_TRANSCRIPTS, TRANSCRIPTS)):
            with replacing(path) as temporary:
                shutil.copyfile(listed, temporary)
        quarantine([], "segment", 0, limit)
        print("utterances: the clips as they were listed")
        return
    manifest = read_table(LISTED_MANIFEST, schema=schemas.MANIFEST)
    transcripts = read_table(LISTED_TRANSCRIPTS, schema=schemas.TRANSCRIPTS)
    if is_precomputed(manifest):
        raise StageError(
            f"{dataset.name} is a dataset of features, which cannot be cut: leave segment empty in "
            "its section of datasets.yaml"
        )
    recordings = Clips(manifest, transcripts, RECOGNITION.empty_table(), [], [])
    tokens, lengths = dataset.text.max_tokens, dataset.lengths
    limits = limits_of(tokens, lengths.audio, lengths.vision, dataset.vision.fps)
    with Session(params.run) as session:
        session.reporting.by = "seconds"
        utterances = segment(recordings, limits, dataset.segment, session, whole_s=0.0)
    warn(utterances.warnings)
    quarantine(utterances.quarantine, "segment", transcripts.num_rows, limit)
    if not utterances.manifest.num_rows:
        raise StageError(
            message(
                "no utterance in any recording: is anything said in them? segment: clips takes "
                "stretches without speech as well"
            )
        )
    write_table(utterances.manifest, MANIFEST)
    write_table(utterances.transcripts, TRANSCRIPTS)
    print(f"utterances: {utterances.manifest.num_rows} of {transcripts.num_rows} recordings")


if __name__ == "__main__":
    run(main)
