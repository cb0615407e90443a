"""Atomic writing: a reader sees the old file or the new one, never half of it."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REMEDY = "delete it and run what wrote it again (dvc repro does for files of outputs/)"


class DamagedFile(OSError, ValueError):
    """A file is not what was written there, or another one stands in its place."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Temporary path to write to; it replaces `path` if the block ends without an exception.

    Folders that are missing are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp creates files that only their owner can read
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
