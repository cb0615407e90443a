"""What calls of the extractors can share: workers, the models they have loaded, and the cache."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol, Self

from extractors.settings import RunSettings
from extractors.workers.cache import VARIABLE, Cache, opened
from extractors.workers.caller import Caller
from extractors.workers.pool import Extractor, Outcome, Pool, Task

# What clips need whatever the settings, in the order in which they need it.
_LIBRARIES = (
    "extractors.media.sound",
    "faster_whisper",
    "extractors.audio.extractor",
    "librosa.core",  # of librosa itself nothing is imported before it is used
    "librosa.feature",
    "librosa.sequence",
    "extractors.vision.extractor",
    "mediapipe",
)


class _Run(Protocol):
    def outcomes(self, title: str) -> Iterator[Outcome]: ...


class _Place(Protocol):
    def start(self, build: Callable[[], Extractor], tasks: Sequence[Task]) -> _Run: ...


class Session:
    """Workers that live as long as the session, and serve every call that is given it.

    A worker starts when there is work for it, and loads each model once. What is extracted is
    kept in the cache; without one (`RunSettings.cache`, $LNLN_CACHE), in a temporary folder that
    is deleted with the session.

    with Session() as session:
        first = extract("a.mp4", session=session)
        second = extract("b.mp4", session=session)  # no process is started, no model is loaded

    Parameters
    ----------
    run : RunSettings or mapping of its fields, optional
        How the work is done.

    Attributes
    ----------
    run : RunSettings
    cache : Cache
        There is one from entering the session on.
    """

    cache: Cache

    def __init__(self, run: RunSettings | Mapping[str, Any] | None = None) -> None:
        self.run = RunSettings.model_validate({} if run is None else run)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.cache = self._stack.enter_context(opened(self.run.cache))
        self._workers = self._stack.enter_context(Pool(self.run))
        self._caller = Caller()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def warm_up(self) -> None:
        """Start a worker that imports what clips need, while the caller does something else.

        Where there is a cache that lasts, nothing: all that will be asked for may be in it.
        """
        lasting = os.environ.get(VARIABLE) or self.run.cache
        if not lasting and self.run.executor == "local":
            self._workers.start(_Importer, [Task((_LIBRARIES,), 0.0)])

    def place(self, tasks: int, few: int) -> _Place:
        """Where so many tasks are done: by the workers, or in this process if they are few."""
        return self._caller if tasks <= few else self._workers


class _Importer:
    """Imports modules in a worker."""

    def extract(self, modules: Sequence[str]) -> None:
        for module in modules:
            import_module(module)
