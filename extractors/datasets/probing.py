"""Open every file once: what it holds, and its sha256, by which its features are cached."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from contracts.messages import message
from contracts.quarantine import Rejected
from contracts.schemas import MANIFEST
from extractors.errors import SetupError
from extractors.fingerprint import code_hash
from extractors.media.clip import content_hash, is_url, state_of
from extractors.workers.cache import key_of, located
from extractors.workers.cached_map import Collection
from extractors.workers.serving import Task
from extractors.workers.session import Session
from extractors.workers.work import Job, Work, absolute

if TYPE_CHECKING:
    from extractors.media.container import MediaInfo

STAGE = "ingest"
SOURCES = ("extractors/datasets/probing.py",)

_PROBED = pa.schema(
    MANIFEST.field(name)
    for name in ("sha256", "duration_s", "width", "height", "fps", "has_audio", "has_video")
)


class Prober:
    """Probes and hashes files; runs in a worker, because a damaged file can hang or crash it."""

    def extract(self, path: str) -> tuple[str, MediaInfo]:
        """The sha256 of a file's bytes, and what it holds.

        Raises
        ------
        MediaError
            The file cannot be used.
        """
        from extractors.media.container import probe

        info = probe(path)  # first: its errors name what is wrong with the file
        return content_hash(path), info


def probe_rows(rows: list[dict[str, Any]], session: Session) -> tuple[pa.Table, list[Rejected]]:
    """Complete rows of the manifest with what is in their files.

    Parameters
    ----------
    rows : list of dict
        The columns of `contracts.schemas.MANIFEST` that are known before `path` is opened.
    session : Session
        A file that its cache knows by path, size and time of change is not read again.

    Returns
    -------
    pa.Table
        As `MANIFEST`, sorted by clip_id.
    list of Rejected
        Clips that cannot be used.
    """
    rows, rejected = _nameable(sorted(rows, key=lambda row: row["clip_id"]))
    work = Work(Prober, _entry, _group, session.cache)
    # The time limit of a task grows with its duration. That is not known yet; the size is.
    jobs = [
        Job(row, _state(path), Task((path,), _megabytes(path)))
        for row, path in ((row, absolute(row["path"])) for row in rows)
    ]
    schema = pa.schema([MANIFEST.field("clip_id"), *_PROBED])
    collected = Collection(work, jobs, session, STAGE).finish(schema)
    probes = collected.table().drop_columns(["clip_id"]).to_pylist()
    kept = []
    for job, info in zip(collected.jobs, probes, strict=True):
        row = job.row | info
        if row.get("start_s") is not None:  # a segment of a whole video
            if row["start_s"] >= info["duration_s"]:
                reason = message(
                    f"begins at {row['start_s']:g} s, the video ends at {info['duration_s']:g}"
                )
                rejected.append(Rejected(row["clip_id"], row["path"], STAGE, reason))
                continue
            row["end_s"] = min(row["end_s"], info["duration_s"])
            row["duration_s"] = row["end_s"] - row["start_s"]
        kept.append(row)
    return pa.Table.from_pylist(kept, schema=MANIFEST), rejected + collected.quarantine


def _group() -> str:
    return f"files-{code_hash(['av'], SOURCES)}"


def _entry(_: Prober, result: tuple[str, MediaInfo]) -> pa.Table:
    sha256, info = result
    return pa.Table.from_pylist([{"sha256": sha256, **info._asdict()}], schema=_PROBED)


def _state(path: str) -> str:
    """Key of a file in the cache: path, size and time of change.

    A file of which these tell nothing gets a key of its own.
    """
    return key_of(path, state_of(path) or time.time_ns())


def _nameable(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """Set aside files whose names are not UTF-8: no table can hold them."""
    kept, rejected = [], []
    for row in rows:
        try:
            row["path"].encode()
            kept.append(row)
        except UnicodeEncodeError:
            clip_id, path = (
                os.fsencode(row[k]).decode("utf-8", "replace") for k in ("clip_id", "path")
            )
            reason = message("the file's name is not UTF-8: rename it")
            rejected.append(Rejected(clip_id, path, STAGE, reason))
    return kept, rejected


def _megabytes(path: str) -> float:
    try:
        if is_url(path):
            files, inside = located(path)
            return float(files.size(inside) or 0) / 1e6
        return Path(path).stat().st_size / 1e6
    except (OSError, SetupError):  # the worker will say what is wrong with it
        return 0.0
