"""What is said in every clip: as given in the manifest, else recognised, else nothing."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from contracts.messages import message
from contracts.parquet import sorted_rows
from contracts.quarantine import Rejected
from contracts.schemas import TRANSCRIPTS
from extractors.assets.resolving import resolve
from extractors.datasets.precomputed import is_precomputed
from extractors.fingerprint import fingerprint
from extractors.settings import RunSettings, SpeechSettings
from extractors.speech.recognizer import SpeechRecognizer
from extractors.words import Transcript
from extractors.workers.cache import Cache, key_of
from extractors.workers.cached_map import Job, Source, Work, clip_of, collect
from extractors.workers.pool import Task

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
    manifest: pa.Table, settings: SpeechSettings, run: RunSettings, cache: Cache
) -> Transcribed:
    """Find the words of every clip.

    No model is loaded where every clip with sound has its text.

    Parameters
    ----------
    manifest : pa.Table
        As `contracts.schemas.MANIFEST`.
    settings : SpeechSettings
    run : RunSettings
    cache : Cache

    Raises
    ------
    SetupError
        The speech model is missing, or does not know the language of a clip.
    """
    rows = sorted_rows(manifest)
    unheard = [row for row in rows if not row["text"].strip() and row["has_audio"]]
    if is_precomputed(manifest):  # no sound to listen to
        unheard = []
    heard: dict[str, dict[str, Any]] = {}
    quarantine: list[Rejected] = []
    if unheard:
        resolve(settings.model, offline=run.offline)
        build = partial(SpeechRecognizer, settings, offline=True)
        work = Work(build, _entry, partial(_group, settings), cache)
        schema = pa.schema([TRANSCRIPTS.field("clip_id"), *_ENTRY])
        found = collect(work, schema, list(_jobs(unheard)), run, STAGE)
        heard = {row["clip_id"]: row for row in found.table().to_pylist()}
        quarantine = found.quarantine
    failed = {row.clip_id for row in quarantine}
    transcripts = []
    for row in rows:
        if row["clip_id"] not in failed:
            transcripts.append(heard.get(row["clip_id"]) or _given(row))
    warnings = [f"{row['clip_id']}: {text}" for row in heard.values() for text in row["warnings"]]
    return Transcribed(pa.Table.from_pylist(transcripts, schema=TRANSCRIPTS), quarantine, warnings)


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
        key = key_of(row["sha256"], clip.start_s, clip.duration_s, row["language"])
        task = Task((clip, row["language"]), row["duration_s"])
        yield Job(row, key, task, Source(clip.path, row["sha256"]))


def _entry(_: SpeechRecognizer, found: Transcript) -> pa.Table:
    row = found._asdict() | {"words": [word._asdict() for word in found.words]}
    return pa.Table.from_pylist([row], schema=_ENTRY)


def _given(row: dict[str, Any]) -> dict[str, Any]:
    text = row["text"].strip()
    return {
        "clip_id": row["clip_id"],
        "text": text,
        "source": "given" if text else "none",
        "words": [],
    }
