"""Tasks done in the calling process, where starting a worker for them would take longer."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from extractors.workers.progress import Progress, Reporting
from extractors.workers.serving import Extractor, Outcome, Task, perform


class Caller:
    """Does what `extractors.workers.pool.Pool` does, without any process of its own.

    For extractors that run no native code on the user's files: nothing protects the calling
    process from a crash. Extractors are built once, as in a worker.

    Parameters
    ----------
    reporting : Reporting, optional
        How progress is told.
    """

    def __init__(self, reporting: Reporting | None = None) -> None:
        self._reporting = reporting or Reporting()
        self._built: dict[bytes, Extractor] = {}

    def start(self, build: Callable[[], Extractor], tasks: Sequence[Task]) -> "CallerRun":
        """Take tasks on; each is done when its outcome is asked for."""
        return CallerRun(self._built, build, tasks, self._reporting)


class CallerRun:
    """Some tasks, and their outcomes."""

    def __init__(
        self,
        built: dict[bytes, Extractor],
        build: Callable[[], Extractor],
        tasks: Sequence[Task],
        reporting: Reporting,
    ) -> None:
        self._reporting = reporting
        self._built = built
        self._build = build
        self._tasks = tasks

    def outcomes(self, title: str) -> Iterator[Outcome]:
        """What becomes of the tasks, in their order; see `extractors.workers.pool.Run`."""
        key = pickle.dumps(self._build)
        durations_s = [task.duration_s for task in self._tasks]
        with Progress(durations_s, title, self._reporting) as progress:
            for task in self._tasks:
                with _like_a_worker():
                    if key not in self._built:
                        self._built[key] = self._build()
                    outcome = perform(self._built[key], task)
                progress.step(failed=outcome.reason is not None)
                yield outcome


@contextmanager
def _like_a_worker() -> Iterator[None]:
    """Let the libraries behave as `extractors.workers.worker.ENVIRONMENT` has them in a worker.

    Torch works with one thread, as the last bits of its results can depend on how many there are,
    and transformers shows no progress of its own.
    """
    import torch
    from transformers.utils import logging

    threads, bars = torch.get_num_threads(), logging.is_progress_bar_enabled()
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if bars:
            logging.enable_progress_bar()
