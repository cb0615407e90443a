"""What is said in every clip: as given in the manifest, else recognised, else nothing."""

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from contracts.messages import message
from contracts.parquet import sorted_rows
from contracts.quarantine import Rejected
from contracts.schemas import TRANSCRIPTS
from extractors import speech
from extractors.assets.resolving import resolve
from extractors.datasets.precomputed import is_precomputed
from extractors.errors import UnsupportedLanguage
from extractors.fingerprint import fingerprint
from extractors.settings import NO_SPEECH, SpeechSettings
from extractors.speech.languages import known_languages, require_language
from extractors.words import Transcript, Word
from extractors.workers.cached_map import Collection
from extractors.workers.keys import speech_key
from extractors.workers.serving import Extractor, Task
from extractors.workers.session import Session
from extractors.workers.work import Job, Source, Work, clip_of

STAGE = "transcribe"
_ENTRY = pa.schema(
    [*list(TRANSCRIPTS)[1:], pa.field("warnings", pa.list_(pa.string()), nullable=False)]
)


class Transcribed(NamedTuple):
    """Table as `contracts.schemas.TRANSCRIPTS`, clips that failed, and what else to know."""

    table: pa.Table
    quarantine: list[Rejected]
    warnings: list[str]


def transcribe(
    manifest: pa.Table,
    settings: SpeechSettings,
    session: Session,
    words: Mapping[str, list[Word]] | None = None,
) -> Transcribed:
    """Find the words of every clip.

    No model is loaded where every clip with sound has its text.

    Parameters
    ----------
    manifest : pa.Table
        As `contracts.schemas.MANIFEST`.
    settings : SpeechSettings
    session : Session
    words : mapping of str to list of Word, optional
        By clip_id, the words of the manifest's texts with their times, where these are known.

    Raises
    ------
    SetupError
        The speech model is missing, or does not know the language of a clip.
    """
    rows = sorted_rows(manifest)
    unheard = [row for row in rows if not row["text"].strip() and row["has_audio"]]
    if is_precomputed(manifest):  # no sound to listen to
        unheard = []
    ignored: set[str] = set()
    if settings.model == NO_SPEECH:
        ignored, unheard = {row["clip_id"] for row in unheard}, []
    heard: dict[str, dict[str, Any]] = {}
    quarantine: list[Rejected] = []
    if unheard:
        # Said now, not by a worker that has loaded the model for it.
        known = known_languages(resolve(settings.model, offline=session.run.offline))
        for language in sorted({row["language"] for row in unheard}):
            if known:
                require_language(language, known, settings.model)
        build = partial(speech.build, settings)
        work = Work(build, _entry, partial(_group, settings), session.cache)
        schema = pa.schema([TRANSCRIPTS.field("clip_id"), *_ENTRY])
        collected = Collection(work, list(_jobs(unheard)), session, STAGE).finish(schema)
        heard = {row["clip_id"]: row for row in collected.table().to_pylist()}
        quarantine = collected.quarantine
    failed = {row.clip_id for row in quarantine}
    transcripts = []
    for row in rows:
        if row["clip_id"] not in failed:
            listed = _as_listed(row, (words or {}).get(row["clip_id"], []))
            if row["clip_id"] in ignored:
                listed["source"] = "unknown"
            transcripts.append(heard.get(row["clip_id"]) or listed)
    warnings = [f"{row['clip_id']}: {text}" for row in heard.values() for text in row["warnings"]]
    return Transcribed(pa.Table.from_pylist(transcripts, schema=TRANSCRIPTS), quarantine, warnings)


def transcribe_new(
    manifest: pa.Table,
    settings: SpeechSettings,
    session: Session,
    words: Mapping[str, list[Word]] | None = None,
) -> Transcribed:
    """Find the words of new videos, as `transcribe` does, in whatever language.

    Where the speech model does not know it, no words are recognised, and a warning says so: there
    may be enough to see and to hear.

    Raises
    ------
    SetupError
        The speech model is missing.
    """
    try:
        return transcribe(manifest, settings, session, words)
    except UnsupportedLanguage as error:
        deaf = settings.model_copy(update={"model": NO_SPEECH})
        warning = message(f"no words are recognised: {error}")
        print(f"words: {warning}", file=sys.stderr, flush=True)  # before the work, not after it
        return transcribe(manifest, deaf, session, words)._replace(warnings=[warning])


def wordless_sound(manifest: pa.Table, transcripts: pa.Table) -> list[Rejected]:
    """Clips that are sound only, and sound without words: nothing to learn a sentiment from.

    A dataset's run puts these in its quarantine; a new recording of that kind still gets an
    answer.
    """
    words = dict(
        zip(transcripts["clip_id"].to_pylist(), transcripts["text"].to_pylist(), strict=True)
    )
    return [
        Rejected(row["clip_id"], row["path"], STAGE, message("sound only, and no words in it"))
        for row in sorted_rows(manifest)
        if not row["has_video"] and words.get(row["clip_id"]) == ""
    ]


def _group(settings: SpeechSettings) -> str:
    return f"speech-{fingerprint('speech', settings, offline=True).value}"


def _jobs(rows: list[dict[str, Any]]) -> Iterator[Job]:
    for row in rows:
        clip = clip_of(row)
        task = Task((clip, row["language"]), row["duration_s"])
        yield Job(row, speech_key(row), task, Source(clip.path, row["sha256"]))


def _entry(_: Extractor, result: Transcript) -> pa.Table:
    row = result._asdict() | {"words": [word._asdict() for word in result.words]}
    return pa.Table.from_pylist([row], schema=_ENTRY)


def _as_listed(row: dict[str, Any], words: list[Word]) -> dict[str, Any]:
    """The text that stands in the manifest, if any, and when its words are said."""
    text = row["text"].strip()
    return {
        "clip_id": row["clip_id"],
        "text": text,
        "source": "given" if text else "none",
        "words": [word._asdict() for word in words],
    }
