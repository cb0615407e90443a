"""Videos in folders of any shape, listed as a raw dataset: links and a label.csv, no copies."""

import csv
import filecmp
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from contracts.schemas import SPLITS
from extractors.datasets.labels import COLUMNS, REST, Line, clip_name, composed, read_lines
from extractors.datasets.listing import EXTENSIONS, videos_below
from extractors.errors import SetupError

NAME_BYTES = 200  # of a folder's name in Raw
SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}  # of the clips


class Arranged(NamedTuple):
    """Clips per split, those that are new, and speakers, of all that label.csv lists.

    `relinked` are clips whose link led nowhere, and leads to a video of the same name now.
    """

    clips: dict[str, int]
    new: int
    speakers: int
    relinked: list[str]


def arrange(folder: str | Path, root: str | Path) -> Arranged:
    """Make a raw dataset of the videos in a folder.

    Parameters
    ----------
    folder : path
        Searched with all its subfolders. A folder at its top is one speaker; a video that lies
        there itself is a speaker of its own.
    root : path
        Of the dataset. Gets links to the videos in ``Raw/`` and ``label.csv``, whose lines stay
        as they are where a clip is listed already, and have no text and label where it is not.

    Returns
    -------
    Arranged
        No speaker is in two splits; the same videos give the same splits.

    Raises
    ------
    SetupError
        There is no video in the folder, the dataset lies in it, or it is one of features.
    DatasetError
        ``label.csv`` cannot be read.
    """
    folder, root = Path(folder), Path(root)
    refuse_features(root)
    files = sorted(file for file in videos_below(folder) if file.is_file())
    if not files:
        raise SetupError(f"{folder}: no video in this folder ({', '.join(EXTENSIONS)})")
    if root.resolve().is_relative_to(folder.resolve()):
        raise SetupError(f"{folder} holds {root}, the dataset itself: name the folder of videos")
    table = root / "label.csv"
    lines = _lines(table) if table.is_file() else []
    there = _raw_files(root / "Raw", {_place(line) for line in lines})
    named = _named(files, folder, there)
    new = _new_lines({name: _speaker(file, folder) for name, file in named.items()}, lines)
    relinked = []
    for name, file in named.items():
        if name not in there or not there[name].exists():
            link = root / "Raw" / f"{name}{file.suffix.lower()}"
            link.parent.mkdir(parents=True, exist_ok=True)
            if link.is_symlink():  # it led to a file that is gone
                link.unlink()
                relinked.append(name)
            link.symlink_to(os.path.abspath(file))  # noqa: PTH100 - links stay
    lines = sorted(lines + new, key=lambda line: clip_name(line).split("/"))
    if new:
        _write(table, lines)
    counts = Counter((line["mode"] or "").strip() for line in lines)
    speakers = {_speaker_of(line) for line in lines}
    return Arranged({s: counts[s] for s in SPLITS}, len(new), len(speakers), relinked)


def refuse_features(root: Path) -> None:
    """Raise SetupError where a dataset of features lies: clips beside it would not be read."""
    if (root / "manifest.parquet").exists():
        raise SetupError(
            f"{root} is a dataset of features (manifest.parquet), and clips beside them would not "
            "be read: move manifest.parquet and features/ away first"
        )


def split_by_group(clips: Mapping[str, int], known: Mapping[str, str]) -> dict[str, str]:
    """Assign groups to splits, so that about 70, 15 and 15 % of the clips are in each.

    Parameters
    ----------
    clips : mapping of group to its number of clips
    known : mapping of group to split
        Those that stay where they are.
    """
    splits = {group: known[group] for group in clips if group in known}
    have = Counter({split: 0 for split in SPLITS})
    for group, split in splits.items():
        have[split] += clips[group]
    total = sum(clips.values())
    # In an order of chance, but always the same.
    rest = sorted(clips.keys() - splits.keys(), key=lambda g: hashlib.sha256(g.encode()).digest())
    for left, group in zip(range(len(rest), 0, -1), rest, strict=True):
        empty = [split for split in SPLITS if not have[split]]
        among = empty if left <= len(empty) else SPLITS
        split = max(among, key=lambda s: SHARES[s] * total - have[s])
        splits[group] = split
        have[split] += clips[group]
    return splits


