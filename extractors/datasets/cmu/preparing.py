"""Make a raw dataset of CMU-MOSI or CMU-MOSEI as their authors distribute them.

Segments stay parts of whole videos: nothing is cut or copied. The label of a segment is the mean of
its annotators' labels.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from contracts.schemas import SPLITS
from extractors.datasets.cmu.annotations import (
    PREPARED,
    Annotations,
    Key,
    Segment,
    read_annotations,
)
from extractors.datasets.csv_table import as_csv, read_lines
from extractors.datasets.folder_names import same_video
from extractors.datasets.from_folder import refuse_features
from extractors.datasets.labels import refuse_other
from extractors.datasets.new_lines import split_by_group
from extractors.datasets.searching import EXTENSIONS, is_hidden
from extractors.errors import SetupError

Row = tuple[str, str, str, str, float, float]  # the columns in PREPARED, without the split


class Prepared(NamedTuple):
    """What `prepare` wrote and what it left out.

    Attributes
    ----------
    segments : int
        Segments written.
    lacking : dict
        Segments without "words", "label", "video" or "times", by what they lack.
    unread : list of str
        File and line number of the lines that could not be read.
    unnamed : list of str
        Videos that the published splits do not name.
    """

    segments: int
    lacking: dict[str, int]
    unread: list[str]
    unnamed: list[str]


def prepare(source: Path, root: Path, *, splits: Mapping[str, str]) -> Prepared:
    """Write ``label.csv`` and links to the whole videos.

    Videos are never changed. A ``label.csv`` that somebody edited is not overwritten.

    Parameters
    ----------
    source : Path
        Searched with its subfolders for videos, transcripts and tables of labels.
    root : Path
        Of the dataset.
    splits : mapping of video to train, valid or test
        The published splits. A video that is not among them gets a split by its name; all of its
        segments are in that one.

    Returns
    -------
    Prepared

    Raises
    ------
    SetupError
        No segment has both times and a video, no video is in `splits`, or `root` already holds
        features, or another video or ``label.csv`` than would be written.
    """
    refuse_features(root)
    files = [
        file
        for file in sorted(source.rglob("*"))
        if file.is_file() and not is_hidden(file.relative_to(source))
    ]
    videos = {f.stem: f for f in reversed(files) if f.suffix.lower() in EXTENSIONS}
    annotations = read_annotations(files)
    rows, lacking = _segments(annotations, videos)
    if not rows:
        raise SetupError(
            f"{source}: {len(videos)} videos and {len(annotations.words)} segments of transcripts, "
            "but no segment that has both a video and times; is it the folder that the authors "
            "ship?"
        )
    clips = Counter(row[0] for row in rows)
    if splits and not clips.keys() & splits.keys():
        raise SetupError(
            f"none of the {len(clips)} videos is in the splits, such as {min(clips)}: are they "
            "named otherwise there?"
        )
    split_of = split_by_group(clips, {v: splits[v] for v in clips if v in splits})
    content = as_csv([PREPARED, *([*row, split_of[row[0]]] for row in rows)])
    refuse_other(root / "label.csv", content)
    links = _links({video: videos[video] for video in clips}, root / "Raw")
    for link, (outdated, file) in links.items():
        for path in outdated:
            path.unlink()
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    with replacing(root / "label.csv") as temporary:
        temporary.write_bytes(content)
    return Prepared(len(rows), lacking, annotations.unread, sorted(clips.keys() - splits.keys()))


def read_splits(path: Path) -> dict[str, str]:
    """Read the split of each video from a CSV file with the columns video_id and mode.

    Raises
    ------
    DatasetError
        The file is not UTF-8, lacks one of the columns, or a line is damaged.
    SetupError
        A split is not train, valid or test, or a video is in two.
    """
    splits: dict[str, str] = {}
    for number, line in read_lines(path, ("video_id", "mode")):
        video, split = line["video_id"].strip(), line["mode"].strip()
        if split not in SPLITS:
            raise SetupError(f"{path} line {number}: mode is {split!r}, not {', '.join(SPLITS)}")
        if splits.setdefault(video, split) != split:
            raise SetupError(f"{path} line {number}: {video} is {splits[video]} above, not {split}")
    return splits


def _segments(
    annotations: Annotations, videos: Mapping[str, Path]
) -> tuple[list[Row], dict[str, int]]:
    """Rows of the segments that can be written, and how many segments lack what."""
    lacking = {"words": 0, "label": 0, "video": 0, "times": 0}
    rows: list[Row] = []
    for key in sorted(annotations.words.keys() | annotations.labels.keys(), key=_order):
        segment = annotations.words.get(key, Segment("", None, None))
        start, end = annotations.times.get(key, (segment.start_s, segment.end_s))
        labels = annotations.labels.get(key, [])
        lacking["words"] += not segment.text
        lacking["label"] += not labels
        lacking["video"] += key[0] not in videos
        lacking["times"] += start is None
        if key[0] in videos and start is not None and end is not None:
            label = f"{sum(labels) / len(labels):.6g}" if labels else ""
            rows.append((*key, segment.text, label, start, end))
    return rows, lacking


def _links(videos: Mapping[str, Path], raw: Path) -> dict[Path, tuple[list[Path], Path]]:
    """Links to make, each with the outdated links that it replaces and the video it leads to.

    Raises
    ------
    SetupError
        A file with other bytes is in the place of a link.
    """
    present = defaultdict(list)
    for path in sorted(raw.iterdir()) if raw.is_dir() else ():
        if path.suffix.lower() in EXTENSIONS:
            present[path.stem].append(path)
    links = {}
    for video, file in videos.items():
        source = file.resolve()
        if any(path.is_file() and same_video(path, source) for path in present[video]):
            continue
        for path in present[video]:
            if not path.is_symlink():
                raise SetupError(
                    f"{path} is another video than {file}: move away the one that is not wanted"
                )
        links[raw / f"{video}{file.suffix.lower()}"] = (present[video], source)
    return links


def _order(key: Key) -> tuple[str, int, str]:
    """Sort key: segments of a video by number."""
    return key[0], int(key[1]) if key[1].isdecimal() else 0, key[1]
