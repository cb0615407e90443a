"""The list of clips: from a raw dataset's label.csv, or from files and folders of new videos."""

import csv
import hashlib
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from extractors.media import MediaInfo, probe
from extractors.pool import Task, run_tasks
from extractors.settings import RunSettings
from extractors.tables import MANIFEST, Rejected

EXTENSIONS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".flv")
COLUMNS = ("video_id", "clip_id", "text", "label", "mode")
SPLITS = ("train", "valid", "test")
STAGE = "ingest"


class DatasetError(ValueError):
    """A dataset folder that cannot be read at all."""


class Listing(NamedTuple):
    """Clips that can be read, those that cannot, and what else the user should know."""

    manifest: pa.Table
    quarantine: list[Rejected]
    warnings: list[str]


class Prober:
    """Identifies a file and finds out what it holds; runs in a worker, as it can hang."""

    def extract(self, path: str) -> tuple[str, MediaInfo]:
        """sha256 of the file's bytes, and its probe.

        Raises
        ------
        MediaError
            The file cannot be used.
        """
        info = probe(path)  # first: it names what is wrong with a missing or empty file
        with Path(path).open("rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest(), info


def read_dataset(root: str | Path, *, language: str, run: RunSettings | None = None) -> Listing:
    """List the clips of a raw dataset.

    Parameters
    ----------
    root : path
        Holds ``label.csv`` with columns video_id, clip_id, text, label, mode (optionally
        speaker, label_T, label_A, label_V; others are ignored) and the clips as
        ``Raw/<video_id>/<clip_id>.<extension>``.
    language : str
        Spoken in the clips, ISO 639 code.
    run : RunSettings, optional

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
    rows, rejected = _read_labels(root, language)
    files = _files(root / "Raw")
    found: list[dict[str, Any]] = []
    for row in rows:
        path = files.get(_composed(row["clip_id"]))
        if path is None:
            place = f"{root.as_posix()}/Raw/{row['clip_id']}"
            reason = f"no such file with extension {', '.join(EXTENSIONS)}"
            rejected.append(Rejected(row["clip_id"], place, STAGE, reason))
        else:
            found.append({**row, "path": path.as_posix()})
    manifest, unreadable = _probed(found, run or RunSettings())
    named = {
        _composed(clip_id)
        for clip_id in [r["clip_id"] for r in rows] + [r.clip_id for r in rejected]
    }
    unnamed = len(files.keys() - named)
    warnings = leakage(manifest)
    if unnamed:
        warnings.append(f"{unnamed} files under {root.as_posix()}/Raw are not named in label.csv")
    return Listing(manifest, sorted(rejected + unreadable), warnings)


def probe_files(
    paths: Iterable[str | Path], *, language: str, run: RunSettings | None = None
) -> Listing:
    """List new videos: files as given, and every video in the folders given.

    Parameters
    ----------
    paths : iterable of path
        A folder is searched with all its subfolders for files with a known extension; a file
        named here is tried whatever its extension.
    language : str
        Spoken in the clips, ISO 639 code.
    run : RunSettings, optional

    Returns
    -------
    Listing
        Manifest sorted by clip_id: the file's name, with as many of its folders as tell it
        apart from the others. Split ``new``, no text, no labels.
    """
    files: dict[Path, Path] = {}  # by absolute path, so that each file is there once
    empty = []
    for path in map(Path, paths):
        inside = [path]
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if _is_clip(file)]
            if not inside:
                empty.append(f"{path}: no video in this folder ({', '.join(EXTENSIONS)})")
        for file in inside:
            files.setdefault(Path(os.path.abspath(file)), file)  # noqa: PTH100 - links stay
    rows = [
        {
            "clip_id": name,
            "path": path.as_posix(),
            "language": language,
            "group": name,
            "split": "new",
            "text": "",
        }
        for path, name in _short_names(files).items()
    ]
    manifest, unreadable = _probed(rows, run or RunSettings())
    return Listing(manifest, sorted(unreadable), empty)


def leakage(manifest: pa.Table) -> list[str]:
    """Messages about bytes or groups (speakers, videos) that two splits share."""
    messages = []
    columns = manifest.select(["sha256", "group", "split", "clip_id"]).to_pylist()
    for key, what in (("sha256", "the same bytes"), ("group", "the same group")):
        splits: dict[str, set[str]] = defaultdict(set)
        clips: dict[str, list[str]] = defaultdict(list)
        for row in columns:
            splits[row[key]].add(row["split"])
            clips[row[key]].append(row["clip_id"])
        for value in sorted(key for key, names in splits.items() if len(names) > 1):
            names = " and ".join(sorted(splits[value]))
            examples = ", ".join(clips[value][:3])
            messages.append(f"leakage: {what} ({value[:16]}) in {names}: {examples}")
    return messages


def _read_labels(root: Path, language: str) -> tuple[list[dict[str, Any]], list[Rejected]]:
    path = root / "label.csv"
    if not path.is_file():
        raise DatasetError(f"{path} not found; a dataset needs label.csv and Raw/ in its root")
    try:
        with path.open(newline="", encoding="utf-8-sig") as f:
            reader = csv.DictReader(f)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DatasetError(
                    f"{path} lacks the column {', '.join(missing)}; needed are {', '.join(COLUMNS)}"
                )
            lines = list(reader)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 ({error.reason}); save it as UTF-8") from error
    except csv.Error as error:
        raise DatasetError(f"{path} is not a CSV file: {error}") from error
    times_named = Counter(_clip_id(line) for line in lines)
    rows = []
    rejected = []
    for line in lines:
        clip_id = _clip_id(line)
        try:
            if times_named[clip_id] > 1:
                raise ValueError(f"named {times_named[clip_id]} times in label.csv")
            rows.append(_labelled(line, clip_id, language))
        except ValueError as error:
            rejected.append(Rejected(clip_id, f"{root.as_posix()}/label.csv", STAGE, str(error)))
    return rows, rejected


def _clip_id(line: dict[str, str | None]) -> str:
    return f"{(line['video_id'] or '').strip()}/{(line['clip_id'] or '').strip()}"


def _labelled(line: dict[str, str | None], clip_id: str, language: str) -> dict[str, Any]:
    """Manifest columns of one line of label.csv; ValueError says what is wrong with it."""
    video = (line["video_id"] or "").strip()
    for name in (video, (line["clip_id"] or "").strip()):
        if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise ValueError(f"{name!r} is not a plain name: it could lead out of the dataset")
    split = (line["mode"] or "").strip()
    if split not in SPLITS:
        raise ValueError(f"mode is {split!r}, not one of {', '.join(SPLITS)}")
    return {
        "clip_id": clip_id,
        "language": language,
        "group": (line.get("speaker") or "").strip() or video,
        "split": split,
        "text": (line["text"] or "").strip(),
        "label": _number(line, "label"),
        "label_t": _number(line, "label_T"),
        "label_a": _number(line, "label_A"),
        "label_v": _number(line, "label_V"),
    }


def _number(line: dict[str, str | None], column: str) -> float | None:
    value = (line.get(column) or "").strip()
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{column} is {value!r}, not a number") from None
    if number - number != 0:
        raise ValueError(f"{column} is {value!r}, not a finite number")
    return number


def _files(raw: Path) -> dict[str, Path]:
    """Clip files by ``video_id/clip_id``; of several extensions the first in `EXTENSIONS`."""
    files = [path for path in raw.glob("*/*") if _is_clip(path)]
    files.sort(key=lambda path: (EXTENSIONS.index(path.suffix.lower()), path), reverse=True)
    return {_composed(f"{path.parent.name}/{path.stem}"): path for path in files}


def _composed(name: str) -> str:
    """One spelling of accented letters: some file systems keep another than the table has."""
    return unicodedata.normalize("NFC", name)


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in EXTENSIONS and path.is_file()


def _short_names(files: Mapping[Path, Path]) -> dict[Path, str]:
    """Each file's name, with as many of its folders as tell it apart from the others.

    `files` are by absolute path; the names are by the path as it was given.
    """
    names: dict[Path, str] = {}
    depth = 1
    while len(names) < len(files):
        tails = Counter(absolute.parts[-depth:] for absolute in files)
        for absolute, given in files.items():
            if given not in names and tails[absolute.parts[-depth:]] == 1:
                names[given] = "/".join(absolute.parts[-depth:])
        depth += 1
    return names


def _probed(rows: list[dict[str, Any]], run: RunSettings) -> tuple[pa.Table, list[Rejected]]:
    rows, rejected = _nameable(sorted(rows, key=lambda row: row["clip_id"]))
    # A file is read once through; its length in seconds is not known yet, its size is.
    tasks = [Task((row["path"],), _megabytes(row["path"])) for row in rows]
    kept = []
    for row, outcome in zip(rows, run_tasks(Prober, tasks, run, "reading clips"), strict=True):
        if outcome.reason is not None:
            rejected.append(Rejected(row["clip_id"], row["path"], STAGE, outcome.reason))
        else:
            sha256, info = outcome.value
            kept.append({**row, "sha256": sha256, **info._asdict()})
    return pa.Table.from_pylist(kept, schema=MANIFEST), rejected


def _nameable(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """Set aside files whose names are not UTF-8: no table can hold them."""
    kept, rejected = [], []
    for row in rows:
        try:
            row["path"].encode()
            kept.append(row)
        except UnicodeEncodeError:
            clip_id, path = (
                os.fsencode(row[k]).decode("utf-8", "replace") for k in ("clip_id", "path")
            )
            reason = "the file's name is not UTF-8: rename it"
            rejected.append(Rejected(clip_id, path, STAGE, reason))
    return kept, rejected


def _megabytes(path: str) -> float:
    try:
        return Path(path).stat().st_size / 1e6
    except OSError:  # the worker will say what is wrong with it
        return 0.0
