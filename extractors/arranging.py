"""Videos in folders of any shape, listed as a raw dataset: links and a label.csv, no copies."""

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from extractors.errors import SetupError
from extractors.labels import COLUMNS
from extractors.manifest import EXTENSIONS
from extractors.tables import SPLITS, replacing

SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}  # of the clips


class Arranged(NamedTuple):
    """Clips per split, those that are new, and speakers."""

    clips: dict[str, int]
    new: int
    speakers: int


def arrange(folder: str | Path, root: str | Path) -> Arranged:
    """Make a raw dataset of the videos in a folder.

    Parameters
    ----------
    folder : path
        Searched with all its subfolders. A folder at its top is one speaker; a video that lies
        there itself is a speaker of its own.
    root : path
        Of the dataset. Gets links to the videos in ``Raw/`` and ``label.csv``, whose lines stay
        as they are where a clip is named already, and have no text and label where it is not.

    Returns
    -------
    Arranged
        No speaker is in two splits; the same videos give the same splits.

    Raises
    ------
    SetupError
        There is no video in the folder.
    """
    folder, root = Path(folder), Path(root)
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in EXTENSIONS and f.is_file())
    if not files:
        raise SetupError(f"{folder}: no video in this folder ({', '.join(EXTENSIONS)})")
    top = Path(os.path.commonpath([file.parent for file in files]))
    table = root / "label.csv"
    lines = _lines(table)
    known = {(line["video_id"], line["clip_id"]): line for line in lines}
    splits = {line.get("speaker") or line["video_id"]: line["mode"] for line in lines}
    named = _named(files, top)
    speakers = {key: _speaker(file, top) for key, file in named.items()}
    splits = split_by_group(Counter(speakers.values()), splits)
    new = [key for key in named if key not in known]
    for key in new:
        video, clip = key
        speaker = speakers[key]
        empty = {"video_id": video, "clip_id": clip, "text": "", "label": ""}
        lines.append(empty | {"mode": splits[speaker], "speaker": speaker})
    for (video, clip), file in named.items():
        link = root / "Raw" / video / f"{clip}{file.suffix.lower()}"
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.unlink(missing_ok=True)  # it led to a file that is gone
            link.symlink_to(os.path.abspath(file))  # noqa: PTH100 - links stay
    columns = list(dict.fromkeys([*COLUMNS, "speaker", *(name for line in lines for name in line)]))
    with replacing(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(lines, key=lambda line: (line["video_id"], line["clip_id"])))
    counts = Counter(line["mode"] for line in lines)
    return Arranged({s: counts[s] for s in SPLITS}, len(new), len(set(speakers.values())))


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
    return splits | {group: split for group, split in known.items() if group not in splits}


def _lines(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _named(files: list[Path], top: Path) -> dict[tuple[str, str], Path]:
    """Each file's video_id, made of its folders, and clip_id."""
    found: dict[tuple[str, str], Path] = {}
    for file in files:
        folders = [part.replace("\\", "_") for part in file.relative_to(top).parts[:-1]]
        stem = file.stem.replace("\\", "_")
        key = ("__".join(folders) or stem, stem)
        if key in found:  # the same name with another extension, or folders named alike
            key = (key[0], f"{stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:6]}")
        found[key] = file
    return found


def _speaker(file: Path, top: Path) -> str:
    first = file.relative_to(top).parts[0]
    return Path(first).stem if file.parent == top else first
