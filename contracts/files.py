"""Atomic writing: a reader sees the old file or the new one, never half of it.

What is being made stands beside its place under a name that begins with a dot and ends with
``.partial``, and is locked. So what a process left that was killed is known by having no lock, and
the next one that writes to that place deletes it.
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

REMEDY = "delete it and run what wrote it again (dvc repro does for files of outputs/)"


class DamagedFile(OSError, ValueError):
    """A file is not what was written there, or another one stands in its place."""


ENDING = ".partial"
_SETTLED_S = 60.0  # between making a file and locking it passes less


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Temporary path to write to; it replaces `path` if the block ends without an exception.

    Folders that are missing are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    delete_abandoned(path)
    handle, name = tempfile.mkstemp(ENDING, f".{path.name}.", path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with _in_use(temporary):
            yield temporary
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)  # mkstemp creates files that only their owner can read
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Temporary folder to write to; it replaces `folder` if the block ends without an exception.

    Folders above it that are missing are created.
    """
    folder = folder.resolve()  # of a link, the folder that it leads to
    with partial_folder(folder) as temporary:
        new = temporary / "new"
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(temporary / "old")
        new.rename(folder)


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """Empty folder beside `folder` for what is not finished; deleted when the block ends."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    delete_abandoned(folder)
    temporary = Path(tempfile.mkdtemp(ENDING, f".{folder.name}.", folder.parent))
    try:
        with _in_use(temporary):
            yield temporary
    finally:
        _discard(temporary, folder)


def delete_abandoned(path: Path) -> None:
    """Delete what a process left that was killed while it made this file or folder.

    A folder that it had moved away is moved back.
    """
    name = re.compile(rf"\.{re.escape(path.name)}\.\w{{8}}{re.escape(ENDING)}", re.ASCII)
    with suppress(OSError):
        for entry in os.scandir(path.parent):
            if name.fullmatch(entry.name):
                changed = entry.stat(follow_symlinks=False).st_mtime
                if time.time() - changed > _SETTLED_S and _is_free(entry.path):
                    _discard(Path(entry.path), path)


def _discard(temporary: Path, path: Path) -> None:
    """Delete what is not finished; of a folder, `path` comes back if it had been moved away."""
    if not temporary.is_dir():
        temporary.unlink(missing_ok=True)
        return
    old = temporary / "old"
    if old.exists() and not path.exists():  # interrupted between the two
        old.rename(path)
    shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _in_use(temporary: Path) -> Iterator[None]:
    """Hold a lock on what is being made."""
    handle = os.open(temporary, os.O_RDONLY)
    try:
        with suppress(OSError):  # of a file system without locks nothing is ever deleted
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _is_free(path: str) -> bool:
    """Whether nobody holds such a lock, which the system frees however a process ends."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    DamagedFile
        It holds something else, or is torn.
    """
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path} is damaged ({error}): {REMEDY}") from error
    if not isinstance(content, dict):
        raise DamagedFile(f"{path} holds a {type(content).__name__}, not an object: {REMEDY}")
    return content
