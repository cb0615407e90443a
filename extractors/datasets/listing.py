"""List clips as a manifest: those of a raw dataset, or new videos in files and folders."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa

from contracts.messages import message
from contracts.quarantine import Rejected
from extractors.datasets.labels import composed, read_labels
from extractors.datasets.probing import STAGE, probe_rows
from extractors.errors import SetupError
from extractors.workers.cache import located
from extractors.workers.session import Session

EXTENSIONS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".flv")


class Listing(NamedTuple):
    """Clips that can be used, those that cannot, and warnings.

    Attributes
    ----------
    manifest : pa.Table
        As `contracts.schemas.MANIFEST`, sorted by clip_id.
    quarantine : list of Rejected
    warnings : list of str
    """

    manifest: pa.Table
    quarantine: list[Rejected]
    warnings: list[str]


def read_dataset(root: str | Path, session: Session, *, language: str) -> Listing:
    """List the clips of a raw dataset.

    Parameters
    ----------
    root : path
        Holds ``label.csv`` with columns video_id, clip_id, text, label, mode (optionally
        speaker, label_T, label_A, label_V; others are ignored) and the clips as
        ``Raw/<video_id>/<clip_id>.<extension>``. Where the columns start_s and end_s say which
        segment of a whole video a clip is, the video is ``Raw/<video_id>.<extension>``.
    session : Session
        Files that its cache knows, and that have not changed, are not read again.
    language : str
        Spoken in the clips, ISO 639 code.

    Returns
    -------
    Listing
        Lines of label.csv and files that cannot be used are in the quarantine. Warnings are about
        files that label.csv does not name, and about leakage between splits.

    Raises
    ------
    DatasetError
        There is no label.csv, it is not UTF-8, or columns are missing.
    """
    root = Path(root)
    rows, rejected = read_labels(root, language)
    files, duplicates = _files(root / "Raw")
    present: list[dict[str, Any]] = []
    for row in rows:
        name = row["clip_id"] if row["start_s"] is None else row["clip_id"].partition("/")[0]
        path = files.get(composed(name))
        if path is None:
            place = f"{root.as_posix()}/Raw/{name}"
            reason = message(f"no such file with extension {', '.join(EXTENSIONS)}")
            rejected.append(Rejected(row["clip_id"], place, STAGE, reason))
        else:
            present.append({**row, "path": path.as_posix()})
    manifest, unreadable = probe_rows(present, session)
    named = {
        composed(clip_id)
        for clip_id in [r["clip_id"] for r in rows] + [r.clip_id for r in rejected]
    }
    named |= {composed(r["clip_id"].partition("/")[0]) for r in rows if r["start_s"] is not None}
    unnamed = len(files.keys() - named)
    warnings = leakage(manifest)
    if duplicates:
        warnings.append(
            message(
                f"{len(duplicates)} clips have a second file with another extension, which is not "
                f"used: {', '.join(path.as_posix() for path in duplicates[:3])}"
            )
        )
    if unnamed:
        warnings.append(
            message(f"{unnamed} files under {root.as_posix()}/Raw are not named in label.csv")
        )
    return Listing(manifest, sorted(rejected + unreadable), warnings)


def probe_files(paths: Iterable[str | Path], session: Session, *, language: str) -> Listing:
    """List new videos: the files named, and every video in the folders named.

    Parameters
    ----------
    paths : iterable of path
        A folder is searched with all its subfolders for files with a known extension. A file that
        is named is opened whatever its extension. A URL (``s3://...``) can name either.
    session : Session
    language : str
        Spoken in the clips, ISO 639 code.

    Returns
    -------
    Listing
        A clip_id is the file's name, with as many of its folders as are needed to make it unique.
        The split is ``new``; there are no texts and no labels.

    Raises
    ------
    SetupError
        The storage of a URL cannot be reached.
    """
    files, empty = _videos(paths)
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
    manifest, unreadable = probe_rows(rows, session)
    return Listing(manifest, sorted(unreadable), empty)


def find_videos(paths: Iterable[str | Path]) -> list[str]:
    """Return the files that `probe_files` would list, without opening one.

    Raises
    ------
    SetupError
        The storage of a URL cannot be reached.
    """
    return list(_videos(paths)[0].values())


def _videos(paths: Iterable[str | Path]) -> tuple[dict[PurePath, str], list[str]]:
    """Files by absolute path, so that none is listed twice, and messages about empty folders."""
    files: dict[PurePath, str] = {}
    empty = []
    for path in map(str, paths):
        videos = _remote_videos(path) if "://" in path else _local_videos(Path(path))
        if not videos:
            empty.append(message(f"{path}: no video in this folder ({', '.join(EXTENSIONS)})"))
        for absolute, file in videos.items():
            files.setdefault(absolute, file)
    return files, empty


def leakage(manifest: pa.Table) -> list[str]:
    """Messages about files of the same bytes, and about groups, that are in several splits."""
    messages = []
    columns = manifest.select(["sha256", "group", "split", "clip_id"]).to_pylist()
    for key, shared in (
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
            messages.append(message(f"leakage: {shared} ({value[:16]}) in {names}: {examples}"))
    return messages


def _files(raw: Path) -> tuple[dict[str, Path], list[Path]]:
    """Files of clips by ``video_id/clip_id``, and of whole videos by ``video_id``.

    Where files differ only in their extension, the first in `EXTENSIONS` is used; the second list
    has the others.
    """
    files: dict[str, Path] = {}
    duplicates = []
    paths = [path for pattern in ("*", "*/*") for path in raw.glob(pattern) if _is_clip(path)]
    for path in sorted(paths, key=lambda p: (EXTENSIONS.index(p.suffix.lower()), p)):
        name = composed(path.relative_to(raw).with_suffix("").as_posix())
        if files.setdefault(name, path) is not path:
            duplicates.append(path)
    return files, duplicates


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and path.is_file()


def _local_videos(path: Path) -> dict[PurePath, str]:
    """A file, or the videos in a folder, by absolute path."""
    videos = [path]
    if os.path.isdir(path):  # noqa: PTH112 - it never raises, whatever the name
        videos = sorted(videos_below(path))
    return {Path(os.path.abspath(file)): file.as_posix() for file in videos}  # noqa: PTH100


def videos_below(folder: Path) -> Iterator[Path]:
    """Videos in a folder and its subfolders; links to folders are followed, each folder once.

    Broken links and folders that cannot be read are yielded too, so that they are reported.
    """
    yield from _below(folder, set())


def _below(folder: Path, visited: set[str]) -> Iterator[Path]:
    visited.add(os.path.realpath(folder))
    try:
        children = sorted(folder.iterdir())
    except OSError:  # probing it will say what is wrong
        yield folder
        return
    for path in children:
        if path.is_dir():
            if os.path.realpath(path) not in visited:
                yield from _below(path, visited)
        elif path.suffix.lower() in EXTENSIONS and (path.is_file() or path.is_symlink()):
            yield path


def _remote_videos(url: str) -> dict[PurePath, str]:
    """A file, or the videos under a prefix, by their path in the storage."""
    files, root = located(url)
    videos = [root]
    try:
        if files.isdir(root):
            names = sorted(files.find(root))
            videos = [name for name in names if name.lower().endswith(EXTENSIONS)]
    except Exception as error:  # each kind of storage has its own errors
        raise SetupError(f"{url} cannot be reached: {type(error).__name__}: {error}") from error
    protocol = url.split("://", 1)[0]
    return {PurePosixPath(protocol, name): f"{protocol}://{name}" for name in videos}


def _short_names(files: Mapping[PurePath, str]) -> dict[str, str]:
    """The shortest unique name of each file: its own, and as many of its folders as needed.

    `files` maps absolute paths to the paths that the user wrote; names are by the latter.
    """
    names: dict[str, str] = {}
    depth = 1
    while len(names) < len(files):
        tails = Counter(absolute.parts[-depth:] for absolute in files)
        for absolute, path in files.items():
            if path not in names and tails[absolute.parts[-depth:]] == 1:
                names[path] = "/".join(absolute.parts[-depth:])
        depth += 1
    return names
