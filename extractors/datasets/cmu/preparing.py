"""CMU-MOSI and CMU-MOSEI as their authors ship them, listed as a raw dataset: nothing is cut.

What several annotators say of a segment is averaged.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from contracts.schemas import SPLITS
from extractors.datasets.cmu.annotations import PREPARED, Key, Segment, Shipped, read_shipped
from extractors.datasets.from_folder import refuse_features, same_video, split_by_group
from extractors.datasets.labels import read_lines
from extractors.datasets.listing import EXTENSIONS
from extractors.errors import SetupError

Row = tuple[str, str, str, str, float, float]  # as PREPARED, without the mode


class Prepared(NamedTuple):
    """Segments written, those that lack something by what it is, and lines not read.

    `unnamed` are videos of which `modes` says nothing.
    """

    segments: int
    lacking: dict[str, int]
    unread: list[str]
    unnamed: list[str]


def prepare(source: Path, root: Path, *, modes: Mapping[str, str]) -> Prepared:
    """Write ``label.csv`` and links to the whole videos.

    The videos are left as they are, and so is a ``label.csv`` that says something else.

    Parameters
    ----------
    source : Path
        Searched with its subfolders for videos, transcripts and tables of labels.
    root : Path
        Of the dataset.
    modes : mapping of video to train, valid or test
        The published splits. A video that is not in it gets one of the three by its name, so that
        none is in two.

    Returns
    -------
    Prepared
        How many segments were written, how many have no words, no label, no video or no times,
        and the lines that could not be read.

    Raises
    ------
    SetupError
        There are no videos, or no segment has times and a video; or the dataset has another
        video or ``label.csv`` in their place, or features.
    """
    refuse_features(root)
    files = [file for file in sorted(source.rglob("*")) if file.is_file()]
    videos = {f.stem: f for f in reversed(files) if f.suffix.lower() in EXTENSIONS}
    found = read_shipped(files)
    rows, lacking = _segments(found, videos)
    if not rows:
        raise SetupError(
            f"{source}: {len(videos)} videos and {len(found.words)} segments of transcripts, but "
            "no segment that has both a video and times; is it the folder that the authors ship?"
        )
    clips = Counter(row[0] for row in rows)
    if modes and not clips.keys() & modes.keys():
        raise SetupError(
            f"none of the {len(clips)} videos is in the splits, such as {min(clips)}: are they "
            "named otherwise there?"
        )
    split = split_by_group(clips, {v: modes[v] for v in clips if v in modes})
    content = _csv([PREPARED, *([*row, split[row[0]]] for row in rows)])
    _refuse_other(root / "label.csv", content)
    links = _links({video: videos[video] for video in clips}, root / "Raw")
    for link, (stale, file) in links.items():
        for path in stale:
            path.unlink()
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    with replacing(root / "label.csv") as temporary:
        temporary.write_bytes(content)
    return Prepared(len(rows), lacking, found.unread, sorted(clips.keys() - modes.keys()))


def read_modes(path: Path) -> dict[str, str]:
    """Read the split of each video from a CSV file with the columns video_id and mode.

    Raises
    ------
    DatasetError
        It is not UTF-8, or lacks one of the columns.
    SetupError
        A mode is not train, valid or test, or a video has two.
    """
    modes: dict[str, str] = {}
    for number, line in read_lines(path, ("video_id", "mode")):
        video, mode = (line["video_id"] or "").strip(), (line["mode"] or "").strip()
        if mode not in SPLITS:
            raise SetupError(f"{path} line {number}: mode is {mode!r}, not {', '.join(SPLITS)}")
        if modes.setdefault(video, mode) != mode:
            raise SetupError(f"{path} line {number}: {video} is {modes[video]} above, not {mode}")
    return modes


def _segments(found: Shipped, videos: Mapping[str, Path]) -> tuple[list[Row], dict[str, int]]:
    """The segments that can be written, and how many lack what."""
    lacking = {"words": 0, "label": 0, "video": 0, "times": 0}
    rows: list[Row] = []
    for key in sorted(found.words.keys() | found.labels.keys(), key=_order):
        said = found.words.get(key, Segment("", None, None))
        start, end = found.times.get(key, (said.start_s, said.end_s))
        known = found.labels.get(key, [])
        lacking["words"] += not said.text
        lacking["label"] += not known
        lacking["video"] += key[0] not in videos
        lacking["times"] += start is None
        if key[0] in videos and start is not None and end is not None:
            label = f"{sum(known) / len(known):.6g}" if known else ""
            rows.append((*key, said.text, label, start, end))
    return rows, lacking


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _refuse_other(table: Path, content: bytes) -> None:
    """Raise SetupError where a table is that is not `content`: somebody may have typed into it."""
    if table.exists() and table.read_bytes() != content:
        raise SetupError(
            f"{table} is there already and says something else than would be written: move it "
            "away, then run this again"
        )


def _links(videos: Mapping[str, Path], raw: Path) -> dict[Path, tuple[list[Path], Path]]:
    """Links that have to be made: the links they take the place of, and where they lead.

    Raises
    ------
    SetupError
        A file of another content is in the place of one.
    """
    there = defaultdict(list)
    for path in sorted(raw.iterdir()) if raw.is_dir() else ():
        if path.suffix.lower() in EXTENSIONS:
            there[path.stem].append(path)
    links = {}
    for video, file in videos.items():
        source = file.resolve()
        if any(path.is_file() and same_video(path, source) for path in there[video]):
            continue
        for path in there[video]:
            if not path.is_symlink():
                raise SetupError(
                    f"{path} is another video than {file}: move away the one that is not wanted"
                )
        links[raw / f"{video}{file.suffix.lower()}"] = (there[video], source)
    return links


def _order(key: Key) -> tuple[str, int, str]:
    return key[0], int(key[1]) if key[1].isdecimal() else 0, key[1]
