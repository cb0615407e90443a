"""Make a raw dataset of a folder of videos: links to them and a label.csv, without copies."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from contracts.messages import message
from contracts.schemas import SPLITS
from extractors.datasets.csv_table import CsvTable, Line, as_csv, filled, read_csv, rewrite
from extractors.datasets.folder_names import free_names, plain, raw_files
from extractors.datasets.given_labels import TAKEN, GivenLabels, read_given
from extractors.datasets.labels import COLUMNS, clip_name
from extractors.datasets.new_lines import listed_group, new_lines, place
from extractors.datasets.searching import EXTENSIONS, search, skipped
from extractors.errors import SetupError


class Arranged(NamedTuple):
    """What label.csv lists after `arrange`.

    Attributes
    ----------
    clips : dict
        Clips per split.
    new : int
        Clips that were not listed before.
    groups : int
        Speakers, as far as the folders, names and the column ``speaker`` tell them apart.
    relinked : list of str
        Clips whose link was broken, and now leads to a video of the same name.
    old : Path or None
        Where the label.csv is kept that was there, if it was changed.
    warnings : list of str
    """

    clips: dict[str, int]
    new: int
    groups: int
    relinked: list[str]
    old: Path | None
    warnings: list[str]


def arrange(
    folder: str | Path,
    root: str | Path,
    *,
    speaker_pattern: str | None = None,
    labels: str | Path | None = None,
    exclude: Sequence[str] = (),
) -> Arranged:
    """Make a raw dataset of the videos in a folder.

    Parameters
    ----------
    folder : path
        Searched with all its subfolders. Each folder directly in it is taken for one speaker, and
        so is each video directly in it.
    root : path
        Of the dataset. Links to the videos are made in ``Raw/``. New clips are added to
        ``label.csv`` without text and label. Fields that are filled are not changed, and a clip
        that is in Raw and has no line was taken out by somebody: it stays out.
    speaker_pattern : str, optional
        Regular expression whose first group finds the speaker in a file's name.
    labels : path, optional
        Table that fills empty fields: see `extractors.datasets.given_labels.read_given`.
    exclude : sequence of str
        Patterns as the shell has them, of names of videos or folders, or of paths in `folder`.

    Returns
    -------
    Arranged
        No speaker is in two splits unless `labels` says so, and the same videos always give the
        same splits.

    Raises
    ------
    SetupError
        The folder is not there or has no videos, the dataset lies inside it, `root` holds
        features, or the pattern finds no speaker in a name.
    DatasetError
        ``label.csv`` or the other table cannot be read; both are left as they are.
    """
    folder, root = Path(folder), Path(root)
    refuse_features(root)
    if not folder.is_dir():
        raise SetupError(f"{folder} is {'no folder' if folder.exists() else 'not there'}")
    found = search(folder)
    files, warnings = _without(exclude, [f for f in found.videos if f.is_file()], folder)
    warnings += skipped(folder.as_posix(), found.hidden, found.others)
    if not files:
        raise SetupError(
            "; ".join([f"{folder}: no video in this folder ({', '.join(EXTENSIONS)})", *warnings])
        )
    if root.resolve().is_relative_to(folder.resolve()):
        raise SetupError(f"{folder} holds {root}, the dataset itself: name the folder of videos")
    path = root / "label.csv"
    table = read_csv(path, COLUMNS) if path.is_file() else None
    warnings += table.warnings() if table else []
    lines = [line for _, line in table.lines()] if table else []
    given = read_given(Path(labels), files) if labels is not None else GivenLabels({}, [])
    listed = {place(line) for line in lines}
    present = raw_files(root / "Raw", listed)
    named = free_names(files, folder, present)
    if table:  # else somebody deleted it to begin anew
        # A link, or a copy: `dvc add` makes copies of links.
        deleted = [name for name in named if name not in listed and name in present]
        warnings += _deleted(deleted, present)
        for name in deleted:
            del named[name]
    fields = {name: given.fields.get(file, {}) for name, file in named.items()}
    groups = {
        name: fields[name].get("speaker") or _group(file, folder, speaker_pattern)
        for name, file in named.items()
    }
    new = new_lines(groups, lines, {n: f["mode"] for n, f in fields.items() if "mode" in f})
    for line in new:
        line |= fields[clip_name(line)]
    warnings += given.warnings + _fill(table, fields)
    old = _write(path, table, lines, new)
    relinked = _link(named, present, root / "Raw")
    counts = Counter(line["mode"].strip() for line in lines + new)
    all_groups = {listed_group(line) for line in lines + new}
    if new and speaker_pattern is None and not any("speaker" in f for f in fields.values()):
        warnings += _doubtful_speakers(list(named.values()), folder, len(all_groups))
    clips = {split: counts[split] for split in SPLITS}
    return Arranged(clips, len(new), len(all_groups), relinked, old, warnings)


def refuse_features(root: Path) -> None:
    """Check that `root` is not a dataset of features: clips added to it would not be read.

    Raises
    ------
    SetupError
        It has a ``manifest.parquet``.
    """
    if (root / "manifest.parquet").exists():
        raise SetupError(
            f"{root} is a dataset of features (manifest.parquet), and clips beside them would not "
            "be read: move manifest.parquet and features/ away first"
        )


def _without(
    patterns: Sequence[str], files: list[Path], folder: Path
) -> tuple[list[Path], list[str]]:
    """Files that no pattern is of, and messages about those that are left out."""
    matched = dict.fromkeys(patterns, 0)
    kept = []
    for file in files:
        inside = file.relative_to(folder)
        names = {*inside.parts, *(p.as_posix() for p in [inside, *inside.parents][:-1])}
        its = [p for p in patterns if any(fnmatchcase(name, p.rstrip("/")) for name in names)]
        for pattern in its:
            matched[pattern] += 1
        if not its:
            kept.append(file)
    messages = [
        message(f"{p!r} excludes none of the videos") for p, count in matched.items() if not count
    ]
    if len(kept) < len(files):
        messages.append(message(f"{len(files) - len(kept)} videos are excluded, as asked for"))
    return kept, messages


def _group(file: Path, folder: Path, pattern: str | None) -> str:
    """The speaker of a video: in its name, or the folder at the top, or the video itself."""
    if pattern is not None:
        match = re.search(pattern, file.name)
        if not match or not match[1]:
            raise SetupError(
                f"--speaker-pattern {pattern!r} finds no speaker in the name {file.name!r}: change "
                "it, or leave the video out with --exclude"
            )
        return plain(match[1])
    first = file.relative_to(folder).parts[0]
    return plain(Path(first).stem if file.parent == folder else first)


def _doubtful_speakers(files: Sequence[Path], folder: Path, groups: int) -> list[str]:
    """Messages about folders that may not be what they were taken for."""
    tops = {file.relative_to(folder).parts[0] for file in files}
    if groups == 1 and len(files) > 1:
        inside = (folder / tops.pop()).as_posix()
        return [
            message(
                f"all videos count as those of one speaker, because they lie in one folder: if "
                f"they are not, name that folder ({inside}), or find the speakers in the names of "
                "the files with --speaker-pattern"
            )
        ]
    if len(files) > 1 and all(file.parent == folder for file in files):
        return [
            message(
                "every video counts as a speaker of its own, because they lie in no folders: if a "
                "person is in several, find the speakers in the names of the files with "
                "--speaker-pattern, or one person will be in two splits"
            )
        ]
    return []


def _deleted(names: Sequence[str], present: Mapping[str, Path]) -> list[str]:
    if not names:
        return []
    return [
        message(
            f"{len(names)} videos are in Raw and have no line in label.csv, which somebody "
            "deleted: they stay out; to list one again, move it out of Raw first, such as "
            f"{present[names[0]].as_posix()}"
        )
    ]


def _fill(table: CsvTable | None, given: Mapping[str, Line]) -> list[str]:
    """Fill empty fields of the rows that are there, and tell of those that say something else."""
    if table is None:
        return []
    columns = [c for c in TAKEN if any(c in fields for fields in given.values())]
    for column in columns:
        if column not in table.names:
            table.header.append(column)
            for row in table.rows:
                row.fields.append("")
    other = []
    for row, (_, line) in zip(table.rows, table.lines(), strict=True):
        for column, value in given.get(clip_name(line), {}).items():
            if not filled(line, column):
                row.fields[table.names.index(column)] = value
            elif filled(line, column) != value:
                other.append(f"{column} of {clip_name(line)}")
    if not other:
        return []
    return [
        message(
            f"{len(other)} fields of label.csv say something else than the other table, and stay "
            f"as they are, the first: {other[0]}"
        )
    ]


def _write(path: Path, table: CsvTable | None, before: list[Line], new: list[Line]) -> Path | None:
    """Add the lines that are new below those that are there, which keep their columns and order.

    Returns where the old table is, if there was one and it changed.
    """
    new = sorted(new, key=lambda line: clip_name(line).split("/"))
    if table is None:
        columns = [*COLUMNS, "speaker", *(c for c in TAKEN if any(c in line for line in new))]
        columns = list(dict.fromkeys(columns))
        rows = [[line.get(name, "") for name in columns] for line in new]
        with replacing(path) as temporary:
            temporary.write_bytes(as_csv([columns, *rows]))
        return None
    if not new and [line for _, line in table.lines()] == before:
        return None
    added = [name for name in ("speaker",) if new and name not in table.names]
    rows = [[*row.fields, *("" for _ in added)] for row in table.rows]
    names = [*table.names, *added]
    rows += [[line.get(name, "") if name else "" for name in names] for line in new]
    return rewrite(table, [*table.header, *added], rows)


def _link(named: Mapping[str, Path], present: Mapping[str, Path], raw: Path) -> list[str]:
    """Make links where none leads to a video, and return the names of those that were broken."""
    relinked = []
    for name, file in named.items():
        if name not in present or not present[name].exists():
            link = raw / f"{name}{file.suffix.lower()}"
            link.parent.mkdir(parents=True, exist_ok=True)
            if link.is_symlink():  # a broken one
                link.unlink()
                relinked.append(name)
            link.symlink_to(os.path.abspath(file))  # noqa: PTH100 - links stay
    return relinked
