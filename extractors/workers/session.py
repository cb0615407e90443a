"""What calls of the extractors can share: workers, the models they have loaded, and the cache."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol, Self

from extractors.settings import RunSettings
from extractors.workers.cache import VARIABLE, Cache
from extractors.workers.caller import Caller
from extractors.workers.opening import opened
from extractors.workers.pool import Extractor, Outcome, Pool, Task
from extractors.workers.progress import Reporting
from extractors.workers.uninterrupted import uninterrupted

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
    """Workers that live until the session is closed, and serve every call that it is handed to.

    A worker starts when there is work for it, and loads each model once. What is extracted is
    kept in the cache; where none is set (`RunSettings.cache`, $LNLN_CACHE), in a temporary folder
    that is deleted with the session. A session serves one call at a time.

    Parameters
    ----------
    run : RunSettings or mapping of its fields, optional
        How the work is done.

    Attributes
    ----------
    run : RunSettings
    cache : Cache
    reporting : Reporting
        How progress is told; it may be changed between calls.

    Raises
    ------
    SetupError
        The cache is at a URL that cannot be used here.

    Examples
    --------
    For the second clip no process is started and no model loaded.

    >>> with Session() as session:
    ...     first = extract("a.mp4", session=session)
    ...     second = extract("b.mp4", session=session)
    """

    def __init__(self, run: RunSettings | Mapping[str, Any] | None = None) -> None:
        self.run = RunSettings.model_validate({} if run is None else run)
        self._stack = ExitStack()
        self.cache: Cache = self._stack.enter_context(opened(self.run.cache))
        self.reporting = Reporting()
        self._workers = self._stack.enter_context(Pool(self.run, self.reporting))
        self._caller = Caller(self.reporting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, whatever they are doing; an interruption waits until they have ended."""
        with uninterrupted():
            self._stack.close()

    def give_up(self) -> None:
        """End what workers are doing, from another thread than that which waits for it.

        The call of the extractors that waits raises `GivenUp`; the session can be used again.
        """
        self._workers.give_up()

    def warm_up(self) -> None:
        """Start a worker that imports what clips need, while the caller does something else.

        Where there is a cache that lasts, nothing: all that will be asked for may be in it.
        """
        lasting = os.environ.get(VARIABLE) or self.run.cache
        if not lasting and self.run.executor == "local":
            self._workers.start(_Importer, [Task((), 0.0)])

    def place(self, tasks: int, few: int) -> _Place:
        """Where so many tasks are done: by the workers, or in this process if they are few."""
        return self._caller if tasks <= few else self._workers


class _Importer:
    """Imports the libraries in a worker when it is built, for which there is time enough."""

    def __init__(self) -> None:
        for module in _LIBRARIES:
            import_module(module)

    def extract(self) -> None:
        """There is nothing to do."""
