"""What is said in every clip: as given in the manifest, else recognised, else nothing."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from contracts.messages import message
from contracts.parquet import sorted_rows
from contracts.quarantine import Rejected
from contracts.recordings import RECOGNITION
from contracts.schemas import TRANSCRIPTS
from extractors.assets.downloads import fetched
from extractors.datasets.precomputed import is_precomputed
from extractors.errors import UnsupportedLanguage
from extractors.listening import STAGE, Listened, listen
from extractors.settings import NO_SPEECH, SpeechSettings
from extractors.speech.believing import probable
from extractors.speech.languages import known_languages, require_language
from extractors.words import Word
from extractors.workers.session import Session


class Transcribed(NamedTuple):
    """What is said.

    Attributes
    ----------
    table : pa.Table
        As `contracts.schemas.TRANSCRIPTS`.
    quarantine : list of Rejected
        Clips that failed.
    warnings : list of str
    recognition : pa.Table
        As `contracts.recordings.RECOGNITION`, of the clips that were listened to.
    """

    table: pa.Table
    quarantine: list[Rejected]
    warnings: list[str]
    recognition: pa.Table


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
    listened = Listened({}, [])
    if unheard:
        # Said now, not by a worker that has loaded the model for it.
        known = known_languages(fetched(settings.model, offline=session.run.offline))
        for language in sorted({row["language"] for row in unheard}):
            if known:
                require_language(language, known, settings.model)
        listened = listen(unheard, settings, session)
    heard, failed = listened.heard, {row.clip_id for row in listened.quarantine}
    transcripts = []
    for row in rows:
        if row["clip_id"] not in failed:
            listed = _as_listed(row, (words or {}).get(row["clip_id"], []))
            if row["clip_id"] in ignored:
                listed["source"] = "unknown"
            transcripts.append(heard.get(row["clip_id"]) or listed)
    warnings = [f"{row['clip_id']}: {text}" for row in heard.values() for text in row["warnings"]]
    return Transcribed(
        _table(transcripts, TRANSCRIPTS),
        listened.quarantine,
        warnings,
        _table(heard.values(), RECOGNITION),
    )


def _table(rows: Iterable[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Those columns of rows that a schema names."""
    named = [{name: row[name] for name in schema.names} for row in rows]
    return pa.Table.from_pylist(named, schema=schema)


def transcribe_new(
    manifest: pa.Table,
    settings: SpeechSettings,
    session: Session,
    words: Mapping[str, list[Word]] | None = None,
) -> Transcribed:
    """Find the words of new videos, as `transcribe` does, in whatever language.

    Where the speech model does not know it, no words are recognised, and a warning says so: there
    may be enough to see and to hear. Words that the recogniser takes for improbable are not
    believed: nobody will read over what it made of these videos.

    Raises
    ------
    SetupError
        The speech model is missing.
    """
    try:
        return _doubting(transcribe(manifest, settings, session, words))
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


def _doubting(transcribed: Transcribed) -> Transcribed:
    """Take the improbable words that were recognised out of the transcripts."""
    doubted: dict[str, list[dict[str, Any]]] = {}
    transcripts = transcribed.table.to_pylist()
    for row in transcripts:
        if row["source"] != "asr":
            continue
        believed = probable(row["text"], [Word(**word) for word in row["words"]])
        if believed.doubted:
            doubted[row["clip_id"]] = [word._asdict() for word in believed.doubted]
            row["text"] = believed.text
            row["words"] = [word._asdict() for word in believed.words]
            row["source"] = "asr" if believed.text else "none"
    recognition = transcribed.recognition.to_pylist()
    for row in recognition:
        both = row["doubted"] + doubted.get(row["clip_id"], [])
        row["doubted"] = sorted(both, key=lambda word: word["start_s"])
    return transcribed._replace(
        table=_table(transcripts, TRANSCRIPTS), recognition=_table(recognition, RECOGNITION)
    )


def _as_listed(row: dict[str, Any], words: list[Word]) -> dict[str, Any]:
    """The text that stands in the manifest, if any, and when its words are said."""
    text = row["text"].strip()
    return {
        "clip_id": row["clip_id"],
        "text": text,
        "source": "given" if text else "none",
        "words": [word._asdict() for word in words],
    }
