"""The list of clips: from a raw dataset's label.csv, or from files and folders of new videos."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa

from contracts.messages import message
from contracts.quarantine import Rejected
from extractors.datasets.labels import composed, read_labels
from extractors.datasets.probing import STAGE, probed
from extractors.errors import SetupError
from extractors.settings import RunSettings
from extractors.workers.cache import Cache, located

EXTENSIONS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".flv")


class Listing(NamedTuple):
    """Clips that can be read, those that cannot, and what else the user should know."""

    manifest: pa.Table
    quarantine: list[Rejected]
    warnings: list[str]


def read_dataset(root: str | Path, *, language: str, run: RunSettings, cache: Cache) -> Listing:
    """List the clips of a raw dataset.

    Parameters
    ----------
    root : path
        Holds ``label.csv`` with columns video_id, clip_id, text, label, mode (optionally
        speaker, label_T, label_A, label_V; others are ignored) and the clips as
        ``Raw/<video_id>/<clip_id>.<extension>``; where columns start_s and end_s say which
        stretch of a whole video a clip is, that video as ``Raw/<video_id>.<extension>``.
    language : str
        Spoken in the clips, ISO 639 code.
    run : RunSettings
    cache : Cache
        Remembers the files that were read: one that is unchanged is not read again.

    Returns
    -------
    Listing
        Manifest sorted by clip_id. A row or file that cannot be used is in the quarantine; files
        that label.csv does not name, and leakage between splits, are among the warnings.

    Raises
    ------
    DatasetError
        There is no label.csv, it is not UTF-8, or columns are missing.
    """
    root = Path(root)
    rows, rejected = read_labels(root, language)
    files, twins = _files(root / "Raw")
    found: list[dict[str, Any]] = []
    for row in rows:
        name = row["clip_id"] if row["start_s"] is None else row["clip_id"].partition("/")[0]
        path = files.get(composed(name))
        if path is None:
            place = f"{root.as_posix()}/Raw/{name}"
            reason = message(f"no such file with extension {', '.join(EXTENSIONS)}")
            rejected.append(Rejected(row["clip_id"], place, STAGE, reason))
        else:
            found.append({**row, "path": path.as_posix()})
    manifest, unreadable = probed(found, run, cache)
    named = {
        composed(clip_id)
        for clip_id in [r["clip_id"] for r in rows] + [r.clip_id for r in rejected]
    }
    named |= {composed(r["clip_id"].partition("/")[0]) for r in rows if r["start_s"] is not None}
    unnamed = len(files.keys() - named)
    warnings = leakage(manifest)
    if twins:
        warnings.append(
            message(
                f"{len(twins)} clips have a second file with another extension, which is not "
                f"used: {', '.join(path.as_posix() for path in twins[:3])}"
            )
        )
    if unnamed:
        warnings.append(
            message(f"{unnamed} files under {root.as_posix()}/Raw are not named in label.csv")
        )
    return Listing(manifest, sorted(rejected + unreadable), warnings)


def probe_files(
    paths: Iterable[str | Path], *, language: str, run: RunSettings, cache: Cache
) -> Listing:
    """List new videos: files as given, and every video in the folders given.

    Parameters
    ----------
    paths : iterable of path
        A folder is searched with all its subfolders for files with a known extension; a file
        named here is tried whatever its extension. A URL (``s3://...``) names one file.
    language : str
        Spoken in the clips, ISO 639 code.
    run : RunSettings
    cache : Cache

    Returns
    -------
    Listing
        Manifest sorted by clip_id: the file's name, with as many of its folders as tell it
        apart from the others. Split ``new``, no text, no labels.
    """
    files: dict[PurePath, str] = {}  # by absolute path, so that each file is there once
    empty = []
    for path in map(str, paths):
        inside = _remote_videos(path) if "://" in path else _local_videos(Path(path))
        if not inside:
            empty.append(message(f"{path}: no video in this folder ({', '.join(EXTENSIONS)})"))
        for place, file in inside.items():
            files.setdefault(place, file)
    rows = [
        {
            "clip_id": name,
            "path": path,
            "language": language,
            "group": name,
            "split": "new",
            "text": "",
        }
        for path, name in _short_names(files).items()
    ]
    manifest, unreadable = probed(rows, run, cache)
    return Listing(manifest, sorted(unreadable), empty)


def leakage(manifest: pa.Table) -> list[str]:
    """Messages about bytes or groups (speakers, videos) that two splits share."""
    messages = []
    columns = manifest.select(["sha256", "group", "split", "clip_id"]).to_pylist()
    for key, what in (
        ("sha256", message("the same bytes")),
        ("group", message("the same group")),
    ):
        splits: dict[str, set[str]] = defaultdict(set)
        clips: dict[str, list[str]] = defaultdict(list)
        for row in columns:
            splits[row[key]].add(row["split"])
            clips[row[key]].append(row["clip_id"])
        for value in sorted(key for key, names in splits.items() if len(names) > 1):
            names = " and ".join(sorted(splits[value]))
            examples = ", ".join(clips[value][:3])
            messages.append(message(f"leakage: {what} ({value[:16]}) in {names}: {examples}"))
    return messages


def _files(raw: Path) -> tuple[dict[str, Path], list[Path]]:
    """Clip files by ``video_id/clip_id`` and whole videos by ``video_id``, and those not used.

    Of several extensions the first in `EXTENSIONS` is used.
    """
    files: dict[str, Path] = {}
    twins = []
    found = [path for pattern in ("*", "*/*") for path in raw.glob(pattern) if _is_clip(path)]
    for path in sorted(found, key=lambda p: (EXTENSIONS.index(p.suffix.lower()), p)):
        name = composed(path.relative_to(raw).with_suffix("").as_posix())
        if files.setdefault(name, path) is not path:
            twins.append(path)
    return files, twins


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and path.is_file()


def _local_videos(path: Path) -> dict[PurePath, str]:
    """A file, or the videos in a folder: as given or found, by absolute path."""
    inside = [path]
    if os.path.isdir(path):  # noqa: PTH112 - it never raises, whatever the name
        inside = sorted(videos_below(path))
    return {Path(os.path.abspath(file)): file.as_posix() for file in inside}  # noqa: PTH100


def videos_below(folder: Path) -> Iterator[Path]:
    """Videos in a folder and its subfolders, links to folders included, each folder once.

    A link that leads nowhere is among them, so that it is told of.
    """
    yield from _below(folder, set())


def _below(folder: Path, seen: set[str]) -> Iterator[Path]:
    seen.add(os.path.realpath(folder))
    try:
        inside = sorted(folder.iterdir())
    except OSError:  # closed to us: told of like a file that cannot be opened
        yield folder
        return
    for path in inside:
        if path.is_dir():
            if os.path.realpath(path) not in seen:
                yield from _below(path, seen)
        elif path.suffix.lower() in EXTENSIONS and (path.is_file() or path.is_symlink()):
            yield path


def _remote_videos(url: str) -> dict[PurePath, str]:
    """A file, or the videos under a prefix, by their place in the storage."""
    files, root = located(url)
    inside = [root]
    try:
        if files.isdir(root):
            names = sorted(files.find(root))
            inside = [name for name in names if name.lower().endswith(EXTENSIONS)]
    except Exception as error:  # each kind of storage has errors of its own
        raise SetupError(f"{url} cannot be reached: {type(error).__name__}: {error}") from error
    protocol = url.split("://", 1)[0]
    return {PurePosixPath(protocol, name): f"{protocol}://{name}" for name in inside}


def _short_names(files: Mapping[PurePath, str]) -> dict[str, str]:
    """Each file's name, with as many of its folders as tell it apart from the others.

    `files` are by absolute path; the names are by the path as it was given.
    """
    names: dict[str, str] = {}
    depth = 1
    while len(names) < len(files):
        tails = Counter(absolute.parts[-depth:] for absolute in files)
        for absolute, given in files.items():
            if given not in names and tails[absolute.parts[-depth:]] == 1:
                names[given] = "/".join(absolute.parts[-depth:])
        depth += 1
    return names
