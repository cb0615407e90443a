"""One clip's piece of work: what it is made from, how, and under which name it is kept."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import pyarrow as pa

from extractors.errors import MediaError, SetupError
from extractors.media.clip import Clip, content_hash, is_url
from extractors.workers.cache import Cache
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
