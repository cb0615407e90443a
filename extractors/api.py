"""New videos to features in one call, for use from Python."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from contracts.features import clip_warnings, read_modality, write_modality
from contracts.parquet import read_table, write_table
from contracts.quarantine import Rejected, read_quarantine, write_quarantine
from contracts.recordings import RECOGNITION
from contracts.schemas import MANIFEST, MODALITIES, TRANSCRIPTS
from extractors.clips import Clips
from extractors.datasets.listing import Listing, probe_files, read_dataset
from extractors.datasets.transcripts.giving import with_transcripts
from extractors.extraction import Extraction
from extractors.settings import ExtractorSettings
from extractors.transcription import Transcribed, transcribe, transcribe_new
from extractors.words import Word
from extractors.workers.session import Session


@dataclass(frozen=True)
class Features:
    """All that was observed in some clips; the tables are described in `contracts.schemas`."""

    manifest: pa.Table
    transcripts: pa.Table
    text: pa.Table
    audio: pa.Table
    vision: pa.Table
    quarantine: list[Rejected]
    warnings: list[str]
    recognition: pa.Table = field(default_factory=RECOGNITION.empty_table)

    def write(self, folder: str | Path) -> None:
        """Write all of it but the warnings into a folder.

        The files are ``manifest.parquet``, ``transcripts.parquet``, ``recognition.parquet``,
        ``quarantine.csv`` and ``features/<modality>/part-0.parquet``.
        """
        folder = Path(folder)
        write_table(self.manifest, folder / "manifest.parquet")
        write_table(self.transcripts, folder / "transcripts.parquet")
        write_table(self.recognition, folder / "recognition.parquet")
        for modality in MODALITIES:
            table = getattr(self, modality)
            write_modality([table], table.schema, folder / "features" / modality)
        write_quarantine(self.quarantine, folder / "quarantine.csv")


def extract(
    paths: Iterable[str | Path] | str | Path,
    settings: ExtractorSettings | Mapping[str, Any] | None = None,
    session: Session | None = None,
    *,
    transcripts: str | Path | None = None,
) -> Features:
    """Features of new videos, which need no transcript, sound or face.

    Parameters
    ----------
    paths : path or iterable of path
        Files, and folders to search for videos.
    settings : ExtractorSettings or mapping of its fields, optional
        For a model's features: `extraction` of the model, the settings it was trained with.
    session : Session, optional
        Its workers do the work, with the models that they have loaded, and its `run` says how:
        that of `settings` is not looked at. By default a session is opened for this call.
    transcripts : str or Path, optional
        What is said, where it is known: a table (.csv), a folder of .srt, .vtt or .txt files, such
        a file of a single video, or ``beside``: the files beside the videos; see
        `extractors.datasets.transcripts.giving.with_transcripts`. Other words are recognised,
        unless the speech model is ``none``.

    Returns
    -------
    Features
        A file that cannot be read is in `quarantine` with the reason; the others are done. Where
        no words could be looked for, as the speech model does not know the language, a warning
        says so.

    Raises
    ------
    FileNotFoundError
        There is no video in the folders given.
    TranscriptError
        The transcripts are not there, or a table of them cannot be read.
    SetupError
        A model file or system library is missing; the message says how to get it.
    """
    settings = ExtractorSettings.model_validate({} if settings is None else settings)
    with _living(session, settings) as living:
        return extract_features(transcribed(paths, settings, living, transcripts), settings, living)


def transcribed(
    paths: Iterable[str | Path] | str | Path,
    settings: ExtractorSettings,
    session: Session,
    transcripts: str | Path | None = None,
) -> Clips:
    """List new videos, and find their words; what `extract` does before it extracts.

    Parameters and errors are those of `extract`.
    """
    files = [paths] if isinstance(paths, (str, Path)) else list(paths)
    listing = probe_files(files, session, language=settings.language)
    if not listing.manifest.num_rows and not listing.quarantine:
        raise FileNotFoundError(
            "nothing to extract: " + ("; ".join(listing.warnings) or "no file was named")
        )
    words: dict[str, list[Word]] = {}
    if transcripts is not None:
        listing, words = with_transcripts(listing, transcripts, settings.language)
    result = transcribe_new(listing.manifest, settings.speech, session, words)
    return _clips(listing, result)


def extract_dataset(
    root: str | Path,
    settings: ExtractorSettings | Mapping[str, Any] | None = None,
    session: Session | None = None,
) -> Features:
    """Features of a dataset's clips, with the words, labels and splits of its label.csv.

    Parameters
    ----------
    root : path
        Folder of ``label.csv`` and ``Raw/``.
    settings, session
        As `extract` takes them.

    Raises
    ------
    DatasetError
        The folder is no dataset.
    SetupError
        A model file or system library is missing; the message says how to get it.
    """
    settings = ExtractorSettings.model_validate({} if settings is None else settings)
    with _living(session, settings) as living:
        listing = read_dataset(Path(root), living, language=settings.language)
        result = transcribe(listing.manifest, settings.speech, living)
        return extract_features(_clips(listing, result), settings, living)


def _living(
    session: Session | None, settings: ExtractorSettings
) -> AbstractContextManager[Session]:
    """Use the caller's session, which stays open, or one of our own."""
    return Session(settings.run) if session is None else nullcontext(session)


