"""Where somebody speaks in clips, found once and kept in the cache."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from contracts.quarantine import Rejected
from extractors.fingerprint import code_hash
from extractors.speech.activity import Activity, VoiceActivity
from extractors.workers.cached_map import Collection
from extractors.workers.keys import clip_key
from extractors.workers.serving import Extractor, Task
from extractors.workers.session import Session
from extractors.workers.work import Job, Source, Work, clip_of

_PACKAGES = ("faster-whisper", "onnxruntime", "numpy", "av")
_SOURCES = ("extractors/speech/activity.py",)
_ENTRY = pa.schema(
    [
        pa.field("probabilities", pa.list_(pa.field("element", pa.float32())), nullable=False),
        pa.field("warnings", pa.list_(pa.string()), nullable=False),
    ]
)


class Voices(NamedTuple):
    """Probability of speech by clip, and the clips that failed."""

    activity: dict[str, Activity]
    quarantine: list[Rejected]


def voice_activity(rows: Iterable[dict[str, Any]], session: Session, stage: str) -> Voices:
    """Listen for speech in clips; nothing is recognised, and no model has to be fetched for it.

    Parameters
    ----------
    rows : iterable of dict
        Rows of the manifest. A clip without sound is not opened.
    session : Session
    stage : str
        Named by the progress and in the quarantine.
    """
    activity: dict[str, Activity] = {}
    jobs = []
    for row in rows:
        if row["has_audio"]:
            clip = clip_of(row)
            task = Task((clip,), clip.duration_s)
            jobs.append(Job(row, clip_key(row), task, Source(clip.path, row["sha256"])))
        else:
            activity[row["clip_id"]] = Activity(np.zeros(0, np.float32), [])
    work = Work(VoiceActivity, _entry, _group, session.cache)
    schema = pa.schema([pa.field("clip_id", pa.string(), nullable=False), *_ENTRY])
    collected = Collection(work, jobs, session, stage).finish(schema)
    for batch in collected.batches():
        for heard in batch.to_batches(max_chunksize=1):
            probabilities = heard["probabilities"].flatten().to_numpy()
            (clip_id,), (warnings,) = heard["clip_id"].to_pylist(), heard["warnings"].to_pylist()
            activity[clip_id] = Activity(probabilities, warnings)
    return Voices(activity, collected.quarantine)


def _group() -> str:
    return f"voice-{code_hash(_PACKAGES, _SOURCES)}"


def _entry(_: Extractor, result: Activity) -> pa.Table:
    row = {"probabilities": result.probabilities, "warnings": result.warnings}
    return pa.Table.from_pylist([row], schema=_ENTRY)
