"""CMU-MOSI and CMU-MOSEI as their authors ship them, listed as a raw dataset: nothing is cut.

Transcripts hold a line per segment: ``N_DELIM_text`` in ``<video>.annotprocessed`` (MOSI), or
``video___N___start___end___text`` in ``<video>.txt`` (MOSEI). A label table has a line per segment
and annotator, whose labels are averaged, and for MOSI the segment's times.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from extractors.arranging import split_by_group
from extractors.errors import SetupError
from extractors.manifest import EXTENSIONS
from extractors.tables import replacing

NAMES = {  # of the columns of a label table, in lower case
    "video": ("video_id", "video", "videoid", "input.video_id", "file"),
    "segment": ("clip_id", "segment", "segment_id", "segmentid", "clip", "input.clip", "index"),
    "label": ("label", "sentiment", "score", "answer.sentiment", "annotation"),
    "start": ("start_s", "start", "start_time"),
    "end": ("end_s", "end", "end_time"),
}
BARE = ("start", "end", "video", "segment", "label")  # of a table without a header
Key = tuple[str, str]  # video, segment


class Segment(NamedTuple):
    """A stretch of a video with its words, s; None where the transcript does not say."""

    text: str
    start_s: float | None
    end_s: float | None


def prepare(source: Path, root: Path, *, modes: Mapping[str, str]) -> dict[str, int]:
    """Write ``label.csv`` and links to the whole videos.

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
    dict
        How many segments were written, and how many have no words, no label, no video or no times.

    Raises
    ------
    SetupError
        There are no videos, or no segment has times and a video.
    """
    files = [file for file in sorted(source.rglob("*")) if file.is_file()]
    videos = {f.stem: f for f in reversed(files) if f.suffix.lower() in EXTENSIONS}
    words = dict(pair for file in files for pair in _transcript(file))
    labels: dict[Key, list[float]] = defaultdict(list)
    times: dict[Key, tuple[float, float]] = {}
    for file in files:
        if file.suffix.lower() == ".csv":
            _read_table(file, labels, times)
    lacking = {"words": 0, "label": 0, "video": 0, "times": 0}
    rows = []
    for key in sorted(words.keys() | labels.keys(), key=_order):
        said = words.get(key, Segment("", None, None))
        start, end = times.get(key, (said.start_s, said.end_s))
        lacking["words"] += not said.text
        lacking["label"] += key not in labels
        lacking["video"] += key[0] not in videos
        lacking["times"] += start is None
        if key[0] in videos and start is not None:
            known = labels.get(key, [])
            label = f"{sum(known) / len(known):.6g}" if known else ""
            rows.append([*key, said.text, label, start, end])
    if not rows:
        raise SetupError(
            f"{source}: {len(videos)} videos and {len(words)} segments of transcripts, but no "
            "segment that has both a video and times; is it the folder that the authors ship?"
        )
    clips: dict[str, int] = defaultdict(int)
    for row in rows:
        clips[str(row[0])] += 1
    split = split_by_group(clips, {v: modes[v] for v in clips if v in modes})
    with replacing(root / "label.csv") as temporary:
        with temporary.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["video_id", "clip_id", "text", "label", "start_s", "end_s", "mode"])
            writer.writerows([*row, split[str(row[0])]] for row in rows)
        for video in clips:
            link = root / "Raw" / f"{video}{videos[video].suffix.lower()}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(videos[video].resolve())
    return {"segments": len(rows)} | lacking


def _transcript(file: Path) -> Iterator[tuple[Key, Segment]]:
    if file.suffix.lower() not in (".annotprocessed", ".txt", ".textonly"):
        return
    for line in file.read_text("utf-8", errors="replace").splitlines():
        if "_DELIM_" in line:
            number, _, text = line.partition("_DELIM_")
            yield (file.stem, number.strip()), Segment(text.strip(), None, None)
        elif line.count("___") >= 4:
            video, number, start, end, text = line.split("___", 4)
            yield (video.strip(), number.strip()), Segment(text.strip(), float(start), float(end))


def _read_table(
    file: Path, labels: dict[Key, list[float]], times: dict[Key, tuple[float, float]]
) -> None:
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as table:
        lines = [line for line in csv.reader(table) if line]
    if not lines:
        return
    header = [name.strip().lower() for name in lines[0]]
    places = {
        what: next((header.index(name) for name in names if name in header), -1)
        for what, names in NAMES.items()
    }
    if min(places["video"], places["segment"], places["label"]) < 0:
        if len(lines[0]) != len(BARE) or not _is_number(lines[0][0]):
            return  # of something else
        places = {what: place for place, what in enumerate(BARE)}
    else:
        lines = lines[1:]
    for line in lines:
        if len(line) <= max(places.values()) or not _is_number(line[places["label"]]):
            continue
        key = (line[places["video"]].strip(), line[places["segment"]].strip())
        labels[key].append(float(line[places["label"]]))
        if places["start"] >= 0 and places["end"] >= 0:
            times[key] = float(line[places["start"]]), float(line[places["end"]])


def _is_number(text: str) -> bool:
    try:
        return float(text) - float(text) == 0
    except ValueError:
        return False


def _order(key: Key) -> tuple[str, int, str]:
    return key[0], int(key[1]) if key[1].isdecimal() else 0, key[1]
