"""Folders for what a process keeps on disk that is nobody else's business: its user's alone."""

import atexit
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

_IN_USE = "in-use.lock"
_SETTLED_S = 60.0  # between making that file and locking it passes less


def private_folder(name: str) -> Path:
    """Return a folder that is this user's, and that nobody else can write to; made if need be.

    It is ``lnln/<name>`` in the user's cache, else ``lnln-<user id>/<name>`` in the temporary
    folder, else one that is deleted when this process ends.

    Parameters
    ----------
    name : str
        Of the folder, one part of a path.
    """
    # os.path.expanduser never raises, unlike Path.home.
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    for place in (Path(home) / "lnln", Path(tempfile.gettempdir()) / f"lnln-{os.getuid()}"):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            # The upper one as well: who can write there could put another in the lower one's place.
            if _owned(place, 0o755) and _owned(place / name, 0o700):
                return place / name
        except OSError:
            continue
    return _of_this_process(name)


def _owned(folder: Path, most: int) -> bool:
    """Whether a folder is this user's and allows no more than `most`; made or closed if need be."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        # In a shared temporary folder somebody else may have been there first.
        status = folder.lstat()  # of a link, the link
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return False
        if status.st_mode & stat.S_IWOTH:  # whatever is in there may be anybody's
            return False
        if status.st_mode & 0o777 & ~most:
            folder.chmod(status.st_mode & most)
    return os.access(folder, os.W_OK | os.X_OK)


@cache
def _of_this_process(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"lnln-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Make a folder that is deleted however the process ends: after ``kill -9``, by the next one.

    Parameters
    ----------
    prefix : str
        Of its name in the temporary folder; folders of that prefix that nobody uses any more are
        deleted first.
    """
    _delete_abandoned(prefix)
    with (
        tempfile.TemporaryDirectory(prefix=prefix) as folder,
        FileLock(Path(folder) / _IN_USE),
    ):
        yield Path(folder)


def _delete_abandoned(prefix: str) -> None:
    """Delete the temporary folders of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        lock = folder / _IN_USE
        with suppress(OSError, Timeout):
            ours = folder.lstat().st_uid == os.getuid()
            if ours and time.time() - lock.lstat().st_mtime > _SETTLED_S:
                with FileLock(lock, timeout=0):
                    shutil.rmtree(folder)
