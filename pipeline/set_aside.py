"""Files of a dataset at which DVC would stop: links that lead nowhere, files that cannot be read.

DVC hashes a dataset before a stage runs, and ends with "[Errno 2]" at the first file that it cannot
open. Such a file gets a further ending, which ``.dvcignore`` leaves out. Then one clip is missing,
which the stage `ingest` reports, and the others are done. A file that can be opened again gets its
name back.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.paths import DATA

ENDING = ".set-aside"  # .dvcignore names it, too


class Moved(NamedTuple):
    """Files of one dataset that are set aside, and those that have their names again.

    Attributes
    ----------
    aside : dict of Path to str
        Names that the files had, and why each cannot be opened.
    back : list of Path
    """

    aside: dict[Path, str]
    back: list[Path]


def set_aside(data: Path = DATA) -> dict[Path, Moved]:
    """Set aside what cannot be opened, in every dataset, and give back what can be.

    Returns
    -------
    dict
        By folder of the dataset; only those in which files are set aside or came back.

    Raises
    ------
    OSError
        A file cannot be renamed.
    """
    datasets = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
    moved = {root: _of_dataset(root) for root in datasets}
    return {root: files for root, files in moved.items() if files.aside or files.back}


def aside_in(root: Path) -> dict[Path, str]:
    """Names that files of a dataset had before they were set aside, and why they were."""
    return {
        path.with_suffix(""): _fault(path) or "it was set aside, and can be opened again"
        for path in _files(root)
        if path.suffix == ENDING and not os.path.lexists(path.with_suffix(""))
    }


def give_back(root: Path) -> None:
    """Give all files of a dataset their names again, whether they can be opened or not."""
    for name in aside_in(root):
        _aside(name).rename(name)


def _of_dataset(root: Path) -> Moved:
    back = []
    for name in aside_in(root):
        if _fault(_aside(name)) is None:
            _aside(name).rename(name)
            back.append(name)
    for path in list(_files(root)):
        if path.suffix != ENDING and _fault(path) is not None:
            path.replace(_aside(path))
    return Moved(aside_in(root), back)


def _aside(name: Path) -> Path:
    return name.with_name(name.name + ENDING)


def _files(root: Path) -> Iterator[Path]:
    """What DVC takes for the files of a folder: links to folders are not followed."""
    for folder, _, names in os.walk(root):
        yield from (Path(folder, name) for name in sorted(names))


def _fault(path: Path) -> str | None:
    """Why DVC cannot hash a file; None where it can."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        leads = f"a link to {path.readlink()}: " if path.is_symlink() else ""
        return f"{leads}{error.strerror}"
    if not stat.S_ISREG(mode):
        return "not a file"
    return None if os.access(path, os.R_OK) else "it may not be read"
