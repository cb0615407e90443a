"""The recordings of a manifest, cut into utterances, with the words divided among them."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from contracts.messages import message, some
from contracts.parquet import sorted_rows
from contracts.recordings import RECOGNITION, UTTERANCES
from contracts.schemas import TRANSCRIPTS
from extractors.clips import Clips
from extractors.recordings.cutting import Limits, Utterance, cut
from extractors.recordings.timing import timed
from extractors.settings import Unspoken
from extractors.speech.activity import voiced
from extractors.speech.spacing import joined
from extractors.voice import voice_activity
from extractors.words import Word
from extractors.workers.session import Session

STAGE = "segment"

_ROUNDED_S = 0.05  # by which containers lengthen a clip


def segment(
    clips: Clips,
    limits: Limits,
    unspoken: Unspoken,
    session: Session,
    whole_s: float | None = None,
) -> Clips:
    """Cut recordings into utterances.

    An utterance has the language, group, split and labels of its recording. Its clip_id is that of
    the recording and a number: ``talk.mp4/0007``.

    Parameters
    ----------
    clips : Clips
        Recordings, and what is said in them.
    limits : Limits
        Of an utterance.
    unspoken : {"clips", "gaps"}
        What stretches without speech become, see `extractors.recordings.cutting.cut`.
    session : Session
        Its workers look for voices.
    whole_s : float, optional
        Recordings that last no longer stay as they are; by default those within the limit. 0: all
        of them are cut at their pauses.

    Returns
    -------
    Clips
        The manifest is as `contracts.recordings.UTTERANCES`, sorted by clip_id, which within a
        recording is the order of time. Recordings whose sound cannot be listened to are added to
        the quarantine.
    """
    said = {row["clip_id"]: row for row in clips.transcripts.to_pylist()}
    told = {row["clip_id"]: row for row in clips.recognition.to_pylist()}
    rows = [row for row in sorted_rows(clips.manifest) if row["clip_id"] in said]
    whole_s = limits.seconds + _ROUNDED_S if whole_s is None else whole_s
    long = [row for row in rows if row["duration_s"] > whole_s]
    voices = voice_activity(long, session, STAGE)
    failed = {row.clip_id for row in voices.quarantine}
    cutting = {row["clip_id"] for row in long}
    pieces: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    heard: list[dict[str, Any]] = []
    untimed: list[str] = []
    for row in rows:
        clip_id = row["clip_id"]
        if clip_id in failed:
            continue
        if clip_id not in cutting:
            pieces.append(row | {"recording_id": clip_id})
            texts.append(said[clip_id])
            heard += [told[clip_id]] if clip_id in told else []
            continue
        speech = voiced(voices.activity[clip_id].probabilities)
        given = [Word(**word) for word in said[clip_id]["words"]]
        if said[clip_id]["text"] and not given:
            untimed.append(clip_id)
        words = timed(said[clip_id]["text"], given, speech, row["duration_s"])
        utterances = cut(words, speech, row["duration_s"], limits, unspoken)
        names = _names(clip_id, len(utterances))
        parts = _texts(said[clip_id]["text"], utterances)
        for name, utterance, text in zip(names, utterances, parts, strict=True):
            pieces.append(_clip(row, name, utterance, text))
            texts.append(_transcript(said[clip_id], name, utterance, text))
            if clip_id in told:
                heard.append(_recognised(told[clip_id], name, utterance))
    empty = cutting - failed - {row["recording_id"] for row in pieces}
    return Clips(
        pa.Table.from_pylist(pieces, schema=UTTERANCES),
        pa.Table.from_pylist(texts, schema=TRANSCRIPTS),
        pa.Table.from_pylist(heard, schema=RECOGNITION),
        [*clips.quarantine, *voices.quarantine],
        [*clips.warnings, *_warnings(untimed, empty)],
    )


def _names(recording: str, count: int) -> list[str]:
    digits = max(4, len(str(count)))
    return [f"{recording}/{number:0{digits}d}" for number in range(1, count + 1)]


def _texts(text: str, utterances: Sequence[Utterance]) -> Iterator[str]:
    """The part of a recording's text that each utterance is.

    Where words are not in the order of the text, as those of captions that overlap, it is the
    words themselves.
    """
    position = 0
    for utterance in utterances:
        places = list(_places(text, utterance.words, position))
        if places and len(places) == len(utterance.words):
            position = places[-1][1]
            yield text[places[0][0] : position].strip()
        else:
            yield joined(word.word for word in utterance.words)


def _places(text: str, words: Sequence[Word], position: int) -> Iterator[tuple[int, int]]:
    """Where words stand in a text, until one is not found or another is between them."""
    for number, word in enumerate(words):
        begin = text.find(word.word, position)
        if begin < 0 or (number and any(sign.isalnum() for sign in text[position:begin])):
            return
        position = begin + len(word.word)
        yield begin, position


def _clip(row: dict[str, Any], name: str, utterance: Utterance, text: str) -> dict[str, Any]:
    begin_s = row["start_s"] or 0.0
    return row | {
        "clip_id": name,
        "recording_id": row["clip_id"],
        "start_s": begin_s + utterance.start_s,
        "end_s": begin_s + utterance.end_s,
        "duration_s": utterance.end_s - utterance.start_s,
        "text": text if row["text"] else "",
    }


def _transcript(
    whole: dict[str, Any], name: str, utterance: Utterance, text: str
) -> dict[str, Any]:
    source = whole["source"]
    return {
        "clip_id": name,
        "text": text,
        "source": source if text or source == "unknown" else "none",
        "words": [word._asdict() for word in utterance.words],
    }


def _recognised(whole: dict[str, Any], name: str, utterance: Utterance) -> dict[str, Any]:
    doubted = [
        word | {key: max(word[key] - utterance.start_s, 0.0) for key in ("start_s", "end_s")}
        for word in whole["doubted"]
        if utterance.start_s <= (word["start_s"] + word["end_s"]) / 2 < utterance.end_s
    ]
    return whole | {"clip_id": name, "doubted": doubted, "warnings": []}  # told of the recording


def _warnings(untimed: Sequence[str], empty: set[str]) -> list[str]:
    warnings = []
    if untimed:
        warnings.append(
            message(
                f"the words of {some(untimed)} came without times: they are spread over where "
                "somebody speaks (subtitles have times)"
            )
        )
    if empty:
        warnings.append(message(f"nothing is spoken in {some(sorted(empty))}: no utterances"))
    return warnings
