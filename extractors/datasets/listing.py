"""List clips as a manifest: those of a raw dataset, or new videos in files and folders."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa

from contracts.messages import message
from contracts.quarantine import Rejected
from extractors.datasets.labels import composed, read_labels
from extractors.datasets.probing import STAGE, probe_rows
from extractors.datasets.raw_files import read_raw
from extractors.datasets.searching import (
    EXTENSIONS,
    Search,
    count_others,
    is_hidden,
    is_video,
    search,
    skipped,
)
from extractors.errors import SetupError
from extractors.workers.cache import located
from extractors.workers.session import Session


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
        texts that are none, files that label.csv does not name or that are skipped, and leakage
        between splits.

    Raises
    ------
    DatasetError
        There is no label.csv, it is not UTF-8, columns are missing, or a line is damaged.
    """
    root = Path(root)
    rows, rejected, warnings = read_labels(root, language)
    raw = read_raw(root / "Raw")
    present: list[dict[str, Any]] = []
    for row in rows:
        name = row["clip_id"] if row["start_s"] is None else row["clip_id"].partition("/")[0]
        path = raw.clips.get(composed(name))
        if path is None:
            place = f"{root.as_posix()}/Raw/{name}"
            rejected.append(Rejected(row["clip_id"], place, STAGE, raw.why_missing(name)))
        else:
            present.append({**row, "path": path.as_posix()})
    manifest, unreadable = probe_rows(present, session)
    named = {
        composed(clip_id)
        for clip_id in [r["clip_id"] for r in rows] + [r.clip_id for r in rejected]
    }
    named |= {composed(r["clip_id"].partition("/")[0]) for r in rows if r["start_s"] is not None}
    unnamed = len(raw.clips.keys() - named)
    warnings = [*leakage(manifest), *warnings, *raw.warnings]
    if raw.duplicates:
        warnings.append(
            message(
                f"{len(raw.duplicates)} clips have a second file with another extension, which is "
                f"not used: {', '.join(path.as_posix() for path in raw.duplicates[:3])}"
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
        A folder is searched with all its subfolders for files with a known extension; names that
        begin with a dot are skipped. A file that is named is opened whatever it is called. A URL
        (``s3://...``) can name either.
    session : Session
    language : str
        Spoken in the clips, ISO 639 code.

    Returns
    -------
    Listing
        A clip_id is the file's name, with as many of its folders as are needed to make it unique.
        The split is ``new``; there are no texts and no labels. Warnings say what was skipped.

    Raises
    ------
    SetupError
        The storage of a URL cannot be reached.
    """
    files, warnings = _videos(paths)
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
    return Listing(manifest, sorted(unreadable), warnings)


def find_videos(paths: Iterable[str | Path]) -> list[str]:
    """Return the files that `probe_files` would list, without opening one.

    Raises
    ------
    SetupError
        The storage of a URL cannot be reached.
    """
    return list(_videos(paths)[0].values())


def _videos(paths: Iterable[str | Path]) -> tuple[dict[PurePath, str], list[str]]:
    """Files by absolute path, so that none is listed twice, and messages about folders."""
    files: dict[PurePath, str] = {}
    empty, skips = list[str](), list[str]()
    for path in map(str, paths):
        found = _remote_videos(path) if "://" in path else _local_videos(Path(path))
        if not found.files:
            empty.append(message(f"{path}: no video in this folder ({', '.join(EXTENSIONS)})"))
        skips += skipped(path, found.hidden, found.others)
        for absolute, file in found.files.items():
            files.setdefault(absolute, file)
    return files, empty + skips


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


class _Videos(NamedTuple):
    """A file, or what was found in a folder; files are by absolute path."""

    files: dict[PurePath, str]
    hidden: list[PurePath]
    others: Counter[str]


def _local_videos(path: Path) -> _Videos:
    found = Search([path], [], Counter())
    if os.path.isdir(path):  # noqa: PTH112 - it never raises, whatever the name
        found = search(path)
    files: dict[PurePath, str] = {}
    for file in sorted(found.videos):
        files[Path(os.path.abspath(file))] = file.as_posix()  # noqa: PTH100 - links stay
    return _Videos(files, [*found.hidden], found.others)


def _remote_videos(url: str) -> _Videos:
    """A file, or the videos under a prefix, by their path in the storage."""
    files, root = located(url)
    found = _Videos({}, [], Counter())
    try:
        names = sorted(files.find(root)) if files.isdir(root) else [root]
    except Exception as error:  # each kind of storage has its own errors
        raise SetupError(f"{url} cannot be reached: {type(error).__name__}: {error}") from error
    protocol = url.split("://", 1)[0]
    for name in names:
        path = PurePosixPath(name)
        if name != root and is_hidden(path.relative_to(root)):
            found.hidden.extend([path] if is_video(path) else [])
        elif name == root or is_video(path):
            found.files[PurePosixPath(protocol, name)] = f"{protocol}://{name}"
        else:
            found.others.update(count_others([path]))
    return found


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