def same_video(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, or to two of the same bytes."""
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)


def _lines(table: Path) -> list[Line]:
    lines = []
    for number, line in read_lines(table):
        if any(line.pop(REST, None) or ""):
            raise SetupError(
                f"{table} line {number} has more fields than the header: put a text that has "
                "commas between double quotes"
            )
        lines.append(line)
    return lines


def _write(table: Path, lines: list[Line]) -> None:
    columns = list(dict.fromkeys([*COLUMNS, "speaker", *(name for line in lines for name in line)]))
    with replacing(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def _new_lines(speakers: Mapping[str, str], lines: Iterable[Line]) -> list[Line]:
    """Lines of the clips that are not listed; `speakers` are by clip, as their folders say."""
    known: dict[str, str] = {}
    groups: Counter[str] = Counter()
    listed: dict[str, Line] = {}
    for line in lines:
        groups[_speaker_of(line)] += 1
        listed[_place(line)] = line
        if (mode := (line["mode"] or "").strip()) in SPLITS:
            known[_speaker_of(line)] = mode
    told = defaultdict(list)  # the lines of a folder's clips, which may name its speaker otherwise
    for name, speaker in speakers.items():
        if name in listed:
            told[speaker].append(listed[name])
    called = {}
    for speaker, those in told.items():
        given = {_speaker_of(line) for line in those}
        called[speaker] = given.pop() if len(given) == 1 else speaker
        modes = Counter(known[s] for line in those if (s := _speaker_of(line)) in known)
        if modes:
            known.setdefault(called[speaker], modes.most_common(1)[0][0])
    new = {name: called.get(s, s) for name, s in speakers.items() if name not in listed}
    splits = split_by_group(groups + Counter(new.values()), known)
    found: list[Line] = []
    for name, speaker in new.items():
        video, clip = name.split("/")
        empty = {"video_id": video, "clip_id": clip, "text": "", "label": ""}
        found.append({**empty, "mode": splits[speaker], "speaker": speaker})
    return found


def _raw_files(raw: Path, listed: set[str]) -> dict[str, Path]:
    """Videos in Raw by the names under which `listing` finds them, those listed last.

    A whole video is among them only if label.csv lists stretches of it; a link that leads nowhere
    is, as its clip has a line.
    """
    files = [f for f in (*raw.glob("*"), *raw.glob("*/*")) if f.suffix.lower() in EXTENSIONS]
    found: dict[str, Path] = {}
    for file in sorted(files, key=lambda f: (EXTENSIONS.index(f.suffix.lower()), f)):
        if file.is_file() or file.is_symlink():
            name = composed(file.relative_to(raw).with_suffix("").as_posix())
            if "/" in name or name in listed:
                found.setdefault(name, file)
    return dict(sorted(found.items(), key=lambda item: item[0] in listed))


def _named(files: list[Path], folder: Path, there: Mapping[str, Path]) -> dict[str, Path]:
    """Files by their place in Raw: that of a link to them, else made of their folders."""
    taken = dict(there)
    linked = {os.path.realpath(file): name for name, file in there.items() if file.exists()}
    found: dict[str, Path] = {}
    for file in files:
        real = os.path.realpath(file)
        if real not in linked:
            linked[real] = _free_name(file, file.relative_to(folder), taken)
        taken.setdefault(linked[real], file)
        found.setdefault(linked[real], file)
    return found


def _free_name(file: Path, inside: Path, taken: Mapping[str, Path]) -> str:
    """``video_id/clip_id``, of the folders and the name of a file, that no other video has."""
    stem = _plain(file.stem)
    digest = hashlib.sha256(os.fsencode(inside.as_posix())).hexdigest()[:6]
    folders = _plain("__".join(inside.parts[:-1])) if len(inside.parts) > 1 else stem
    if len(os.fsencode(folders)) > NAME_BYTES:  # more than a file system takes
        folders = f"{os.fsencode(folders)[:NAME_BYTES].decode('utf-8', 'ignore')}_{digest}"
    base = f"{folders}/{stem}"
    # The same name with another extension, folders named alike, or another collection's.
    names = (base if not n else f"{base}_{digest}{'' if n == 1 else n}" for n in count())
    return next(n for n in names if n not in taken or _may_be(taken[n], file))


def _may_be(there: Path, file: Path) -> bool:
    """Whether a clip's file is this one; where its link leads nowhere, by the kind of file."""
    if there.exists():
        return same_video(there, file)
    return there.suffix.lower() == file.suffix.lower()


def _plain(name: str) -> str:
    """A name that label.csv can hold and that leads nowhere."""
    name = composed(os.fsencode(name).decode("utf-8", "replace")).replace("\\", "_").strip()
    return "_" if name in ("", ".", "..") else name


def _speaker(file: Path, folder: Path) -> str:
    first = file.relative_to(folder).parts[0]
    return _plain(Path(first).stem if file.parent == folder else first)


def _speaker_of(line: Line) -> str:
    return (line.get("speaker") or "").strip() or (line["video_id"] or "").strip()


def _place(line: Line) -> str:
    """Where a line's clip is in Raw: by itself, or as a stretch of a whole video."""
    name = clip_name(line)
    return name.partition("/")[0] if (line.get("start_s") or "").strip() else name
