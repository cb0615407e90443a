"""Make a raw dataset of a folder of videos: links to them and a label.csv, without copies."""

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

NAME_BYTES = 200  # longest name of a folder in Raw/; file systems take 255
SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}  # of the clips, in each split


class Arranged(NamedTuple):
    """What label.csv lists after `arrange`.

    Attributes
    ----------
    clips : dict
        Clips per split.
    new : int
        Clips that were not listed before.
    groups : int
        Speakers, as far as the folders and the column ``speaker`` tell them apart.
    relinked : list of str
        Clips whose link was broken, and now leads to a video of the same name.
    """

    clips: dict[str, int]
    new: int
    groups: int
    relinked: list[str]


def arrange(folder: str | Path, root: str | Path) -> Arranged:
    """Make a raw dataset of the videos in a folder.

    Parameters
    ----------
    folder : path
        Searched with all its subfolders. Each folder directly in it is taken for one speaker, and
        so is each video directly in it.
    root : path
        Of the dataset. Links to the videos are made in ``Raw/``. New clips are added to
        ``label.csv`` without text and label; lines that are there already are not changed.

    Returns
    -------
    Arranged
        No speaker is in two splits, and the same videos always give the same splits.

    Raises
    ------
    SetupError
        The folder has no videos, the dataset lies inside it, or `root` holds features.
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
    present = _raw_files(root / "Raw", {_place(line) for line in lines})
    named = _named(files, folder, present)
    new = _new_lines({name: _folder_group(file, folder) for name, file in named.items()}, lines)
    relinked = []
    for name, file in named.items():
        if name not in present or not present[name].exists():
            link = root / "Raw" / f"{name}{file.suffix.lower()}"
            link.parent.mkdir(parents=True, exist_ok=True)
            if link.is_symlink():  # a broken one
                link.unlink()
                relinked.append(name)
            link.symlink_to(os.path.abspath(file))  # noqa: PTH100 - links stay
    lines = sorted(lines + new, key=lambda line: clip_name(line).split("/"))
    if new:
        _write(table, lines)
    counts = Counter((line["mode"] or "").strip() for line in lines)
    groups = {_listed_group(line) for line in lines}
    return Arranged({s: counts[s] for s in SPLITS}, len(new), len(groups), relinked)


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


def split_by_group(clips: Mapping[str, int], fixed: Mapping[str, str]) -> dict[str, str]:
    """Assign whole groups to splits, with about 70, 15 and 15 % of the clips in each.

    Parameters
    ----------
    clips : mapping of group to its number of clips
    fixed : mapping of group to split
        Groups whose split is decided already.

    Returns
    -------
    dict
        The split of every group in `clips`. The same input gives the same splits; no split is
        empty if there are enough groups.
    """
    splits = {group: fixed[group] for group in clips if group in fixed}
    assigned = Counter({split: 0 for split in SPLITS})  # clips
    for group, split in splits.items():
        assigned[split] += clips[group]
    total = sum(clips.values())
    # An order without meaning that is the same on every run.
    rest = sorted(clips.keys() - splits.keys(), key=lambda g: hashlib.sha256(g.encode()).digest())
    for left, group in zip(range(len(rest), 0, -1), rest, strict=True):
        empty = [split for split in SPLITS if not assigned[split]]
        candidates = empty if left <= len(empty) else SPLITS
        split = max(candidates, key=lambda s: SHARES[s] * total - assigned[s])
        splits[group] = split
        assigned[split] += clips[group]
    return splits


def same_video(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, or to files of the same bytes."""
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


