"""Many tasks, done by workers on this machine or on a Ray cluster, in order."""

import os
import pickle
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from extractors.errors import GivenUp
from extractors.settings import RunSettings
from extractors.workers.progress import Progress, Reporting
from extractors.workers.serving import Extractor, Outcome, Task
from extractors.workers.worker import Cancelled, NodeLost, Worker

__all__ = ["Extractor", "Outcome", "Pool", "Run", "Task", "worker_count"]

_AHEAD = 1000  # tasks handed out per worker before the first of them is waited for
_NODE_LOSSES = 5  # of one clip, before it is suspected to be their cause


class _Worker(Protocol):
    def prepare(self, cancelled: threading.Event) -> None:
        """Get to where a task can be done; may wait for long."""

    def do(self, build: bytes, task: Task, cancelled: threading.Event) -> Outcome: ...

    def stop(self) -> None: ...


def worker_count(settings: RunSettings) -> int:
    """Worker processes to start here; as many as this process may use cores where it is 0."""
    if settings.workers:
        return settings.workers
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pool:
    """Workers that live until the pool is closed, and do tasks of any kind.

    They are started when there is work for them: as many as the most tasks that were ever handed
    over together, up to the limit of the settings. What one of them has built stays built.

    Parameters
    ----------
    settings : RunSettings
    reporting : Reporting, optional
        How progress is told; it may change from run to run.
    """

    def __init__(self, settings: RunSettings, reporting: Reporting | None = None) -> None:
        self._settings = settings
        self.reporting = reporting or Reporting()
        self._stack = ExitStack()
        self._limit: int | None = None  # of workers; a cluster is not asked before there is work
        self._new_worker: Callable[[], _Worker] = partial(Worker, settings)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []  # one per worker, which waits for it
        self._runs: set[Run] = set()
        self._closed = threading.Event()
        self.error: Exception | None = None  # of a worker that can do nothing any more

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self, build: Callable[[], Extractor], tasks: Sequence[Task]) -> "Run":
        """Hand tasks over to the workers, and return at once.

        Parameters
        ----------
        build : callable
            Makes the extractor, once in each worker. Like the tasks and results, it must pickle.
        tasks : sequence of Task

        Raises
        ------
        SetupError
            The Ray cluster cannot be used.
        RuntimeError
            The pool is closed.
        """
        if self._closed.is_set():
            raise RuntimeError("these workers have ended with their session: open another one")
        if tasks:
            self._employ(len(tasks))
        run = Run(pickle.dumps(build), tasks, self, _AHEAD * len(self._threads))
        self._runs.add(run)
        return run

    def run(
        self, build: Callable[[], Extractor], tasks: Sequence[Task], title: str
    ) -> Iterator[Outcome]:
        """Do tasks: `start` and `Run.outcomes` in one."""
        yield from self.start(build, tasks).outcomes(title)

    def give_up(self) -> None:
        """End what the workers are doing; whoever waits for it gets `GivenUp`."""
        for run in list(self._runs):
            run.error = GivenUp("this work was given up")
            run.close()

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        self._closed.set()
        for run in list(self._runs):
            run.close()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._stack.close()

    def forget(self, run: "Run") -> None:
        """A run is over."""
        self._runs.discard(run)

    def put(self, job: "_Job") -> None:
        """Have a job done by the next worker that is free."""
        self._jobs.put(job)

    def _employ(self, most: int) -> None:
        """Have as many workers as so many tasks can use."""
        if self._limit is None:
            self._limit = self._connect()
        while len(self._threads) < min(self._limit, most):
            thread = threading.Thread(target=self._serve, args=(self._new_worker(),), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _connect(self) -> int:
        """Find out where the workers are to be, and how many they may be."""
        if self._settings.executor == "local":
            return worker_count(self._settings)
        from extractors.workers.ray_cluster import RayWorker, connected  # imports Ray, an extra

        self._new_worker = partial(RayWorker, self._settings)
        return self._stack.enter_context(connected(self._settings))

    def _serve(self, worker: _Worker) -> None:
        """Be the thread of a worker."""
        try:
            while not self._closed.is_set():
                worker.prepare(self._closed)
                job = self._jobs.get()
                if job is not None and not job.run.cancelled.is_set():
                    self._do(worker, job)
        except Cancelled:
            pass
        except Exception as error:
            self.error = error
        finally:
            worker.stop()

    def _do(self, worker: _Worker, job: "_Job") -> None:
        try:
            job.outcome.set_result(worker.do(job.run.build, job.task, job.run.cancelled))
        except Cancelled:
            worker.stop()
        except NodeLost as loss:
            job.losses += 1
            if job.losses > _NODE_LOSSES:
                job.outcome.set_result(Outcome(None, f"{loss}; tried {job.losses} times"))
            else:
                self._jobs.put(job)
        except Exception as error:  # the end of its run, whichever outcome is waited for
            job.run.error = error
            job.outcome.set_exception(error)


class Run:
    """Some tasks that workers are at, and their outcomes."""

    def __init__(self, build: bytes, tasks: Sequence[Task], pool: Pool, ahead: int) -> None:
        self.build = build
        self.cancelled = threading.Event()
        self.error: Exception | None = None
        self._pool = pool
        self._durations_s = [task.duration_s for task in tasks]
        self._ahead = ahead
        self._waiting = iter(tasks)
        self._started: deque[_Job] = deque()
        self._hand_out()

    def outcomes(self, title: str) -> Iterator[Outcome]:
        """What becomes of the tasks.

        Parameters
        ----------
        title : str
            Of the progress; none is shown where it is empty.

        Yields
        ------
        Outcome
            One per task, in the order of the tasks. A worker that dies or exceeds a limit is
            replaced and its task tried once more.

        Raises
        ------
        SetupError
            The extractor cannot be built on this machine.
        """
        reporting = self._pool.reporting
        with closing(self), Progress(self._durations_s, title, reporting) as progress:
            while self._started:
                outcome = self._wait(self._started.popleft(), progress)
                self._hand_out()
                progress.step(failed=outcome.reason is not None)
                yield outcome

    def close(self) -> None:
        """Give up what is not done."""
        self.cancelled.set()
        self._pool.forget(self)

    def _hand_out(self) -> None:
        for task in islice(self._waiting, self._ahead - len(self._started)):
            job = _Job(self, task)
            self._started.append(job)
            self._pool.put(job)

    def _wait(self, job: "_Job", progress: Progress) -> Outcome:
        while True:
            try:
                return job.outcome.result(timeout=1.0)
            except TimeoutError:
                if error := self.error or self._pool.error:
                    raise error from None
                progress.show()


@dataclass
class _Job:
    run: Run
    task: Task
    outcome: "Future[Outcome]" = field(default_factory=Future)
    losses: int = 0
