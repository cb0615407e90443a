"""Many tasks, done by workers on this machine or on a Ray cluster, in order."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from extractors.errors import SetupError
from extractors.settings import RunSettings
from extractors.workers.progress import Progress
from extractors.workers.worker import Cancelled, Extractor, NodeLost, Outcome, Task, Worker

__all__ = ["Extractor", "Outcome", "Task", "run_tasks", "worker_count"]

_AHEAD = 1000  # clips handed out per worker before the first of them is waited for
_NODE_LOSSES = 5  # of one clip, before it is suspected to be their cause


class _Worker(Protocol):
    def prepare(self) -> None:
        """Get to where a task can be done; may wait for long."""

    def do(self, task: Task) -> Outcome: ...

    def stop(self) -> None: ...


def run_tasks(
    build: Callable[[], Extractor], tasks: Sequence[Task], settings: RunSettings, title: str
) -> Iterator[Outcome]:
    """Do every task, ``build().extract(*task.arguments)``, in worker processes.

    Parameters
    ----------
    build : callable
        Makes the extractor, once in each worker. Like the tasks and results, it must pickle.
    tasks : sequence of Task
    settings : RunSettings
    title : str
        Of the progress.

    Yields
    ------
    Outcome
        One per task, in the order of the tasks. A worker that dies or exceeds a limit is
        replaced and its task tried once more.

    Raises
    ------
    SetupError
        The extractor cannot be built on this machine, or the Ray cluster cannot be used.
    """
    clips = sum(task.method == "extract" for task in tasks)
    if not tasks:
        return
    waiting = iter(tasks)
    started: deque[_Job] = deque()
    cancelled = threading.Event()
    with (
        _workers(build, settings, max(clips, 1), cancelled) as workers,
        _Crew(workers, cancelled) as crew,
        Progress(clips, title) as progress,
    ):
        while True:
            for task in islice(waiting, _AHEAD * len(workers) - len(started)):
                started.append(crew.start(task))
            if not started:
                return
            job = started.popleft()
            outcome = crew.wait(job, progress)
            if job.task.method == "extract":
                progress.step(failed=outcome.reason is not None)
            yield outcome


def worker_count(settings: RunSettings) -> int:
    """Worker processes to start here; as many as this process may use cores where it is 0."""
    if settings.workers:
        return settings.workers
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _workers(
    build: Callable[[], Extractor], settings: RunSettings, most: int, cancelled: threading.Event
) -> AbstractContextManager[Sequence[_Worker]]:
    if settings.executor == "ray":
        from extractors.workers.ray_cluster import ray_workers  # imports Ray, an extra

        return ray_workers(build, settings, most, cancelled)
    return _local_workers(build, settings, most, cancelled)


@contextmanager
def _local_workers(
    build: Callable[[], Extractor], settings: RunSettings, most: int, cancelled: threading.Event
) -> Iterator[Sequence[_Worker]]:
    count = min(worker_count(settings), most)
    yield [Worker(build, settings, cancelled) for _ in range(count)]


@dataclass
class _Job:
    task: Task
    outcome: "Future[Outcome]" = field(default_factory=Future)
    losses: int = 0


class _Crew:
    """One thread per worker, which waits for it; they take the jobs from one queue."""

    def __init__(self, workers: Sequence[_Worker], cancelled: threading.Event) -> None:
        self._cancelled = cancelled
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._error: Exception | None = None  # of one worker, and the end of all
        self._threads = [
            threading.Thread(target=self._serve, args=(worker,), daemon=True) for worker in workers
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cancelled.set()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def start(self, task: Task) -> _Job:
        job = _Job(task)
        self._jobs.put(job)
        return job

    def wait(self, job: _Job, progress: Progress) -> Outcome:
        while True:
            try:
                return job.outcome.result(timeout=1.0)
            except TimeoutError:
                if self._error is not None:
                    raise self._error from None
                progress.show()

    def _serve(self, worker: _Worker) -> None:
        try:
            while not self._cancelled.is_set():
                worker.prepare()
                job = self._jobs.get()
                if job is not None and not self._cancelled.is_set():
                    self._do(worker, job)
        except Cancelled:
            pass
        except Exception as error:
            self._error = error
        finally:
            worker.stop()

    def _do(self, worker: _Worker, job: _Job) -> None:
        try:
            job.outcome.set_result(worker.do(job.task))
        except NodeLost as loss:
            job.losses += 1
            if job.losses > _NODE_LOSSES:
                job.outcome.set_result(Outcome(None, f"{loss}; tried {job.losses} times"))
            else:
                self._jobs.put(job)
        except SetupError as error:
            job.outcome.set_exception(error)  # at once, should it be this one that is waited for
            raise
