"""New videos to features in one call, for use from Python."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from contracts.features import clip_warnings, read_modality, write_modality
from contracts.parquet import read_table, write_table
from contracts.quarantine import Rejected, read_quarantine, write_quarantine
from contracts.schemas import MANIFEST, MODALITIES, TRANSCRIPTS
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

    def write(self, folder: str | Path) -> None:
        """Write all of it but the warnings into a folder.

        The files are ``manifest.parquet``, ``transcripts.parquet``, ``quarantine.csv`` and
        ``features/<modality>/part-0.parquet``.
        """
        folder = Path(folder)
        write_table(self.manifest, folder / "manifest.parquet")
        write_table(self.transcripts, folder / "transcripts.parquet")
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
    files = [paths] if isinstance(paths, (str, Path)) else list(paths)
    with _living(session, settings) as living:
        listing = probe_files(files, living, language=settings.language)
        if not listing.manifest.num_rows and not listing.quarantine:
            raise FileNotFoundError(
                "nothing to extract: " + ("; ".join(listing.warnings) or "no file was named")
            )
        words: dict[str, list[Word]] = {}
        if transcripts is not None:
            listing, words = with_transcripts(listing, transcripts, settings.language)
        transcribed = transcribe_new(listing.manifest, settings.speech, living, words)
        return _extract(listing, transcribed, settings, living)


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
        transcribed = transcribe(listing.manifest, settings.speech, living)
        return _extract(listing, transcribed, settings, living)


def _living(
    session: Session | None, settings: ExtractorSettings
) -> AbstractContextManager[Session]:
    """Use the caller's session, which stays open, or one of our own."""
    return Session(settings.run) if session is None else nullcontext(session)


def _extract(
    listing: Listing, transcribed: Transcribed, settings: ExtractorSettings, session: Session
) -> Features:
    quarantine = [*listing.quarantine, *transcribed.quarantine]
    warnings = [*listing.warnings, *transcribed.warnings]
    # Workers have sound and picture to do while this process may be at the text.
    begun = {
        modality: Extraction(
            modality, listing.manifest, transcribed.table, getattr(settings, modality), session
        )
        for modality in MODALITIES
    }
    tables = {}
    for modality, extraction in begun.items():
        collected = extraction.finish()
        tables[modality] = collected.table()
        quarantine += collected.quarantine
        warnings += clip_warnings(tables[modality])
    return Features(
        listing.manifest, transcribed.table, **tables, quarantine=quarantine, warnings=warnings
    )


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
        text=read_modality(folder / "features" / "text"),
        audio=read_modality(folder / "features" / "audio"),
        vision=read_modality(folder / "features" / "vision"),
        quarantine=read_quarantine(folder / "quarantine.csv"),
        warnings=[],
    )
