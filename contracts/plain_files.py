"""Files that people name: only ordinary ones are read.

A pipe would be waited for, perhaps for ever, and a device such as ``/dev/zero`` has no end. A
folder from elsewhere can hold either under any name.
"""

import stat
from pathlib import Path


class NoPlainFile(OSError):
    """There is a folder, a pipe or a device in place of a file."""


def plain(path: Path) -> Path:
    """Return a path of an ordinary file, or of a link to one.

    Raises
    ------
    NoPlainFile
        It is none; the message says what it is.
    OSError
        There is nothing, or it cannot be looked at.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise NoPlainFile(f"{path} is a folder, not a file")
    if not stat.S_ISREG(mode):
        raise NoPlainFile(
            f"{path} is no ordinary file but a pipe or a device: save what it gives as a file first"
        )
    return path
