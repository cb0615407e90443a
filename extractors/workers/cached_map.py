"""Results for many clips: from the cache where they are there, else made by workers."""

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import pyarrow as pa

from contracts.parquet import ROW_GROUP_BYTES
from contracts.quarantine import Rejected
from extractors.errors import MediaError, SetupError
from extractors.media.clip import Clip, content_hash, is_url
from extractors.workers.cache import Cache
from extractors.workers.progress import Progress
from extractors.workers.serving import Extractor, Task
from extractors.workers.session import Session

Encode = Callable[[Extractor, Any], pa.Table]


class Source(NamedTuple):
    """A file and what it held when it was listed."""

    path: str
    sha256: str


class Job(NamedTuple):
    """One clip's row of the manifest, the key of its result, and how to make that.

    `source` is the file that the work reads; None where it reads none, or none that is listed yet.
    """

    row: dict[str, Any]
    key: str
    task: Task
    source: Source | None = None


def clip_of(row: dict[str, Any]) -> Clip:
    """The stretch of a file that a row of the manifest names, for a worker anywhere."""
    return Clip(absolute(row["path"]), row["start_s"] or 0.0, row["duration_s"])


def absolute(path: str) -> str:
    """A path that means the same file in a process that was started elsewhere."""
    return path if is_url(path) else os.path.abspath(path)  # noqa: PTH100 - links stay


@dataclass(frozen=True)
class Work:
    """One extractor, in one version, and where its results are kept.

    Attributes
    ----------
    build : callable
        Makes the extractor.
    encode : callable
        Puts what it returns for a clip into a table of one row, without the clip's name.
    name : callable
        Names its part of the cache after all that decides the results.
    cache : Cache
    few : int
        Up to so many clips are done in the calling process, not by workers.
    """

    build: Callable[[], Extractor]
    encode: Encode
    name: Callable[[], str]
    cache: Cache
    few: int = 0

    @cached_property
    def group(self) -> str:
        """Its part of the cache."""
        return self.name()

    def keeper(self) -> "partial[Keeper]":
        """Makes the extractor that workers build; it pickles."""
        return partial(Keeper, self, self.group)

    def question(
        self, session: Session, clips: int, method: str, *arguments: Any
    ) -> Callable[[], Any]:
        """Ask a method of the extractor, built where so many clips are worked on.

        Returns
        -------
        callable
            Waits for the answer. It raises `SetupError` if there is none.
        """
        task = Task((method, *arguments), 0.0, method="ask")
        run = session.place(max(clips, 1), self.few).start(self.keeper(), [task])

        def answer() -> Any:
            (outcome,) = run.outcomes("")
            if outcome.reason is not None:
                kind = self.group.partition("-")[0]
                raise SetupError(f"the {kind} extractor cannot be set up: {outcome.reason}")
            return outcome.value

        return answer


class Keeper:
    """An extractor that keeps its results itself, so that none is lost whatever comes after.

    Raises
    ------
    SetupError
        This machine would name the results otherwise than the one that asks for them.
    """

    def __init__(self, work: Work, group: str) -> None:
        if work.name() != group:
            raise SetupError(
                f"{platform.node()} would make other results than the machine that asks for them: "
                "its version of this package, of a library or of a model is another"
            )
        self._work = work
        self._group = group
        self._extractor = work.build()

    def extract(self, key: str, source: Source | None, *arguments: Any) -> None:
        """Make one entry, unless another process just did.

        Raises
        ------
        MediaError
            The extractor's, or the file is not what it was when it was listed.
        SetupError
            The entry cannot be kept.
        """
        with self._work.cache.writing(self._group, key) as missing:
            if not missing:
                return
            if source is not None and content_hash(source.path) != source.sha256:
                raise MediaError(source.path, "it has changed since it was listed: list it again")
            result = self._extractor.extract(*arguments)
            row = self._work.encode(self._extractor, result)
            self._work.cache.write(self._group, key, row)

    def ask(self, method: str, *arguments: Any) -> Any:
        """What a method of the extractor returns."""
        return getattr(self._extractor, method)(*arguments)


