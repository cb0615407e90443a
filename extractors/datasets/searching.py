"""Which files are videos: in a folder and below it, or where a storage has them."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import NamedTuple

from contracts.messages import message, some

EXTENSIONS = (
    ".mp4",
    ".mov",
    ".avi",
    ".mkv",
    ".webm",
    ".mpg",
    ".flv",
    ".m4v",
    ".mts",
    ".m2ts",
    ".ts",
    ".wmv",
    ".3gp",
    ".mpeg",
    ".ogv",
)
BESIDE = (".csv", ".srt", ".vtt", ".txt")  # what belongs to videos, and is no surprise


class Search(NamedTuple):
    """What was found.

    Attributes
    ----------
    videos : list of Path
        In the order of their folders. Broken links and folders that cannot be read are among them,
        so that they are reported.
    hidden : list of Path
        Videos and folders that were skipped because their names begin with a dot, as those of the
        trash and of the files that macOS writes beside each (``._take1.mp4``) do.
    others : Counter of str
        How many files there are of each other extension.
    """

    videos: list[Path]
    hidden: list[Path]
    others: Counter[str]


def search(folder: Path) -> Search:
    """Find the videos in a folder and below it; links to folders are followed, each folder once."""
    found = Search([], [], Counter())
    _search(folder, set(), found)
    return found


def is_hidden(path: PurePath) -> bool:
    """Whether a part of a relative path begins with a dot."""
    return any(part.startswith(".") for part in path.parts)


def is_video(path: PurePath) -> bool:
    """Whether a file has the extension of a video."""
    return path.suffix.lower() in EXTENSIONS


def count_others(files: Iterable[PurePath]) -> Counter[str]:
    """How many there are of each extension, of the files that are neither videos nor text."""
    return Counter(f.suffix.lower() for f in files if f.suffix.lower() not in EXTENSIONS + BESIDE)


def skipped(where: str, hidden: Iterable[PurePath], others: Counter[str]) -> list[str]:
    """Messages about what was skipped."""
    messages = []
    names = [path.name for path in hidden]
    if names:
        messages.append(
            message(
                f"{where}: skipped, as their names begin with a dot ({len(names)}): {some(names)}"
            )
        )
    if others:
        kinds = [
            f"{count} {kind or message('without extension')}"
            for kind, count in sorted(others.items(), key=lambda item: (-item[1], item[0]))
        ]
        messages.append(
            message(
                f"{where}: skipped, as their names are not of videos ({others.total()}): "
                f"{some(kinds, 5)}"
            )
        )
    return messages


def _search(folder: Path, visited: set[str], found: Search) -> None:
    visited.add(os.path.realpath(folder))
    try:
        children = sorted(folder.iterdir())
    except OSError:  # probing it will say what is wrong
        found.videos.append(folder)
        return
    for path in children:
        hidden = is_hidden(PurePath(path.name))
        if path.is_dir():
            if hidden:
                found.hidden.append(path)
            elif os.path.realpath(path) not in visited:
                _search(path, visited, found)
        elif is_video(path) and (path.is_file() or path.is_symlink()):
            (found.hidden if hidden else found.videos).append(path)
        elif not hidden and path.is_file():
            found.others.update(count_others([path]))
