"""Speech recognition of clips of any length: long ones in parts, cut where nobody speaks.

The parts of a recording are pieces of work of their own: several workers are at them, each is in
the cache when it is done, and no more than one part is in a worker's memory.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from contracts.messages import message
from contracts.quarantine import Rejected
from contracts.recordings import RECOGNITION
from contracts.schemas import TRANSCRIPTS
from extractors import speech
from extractors.fingerprint import fingerprint
from extractors.settings import SpeechSettings
from extractors.speech.activity import SPEECH, STEP_S, Span, windows
from extractors.speech.spacing import joined
from extractors.voice import Voices, voice_activity
from extractors.words import Transcript
from extractors.workers.cached_map import Collected, Collection
from extractors.workers.keys import speech_key
from extractors.workers.serving import Extractor, Task
from extractors.workers.session import Session
from extractors.workers.work import Job, Source, Work, clip_of

STAGE = "transcribe"

WINDOW_S = 60.0  # longest part that is recognised at a time
_SEARCH_S = 15.0  # at its end, within which it is cut at a pause

_NAME = TRANSCRIPTS.field("clip_id")
_ENTRY = pa.schema([*list(TRANSCRIPTS)[1:], *list(RECOGNITION)[1:]])


class Listened(NamedTuple):
    """What was recognised.

    Attributes
    ----------
    heard : dict of str to dict
        By clip_id, the columns of `contracts.schemas.TRANSCRIPTS` and of
        `contracts.recordings.RECOGNITION`.
    quarantine : list of Rejected
    """

    heard: dict[str, dict[str, Any]]
    quarantine: list[Rejected]


def listen(rows: Sequence[dict[str, Any]], settings: SpeechSettings, session: Session) -> Listened:
    """Recognise the words of clips that have sound.

    Parameters
    ----------
    rows : sequence of dict
        Rows of the manifest.
    settings : SpeechSettings
    session : Session

    Raises
    ------
    SetupError
        The speech model is missing.
    """
    long = [row for row in rows if row["duration_s"] > WINDOW_S]
    voices = voice_activity(long, session, STAGE)
    parts = list(_parts(rows, voices))
    collected = _collection(parts, settings, session)
    of_clip: dict[str, list[dict[str, Any]]] = defaultdict(list)
    begins = {part["clip_id"]: part for part in parts}
    for row in collected.table().to_pylist():
        part = begins[row["clip_id"]]
        of_clip[part["whole"]].append(_later(row, part["from_s"]))
    failed: dict[str, list[Rejected]] = defaultdict(list)
    for rejected in collected.quarantine:
        failed[begins[rejected.clip_id]["whole"]].append(rejected)
    heard, quarantine = {}, list(voices.quarantine)
    lost = {row.clip_id for row in quarantine}
    for row in rows:
        clip_id = row["clip_id"]
        if clip_id in failed and not of_clip[clip_id]:
            quarantine.append(failed[clip_id][0]._replace(clip_id=clip_id))
        elif clip_id not in lost:
            heard[clip_id] = _joined(clip_id, of_clip[clip_id])
            heard[clip_id]["warnings"] += [
                _unheard(begins[rejected.clip_id], rejected.reason) for rejected in failed[clip_id]
            ]
    return Listened(heard, quarantine)


def parts_of(probabilities: np.ndarray, duration_s: float) -> list[Span]:
    """The parts in which a recording is recognised; those in which nobody speaks are left out.

    Parameters
    ----------
    probabilities : ndarray, float [steps]
        Of speech, see `extractors.speech.activity`.
    duration_s : float
    """
    spans = windows(probabilities, duration_s, WINDOW_S, _SEARCH_S)
    return [
        span
        for span in spans
        if (
            probabilities[int(span.start_s / STEP_S) : int(span.end_s / STEP_S) + 1] >= SPEECH
        ).any()
    ]


def parts_of_row(row: dict[str, Any], probabilities: np.ndarray) -> Iterator[dict[str, Any]]:
    """Rows of the manifest for the parts of a clip, and where each begins in it."""
    begin_s = row["start_s"] or 0.0
    for number, span in enumerate(parts_of(probabilities, row["duration_s"])):
        yield row | {
            "clip_id": f"{row['clip_id']}\n{number}",  # no clip has such a name
            "start_s": begin_s + span.start_s,
            "duration_s": span.end_s - span.start_s,
            "whole": row["clip_id"],
            "from_s": span.start_s,
        }


def _parts(rows: Sequence[dict[str, Any]], voices: Voices) -> Iterator[dict[str, Any]]:
    """Rows of the manifest for what is recognised at a time, with the clip and where it begins."""
    for row in rows:
        if row["duration_s"] <= WINDOW_S:
            yield row | {"whole": row["clip_id"], "from_s": 0.0}
        elif row["clip_id"] in voices.activity:
            yield from parts_of_row(row, voices.activity[row["clip_id"]].probabilities)


def _collection(
    parts: Sequence[dict[str, Any]], settings: SpeechSettings, session: Session
) -> Collected:
    work = Work(partial(speech.build, settings), _entry, partial(_group, settings), session.cache)
    jobs = []
    for part in parts:
        clip = clip_of(part)
        task = Task((clip, part["language"]), part["duration_s"])
        jobs.append(Job(part, speech_key(part), task, Source(clip.path, part["sha256"])))
    return Collection(work, jobs, session, STAGE).finish(pa.schema([_NAME, *_ENTRY]))


def _group(settings: SpeechSettings) -> str:
    return f"speech-{fingerprint('speech', settings, offline=True).value}"


def _entry(_: Extractor, result: Transcript) -> pa.Table:
    row = result._asdict()
    for name in ("words", "doubted"):
        row[name] = [word._asdict() for word in row[name]]
    return pa.Table.from_pylist([row], schema=_ENTRY)


def _later(row: dict[str, Any], seconds: float) -> dict[str, Any]:
    """A part's row with times from the beginning of its clip."""
    if not seconds:
        return row
    moved = {
        name: [
            word | {key: word[key] + seconds for key in ("start_s", "end_s")} for word in row[name]
        ]
        for name in ("words", "doubted")
    }
    return row | moved


def _joined(clip_id: str, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One row of the parts of a clip, in their order."""
    text = joined(part["text"] for part in parts)
    sure = {part["language"]: 0.0 for part in parts if part["language"]}
    for part in parts:
        if part["language"]:
            sure[part["language"]] += part["language_probability"]
    language = max(sure, key=lambda name: sure[name], default=None)
    identified = sum(part["language"] is not None for part in parts)
    return {
        "clip_id": clip_id,
        "text": text,
        "source": "asr" if text else "none",
        "words": [word for part in parts for word in part["words"]],
        "language": language,
        "language_probability": sure[language] / identified if language else None,
        "doubted": [word for part in parts for word in part["doubted"]],
        "warnings": list(dict.fromkeys(text for part in parts for text in part["warnings"])),
    }


def _unheard(part: dict[str, Any], reason: str) -> str:
    begin, end = part["from_s"], part["from_s"] + part["duration_s"]
    return message(f"no words between {begin:.0f} and {end:.0f} s: {reason}")