@dataclass(frozen=True)
class Collected:
    """Results that are there, in the cache, in the order of their clips.

    Attributes
    ----------
    work : Work
    schema : pa.Schema
        Of the table: clip_id, and the columns of an entry.
    jobs : list of Job
        The clips that were done.
    quarantine : list of Rejected
        Those that failed.
    session : Session
        Makes an entry again that is lost; it must be open while the table is read.
    """

    work: Work
    schema: pa.Schema
    jobs: list[Job]
    quarantine: list[Rejected]
    session: Session

    def batches(self) -> Iterator[pa.Table]:
        """The table in parts of about 64 MB.

        Raises
        ------
        SetupError
            An entry is not there, and making it again did not help.
        """
        rows: list[pa.Table] = []
        names: list[str] = []
        size = 0
        entries = self.work.cache.read(self.work.group, [job.key for job in self.jobs])
        with Progress(len(self.jobs), f"packing {self.work.group.split('-')[0]}") as progress:
            for job, entry in zip(self.jobs, entries, strict=True):
                row = self._again(job) if entry is None else entry
                rows.append(row)
                names.append(job.row["clip_id"])
                size += row.nbytes
                progress.step(failed=False)
                if size >= ROW_GROUP_BYTES:
                    yield self._joined(names, rows)
                    rows, names, size = [], [], 0
        if rows:
            yield self._joined(names, rows)

    def table(self) -> pa.Table:
        """The whole table, in memory."""
        return pa.concat_tables([self.schema.empty_table(), *self.batches()]).combine_chunks()

    def _again(self, job: Job) -> pa.Table:
        """Make an entry anew that was damaged or deleted since it was looked for."""
        reason = Making(self.work, [job], self.session).reasons("mending").get(job.key)
        for entry in self.work.cache.read(self.work.group, [job.key]):
            if entry is not None:
                return entry
        raise SetupError(
            f"the result for {job.row['clip_id']} is not in {self.work.cache.url} "
            f"({reason or 'it was made, but not where this machine looks'}); on a cluster, "
            "run.cache must be storage that all of its nodes share"
        )

    def _joined(self, names: list[str], rows: list[pa.Table]) -> pa.Table:
        joined = pa.concat_tables(rows).combine_chunks()
        return pa.Table.from_arrays(
            [pa.array(names, pa.string()), *joined.columns], schema=self.schema
        )


class Making:
    """Entries that are being made, in the background where workers make them."""

    def __init__(self, work: Work, jobs: Sequence[Job], session: Session) -> None:
        # The longest first: no worker is left with it when the others are done.
        different = {job.key: job for job in jobs}.values()
        self._jobs = sorted(different, key=lambda job: -job.task.duration_s)
        tasks = [
            job.task._replace(arguments=(job.key, job.source, *job.task.arguments))
            for job in self._jobs
        ]
        self._run = session.place(len(tasks), work.few).start(work.keeper(), tasks)

    def reasons(self, title: str) -> dict[str, str]:
        """Wait for all of them; the reasons of those that failed, by key."""
        outcomes = self._run.outcomes(title)
        return {
            job.key: outcome.reason
            for job, outcome in zip(self._jobs, outcomes, strict=True)
            if outcome.reason is not None
        }


class Collection:
    """Results that were asked for; those not in the cache are being made.

    Equal keys are one piece of work. A clip that fails is in the quarantine; its failure is not
    kept, so that asking again tries it again.

    Parameters
    ----------
    work : Work
    jobs : sequence of Job
    session : Session
    stage : str
        Named by the progress and in the quarantine.
    """

    def __init__(self, work: Work, jobs: Sequence[Job], session: Session, stage: str) -> None:
        self._work = work
        self._jobs = jobs
        self._session = session
        self._stage = stage
        present = work.cache.present(work.group, {job.key for job in jobs})
        if jobs:
            work.cache.count(work.group, len(jobs), sum(job.key in present for job in jobs))
        missing = [job for job in jobs if job.key not in present]
        self._making = Making(work, missing, session)

    def finish(self, schema: pa.Schema) -> Collected:
        """Wait for the results.

        Raises
        ------
        SetupError
            The extractor cannot be built on this machine, or results cannot be kept.
        """
        reasons = self._making.reasons(self._stage)
        return Collected(
            self._work,
            schema,
            [job for job in self._jobs if job.key not in reasons],
            [
                Rejected(job.row["clip_id"], job.row["path"], self._stage, reasons[job.key])
                for job in self._jobs
                if job.key in reasons
            ],
            self._session,
        )
