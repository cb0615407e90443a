"""Which cache is used: one that is named, or a temporary one that nobody sees afterwards."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from extractors.workers.cache import VARIABLE, Cache

_TEMPORARY = "lnln-session-"
_IN_USE = "in-use.lock"
_SETTLED_S = 60.0  # between making that file and locking it passes less


@contextmanager
def opened(url: str) -> Iterator[Cache]:
    """Open the cache that $LNLN_CACHE names, else `url`, else one that is deleted afterwards."""
    url = os.environ.get(VARIABLE) or url
    if url:
        yield Cache(url if "://" in url else str(Path(url).expanduser().absolute()))
        return
    _delete_abandoned()
    with (
        tempfile.TemporaryDirectory(prefix=_TEMPORARY) as folder,
        FileLock(Path(folder) / _IN_USE),
    ):
        yield Cache(f"{folder}/features")


def _delete_abandoned() -> None:
    """Delete the temporary caches of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        lock = folder / _IN_USE
        with suppress(OSError, Timeout):
            ours = folder.lstat().st_uid == os.getuid()
            if ours and time.time() - lock.lstat().st_mtime > _SETTLED_S:
                with FileLock(lock, timeout=0):
                    shutil.rmtree(folder)