def _new_lines(groups: Mapping[str, str], lines: Iterable[Line]) -> list[Line]:
    """Lines for the clips that are not listed yet.

    `groups` has the group of every clip, as its folder tells. Where label.csv names the speaker of
    the other clips in that folder, new clips get that name and the split of that speaker.
    """
    splits: dict[str, str] = {}  # of the groups that are listed
    counts: Counter[str] = Counter()
    listed: dict[str, Line] = {}
    for line in lines:
        counts[_listed_group(line)] += 1
        listed[_place(line)] = line
        if (split := (line["mode"] or "").strip()) in SPLITS:
            splits[_listed_group(line)] = split
    by_folder = defaultdict(list)  # folder's group -> its lines, which may name another group
    for name, group in groups.items():
        if name in listed:
            by_folder[group].append(listed[name])
    renamed = {}
    for group, folder_lines in by_folder.items():
        names = {_listed_group(line) for line in folder_lines}
        renamed[group] = names.pop() if len(names) == 1 else group
        votes = Counter(splits[g] for line in folder_lines if (g := _listed_group(line)) in splits)
        if votes:
            splits.setdefault(renamed[group], votes.most_common(1)[0][0])
    new = {name: renamed.get(g, g) for name, g in groups.items() if name not in listed}
    splits = split_by_group(counts + Counter(new.values()), splits)
    new_lines: list[Line] = []
    for name, group in new.items():
        video, clip = name.split("/")
        empty = {"video_id": video, "clip_id": clip, "text": "", "label": ""}
        new_lines.append({**empty, "mode": splits[group], "speaker": group})
    return new_lines


def _raw_files(raw: Path, listed: set[str]) -> dict[str, Path]:
    """Videos in Raw/ by ``video_id/clip_id`` or ``video_id``, those in `listed` last.

    Names are as `extractors.datasets.listing` has them. Whole videos count only if label.csv lists
    segments of them. Broken links count, too: their clips are listed.
    """
    files = [f for f in (*raw.glob("*"), *raw.glob("*/*")) if f.suffix.lower() in EXTENSIONS]
    videos: dict[str, Path] = {}
    for file in sorted(files, key=lambda f: (EXTENSIONS.index(f.suffix.lower()), f)):
        if file.is_file() or file.is_symlink():
            name = composed(file.relative_to(raw).with_suffix("").as_posix())
            if "/" in name or name in listed:
                videos.setdefault(name, file)
    return dict(sorted(videos.items(), key=lambda item: item[0] in listed))


def _named(files: list[Path], folder: Path, present: Mapping[str, Path]) -> dict[str, Path]:
    """Files by their name in Raw/: that of a link to them, else one made of their folders."""
    taken = dict(present)
    linked = {os.path.realpath(file): name for name, file in present.items() if file.exists()}
    named: dict[str, Path] = {}
    for file in files:
        real = os.path.realpath(file)
        if real not in linked:
            linked[real] = _free_name(file, file.relative_to(folder), taken)
        taken.setdefault(linked[real], file)
        named.setdefault(linked[real], file)
    return named


def _free_name(file: Path, inside: Path, taken: Mapping[str, Path]) -> str:
    """A ``video_id/clip_id`` made of a file's folders and name that no other video has."""
    stem = _plain(file.stem)
    digest = hashlib.sha256(os.fsencode(inside.as_posix())).hexdigest()[:6]
    folders = _plain("__".join(inside.parts[:-1])) if len(inside.parts) > 1 else stem
    if len(os.fsencode(folders)) > NAME_BYTES:
        folders = f"{os.fsencode(folders)[:NAME_BYTES].decode('utf-8', 'ignore')}_{digest}"
    base = f"{folders}/{stem}"
    # The name can be taken: by another extension, a similar folder, or another collection.
    names = (base if not n else f"{base}_{digest}{'' if n == 1 else n}" for n in count())
    return next(n for n in names if n not in taken or _is_same(taken[n], file))


def _is_same(present: Path, file: Path) -> bool:
    """Whether a clip in Raw/ is this file; of a broken link, only the extension is compared."""
    if present.exists():
        return same_video(present, file)
    return present.suffix.lower() == file.suffix.lower()


def _plain(name: str) -> str:
    """A name that label.csv can hold and that cannot lead to another folder."""
    name = composed(os.fsencode(name).decode("utf-8", "replace")).replace("\\", "_").strip()
    return "_" if name in ("", ".", "..") else name


def _folder_group(file: Path, folder: Path) -> str:
    """The group of a video by where it lies: the folder at the top, or the video itself."""
    first = file.relative_to(folder).parts[0]
    return _plain(Path(first).stem if file.parent == folder else first)


def _listed_group(line: Line) -> str:
    """The group that label.csv names: the speaker, else the video."""
    return (line.get("speaker") or "").strip() or (line["video_id"] or "").strip()


def _place(line: Line) -> str:
    """Name in Raw/ of the file of a line's clip: the clip, or the video that it is a segment of."""
    name = clip_name(line)
    return name.partition("/")[0] if (line.get("start_s") or "").strip() else name
