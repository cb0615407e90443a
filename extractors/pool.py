"""Worker processes that can die.

Native decoders and models can hang or crash on a bad file. Each clip runs in a worker process
with one model, one thread per library and a time limit; whatever happens to it costs that clip.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import Any, NamedTuple

from pebble import ProcessExpired, ProcessFuture, ProcessPool
from tqdm import tqdm

from extractors.errors import MediaError, SetupError
from extractors.settings import RunSettings

# Set in the children only, before they import anything.
_ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",  # the parent has fetched what there was to fetch
    "TRANSFORMERS_VERBOSITY": "error",
    "TQDM_DISABLE": "1",  # the parent shows the progress
}

_AHEAD = 32  # clips handed out per worker before the first of them is waited for


# Built once per worker; a task calls one of its methods.
Extractor = Any


class Task(NamedTuple):
    """One clip's call of a method of the extractor."""

    arguments: tuple[Any, ...]
    duration_s: float
    method: str = "extract"


class Outcome(NamedTuple):
    """What became of a task: its result, or the reason why there is none."""

    value: Any
    reason: str | None


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
        Of the progress bar.

    Yields
    ------
    Outcome
        One per task, in the order of the tasks. A worker that dies is replaced and its task
        tried once more; one that runs out of time is killed.

    Raises
    ------
    SetupError
        The extractor cannot be built on this machine.
    """
    workers = _Workers(build, settings, min(worker_count(settings), len(tasks)))
    ahead = _AHEAD * worker_count(settings)
    waiting = iter(tasks)
    started: deque[tuple[Task, ProcessFuture]] = deque()
    clips = sum(task.method == "extract" for task in tasks)
    try:
        with tqdm(total=clips, desc=title, unit="clip", disable=None) as bar:
            while True:
                for task in islice(waiting, ahead - len(started)):
                    started.append((task, workers.start(task)))
                if not started:
                    return
                task, future = started.popleft()
                outcome = workers.outcome(task, future)
                bar.update(task.method == "extract")
                yield outcome
    finally:
        workers.stop()


def worker_count(settings: RunSettings) -> int:
    """Worker processes to start; as many as this process may use cores where it is 0."""
    if settings.workers:
        return settings.workers
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Workers:
    """A process pool that is replaced when it breaks."""

    def __init__(self, build: Callable[[], Extractor], settings: RunSettings, count: int) -> None:
        self._build = build
        self._count = count
        self._settings = settings
        self._pool: ProcessPool | None = None

    def start(self, task: Task) -> ProcessFuture:
        if self._pool is None or not self._pool.active:
            self.stop()
            self._pool = ProcessPool(
                max_workers=self._count,
                initializer=_set_up,
                initargs=(self._build,),
                context=_Context(),
            )
        return self._pool.schedule(
            _call, args=(task.method, *task.arguments), timeout=self._limit_s(task)
        )

    def stop(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None

    def outcome(self, task: Task, future: ProcessFuture) -> Outcome:
        """Wait for a task; give it a second try if its worker died."""
        try:
            return self._wait(task, future)
        except (ProcessExpired, BrokenProcessPool):
            pass
        try:
            return self._wait(task, self.start(task))
        except ProcessExpired as error:
            return Outcome(None, f"the worker died on it twice (exit status {error.exitcode})")
        except BrokenProcessPool as error:
            raise SetupError("worker processes die before they can do any work") from error

    def _wait(self, task: Task, future: ProcessFuture) -> Outcome:
        try:
            return Outcome(future.result(), None)
        except (SetupError, ProcessExpired, BrokenProcessPool):
            raise
        except MediaError as error:
            return Outcome(None, error.reason)
        except TimeoutError:
            return Outcome(None, f"took longer than {self._limit_s(task):.0f} s")
        except Exception as error:
            first_line = (str(error).strip().splitlines() or [""])[0]
            return Outcome(None, f"{type(error).__name__}: {first_line}")

    def _limit_s(self, task: Task) -> float:
        return self._settings.timeout_s + self._settings.timeout_factor * task.duration_s


_extractor: Extractor = None  # of this worker process
_failure: SetupError | None = None


def _set_up(build: Callable[[], Extractor]) -> None:
    global _extractor, _failure
    try:
        _extractor = build()
    except SetupError as error:
        _failure = error
    except Exception as error:  # whatever it is, no other worker will fare better
        _failure = SetupError(f"{type(error).__name__}: {error}")


def _call(method: str, *arguments: Any) -> Any:
    if _failure is not None:
        raise _failure
    return getattr(_extractor, method)(*arguments)


class _WorkerProcess(SpawnProcess):
    """A process that starts with its own environment and without the caller's script.

    A spawned child runs the caller's main module again; without the guard that few scripts
    have, that starts the work anew in every child. Nothing in a worker needs that module.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        with _launching():
            return SpawnProcess._Popen(process_obj)


class _Context(SpawnContext):
    Process = _WorkerProcess


@contextmanager
def _launching() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    main = sys.modules["__main__"]
    os.environ.update(_ENVIRONMENT)
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
