"""A clip, and the file or URL that it is in; nothing is decoded here, and no decoder imported."""

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import fsspec

from extractors.errors import MediaError, SetupError

_TICK_NS = 2_000_000_000  # resolution of the coarsest file system's time stamps


class Clip(NamedTuple):
    """The part of a file that an extractor works on: all of it, or a segment."""

    path: str
    start_s: float  # from the beginning of the file
    duration_s: float


def content_hash(path: str) -> str:
    """sha256 of the bytes of a local file, or of a file at an fsspec URL, hexadecimal.

    A file that has not changed is read once per process: a recording has many utterances.

    Raises
    ------
    MediaError
        It is missing, empty, or cannot be read.
    SetupError
        The package that reads such URLs is not installed.
    """
    if not is_url(path):
        require_file(path)
    state = state_of(path)
    return _digest(path) if state is None else _known_digest(path, state)


def _digest(path: str) -> str:
    try:
        with remote(path) if is_url(path) else Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(path, f"cannot be read ({brief(error)})") from error


@lru_cache(maxsize=64)
def _known_digest(path: str, _: tuple[Any, ...]) -> str:
    return _digest(path)


def state_of(path: str) -> tuple[Any, ...] | None:
    """What changes when a file does, without reading it: its size and time of change.

    Returns
    -------
    tuple or None
        None where that tells nothing: the file is not there, or it was changed a moment ago, so
        that a second change within the same tick of the file system's clock would not show.
    """
    try:
        if is_url(path):
            files, inside = fsspec.core.url_to_fs(path)
            return (files.ukey(inside),)
        status = Path(path).stat()
    except Exception:  # each kind of storage has its own errors; who reads the file will meet them
        return None
    if time.time_ns() - status.st_mtime_ns < _TICK_NS:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def is_url(path: str) -> bool:
    """Whether a path is an fsspec URL, not the path of a local file."""
    return re.match(r"[a-z][a-z0-9+.-]*://", path) is not None


@contextmanager
def remote(url: str) -> Iterator[Any]:
    """The file at an fsspec URL, as a file object that can seek."""
    try:
        system, inside = fsspec.core.url_to_fs(url)
        size = system.size(inside)
        file = system.open(inside, "rb")
    except ImportError as error:
        raise SetupError(
            f"{url} cannot be read here ({brief(error)}): pip install 'lnln[s3]' for s3://, "
            "what fsspec names for others"
        ) from error
    except FileNotFoundError as error:
        raise MediaError(url, "no such file") from error
    except Exception as error:  # each kind of storage has its own errors
        raise MediaError(url, f"cannot be opened ({brief(error)})") from error
    if size == 0:
        raise MediaError(url, "the file is empty")
    with file:
        yield file


def require_file(path: str) -> None:
    """Check that a local file exists and is not empty.

    Raises
    ------
    MediaError
    """
    file = Path(path)
    try:
        exists = file.is_file()
    except OSError as error:  # the name is too long, or the folder may not be read
        raise MediaError(path, f"cannot be opened ({brief(error)})") from error
    if not exists:
        raise MediaError(path, "no such file")
    if file.stat().st_size == 0:
        raise MediaError(path, "the file is empty")


def brief(error: Exception) -> str:
    """An error's message in one line, without FFmpeg's details."""
    return str(getattr(error, "strerror", None) or error).strip().splitlines()[0]
