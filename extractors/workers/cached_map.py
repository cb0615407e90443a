"""Results for many clips: from the cache where they are there, else made by workers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from contracts.parquet import ROW_GROUP_BYTES
from contracts.quarantine import Rejected
from extractors.errors import SetupError
from extractors.workers.progress import Progress
from extractors.workers.session import Session
from extractors.workers.work import Job, Work


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
        keys = [job.key for job in self.jobs]
        entries = self.work.cache.read(self.work.group, keys, self._row_schema())
        durations_s = [job.task.duration_s for job in self.jobs]
        title = f"packing {self.work.group.split('-')[0]}"
        with Progress(durations_s, title) as progress:
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
        for entry in self.work.cache.read(self.work.group, [job.key], self._row_schema()):
            if entry is not None:
                return entry
        raise SetupError(
            f"the result for {job.row['clip_id']} is not in {self.work.cache.url} "
            f"({reason or 'it was made, but not where this machine looks'}); on a cluster, "
            "run.cache must be storage that all of its nodes share"
        )

    def _row_schema(self) -> pa.Schema:
        """Of an entry: the table's without the name of the clip."""
        return pa.schema(list(self.schema)[1:])

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