def _clips(listing: Listing, transcribed: Transcribed) -> Clips:
    return Clips(
        listing.manifest,
        transcribed.table,
        transcribed.recognition,
        [*listing.quarantine, *transcribed.quarantine],
        [*listing.warnings, *transcribed.warnings],
    )


def extract_features(clips: Clips, settings: ExtractorSettings, session: Session) -> Features:
    """Extract the features of clips whose words are known."""
    # Workers have sound and picture to do while this process may be at the text.
    begun = {
        modality: Extraction(
            modality, clips.manifest, clips.transcripts, getattr(settings, modality), session
        )
        for modality in MODALITIES
    }
    quarantine, warnings, tables = [*clips.quarantine], [*clips.warnings], {}
    for modality, extraction in begun.items():
        collected = extraction.finish()
        tables[modality] = collected.table()
        quarantine += collected.quarantine
        warnings += clip_warnings(tables[modality])
    return Features(
        clips.manifest,
        clips.transcripts,
        **tables,
        quarantine=quarantine,
        warnings=warnings,
        recognition=clips.recognition,
    )


def extract_parts(
    clips: Clips, settings: ExtractorSettings, session: Session, size: int
) -> Iterator[Features]:
    """Extract features as `extract_features` does, and yield them for so many clips at a time.

    Workers go through all the clips first, and what they make is in the session's cache: memory is
    taken for one part, however many there are. Clips that failed are in the first part's
    quarantine.
    """
    begun = [
        Extraction("audio", clips.manifest, clips.transcripts, settings.audio, session),
        Extraction("vision", clips.manifest, clips.transcripts, settings.vision, session),
    ]
    failed = [row for extraction in begun for row in extraction.finish().quarantine]
    left_out = pa.array([row.clip_id for row in failed], pa.string())
    manifest, transcripts, recognition = (
        table.filter(pc.invert(pc.is_in(table["clip_id"], left_out))) for table in clips[:3]
    )
    rejected, warnings = [*clips.quarantine, *failed], clips.warnings
    for begin in range(0, max(manifest.num_rows, 1), size):
        part = manifest.slice(begin, size)
        texts, heard = (
            table.filter(pc.is_in(table["clip_id"], part["clip_id"].combine_chunks()))
            for table in (transcripts, recognition)
        )
        yield extract_features(Clips(part, texts, heard, rejected, warnings), settings, session)
        rejected, warnings = [], []


def read_features(folder: str | Path) -> Features:
    """Read what `Features.write` wrote; warnings are not kept.

    Raises
    ------
    FileNotFoundError
        A table is missing.
    DamagedFile
        A table is torn, or another one.
    """
    folder = Path(folder)
    return Features(
        manifest=read_table(folder / "manifest.parquet", schema=MANIFEST),
        transcripts=read_table(folder / "transcripts.parquet", schema=TRANSCRIPTS),
        recognition=_read_recognition(folder / "recognition.parquet"),
        text=read_modality(folder / "features" / "text"),
        audio=read_modality(folder / "features" / "audio"),
        vision=read_modality(folder / "features" / "vision"),
        quarantine=read_quarantine(folder / "quarantine.csv"),
        warnings=[],
    )


def _read_recognition(path: Path) -> pa.Table:
    """Read what was recognised beside the transcripts; earlier versions did not keep it."""
    return read_table(path, schema=RECOGNITION) if path.is_file() else RECOGNITION.empty_table()
