"""What CMU-MOSI and CMU-MOSEI say of their segments, in the files that their authors ship.

Transcripts hold a line per segment: ``N_DELIM_text`` in ``<video>.annotprocessed`` (MOSI), or
``video___N___start___end___text`` in ``<video>.txt`` (MOSEI). A label table has a line per segment
and annotator, and for MOSI the segment's times.
"""

import csv
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

PREPARED = ("video_id", "clip_id", "text", "label", "start_s", "end_s", "mode")  # not shipped
NAMES = {  # of the columns of a label table, in lower case
    "video": ("video_id", "video", "videoid", "input.video_id", "file"),
    "segment": ("clip_id", "segment", "segment_id", "segmentid", "clip", "input.clip", "index"),
    "label": ("label", "sentiment", "score", "answer.sentiment", "annotation"),
    "start": ("start_s", "start", "start_time"),
    "end": ("end_s", "end", "end_time"),
}
BARE = ("start", "end", "video", "segment", "label")  # of a table without a header
MOSEI = re.compile(r"(.+?)___(\d+)___([^_]*)___([^_]*)___(.*)")  # an ID may end with _
Key = tuple[str, str]  # video, segment


class Segment(NamedTuple):
    """A stretch of a video with its words, s; None where the transcript does not say."""

    text: str
    start_s: float | None
    end_s: float | None


class Shipped(NamedTuple):
    """What the files say about segments; `unread` are the lines that say nothing, by place."""

    words: dict[Key, Segment]
    labels: dict[Key, list[float]]
    times: dict[Key, tuple[float, float]]
    unread: list[str]


def read_shipped(files: Iterable[Path]) -> Shipped:
    """Read transcripts and label tables; other files are passed over."""
    found = Shipped({}, defaultdict(list), {}, [])
    for file in files:
        if file.suffix.lower() in (".annotprocessed", ".txt", ".textonly"):
            _read_transcript(file, found)
        elif file.suffix.lower() == ".csv":
            _read_table(file, found)
    return found


def _read_transcript(file: Path, found: Shipped) -> None:
    lines = file.read_text("utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if "_DELIM_" in line:
            segment, _, text = line.partition("_DELIM_")
            key = (file.stem, segment.strip())
            if _is_plain(key[1]):
                found.words[key] = Segment(text.strip(), None, None)
                continue
        elif line.count("___") >= 4:
            match = MOSEI.fullmatch(line.strip())
            times = _stretch(match[3], match[4]) if match else None
            if match and times and _is_plain(match[1]):
                found.words[match[1].strip(), match[2]] = Segment(match[5].strip(), *times)
                continue
        else:
            continue  # of something else
        found.unread.append(f"{file} line {number}")


def _read_table(file: Path, found: Shipped) -> None:
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as table:
        reader = csv.reader(table)
        try:
            lines = [(reader.line_num, line) for line in reader if line]
        except csv.Error:
            found.unread.append(f"{file} line {reader.line_num}")
            return
    if not lines or tuple(lines[0][1]) == PREPARED:  # a dataset that was prepared: no annotator
        return
    first = lines[0][1]
    header = [name.strip().lower() for name in first]
    places = {
        what: next((header.index(name) for name in names if name in header), -1)
        for what, names in NAMES.items()
    }
    if min(places["video"], places["segment"], places["label"]) >= 0:
        del lines[0]
    elif len(first) == len(BARE) and _are_numbers(first[0], first[1], first[4]):
        places = {what: place for place, what in enumerate(BARE)}
    else:
        return  # of something else
    for number, line in lines:
        whole = len(line) > max(places.values())
        if not whole or not _take({w: line[i].strip() for w, i in places.items() if i >= 0}, found):
            found.unread.append(f"{file} line {number}")


def _take(fields: Mapping[str, str], found: Shipped) -> bool:
    """Keep what a line of a label table says; False if it cannot be read."""
    key = (fields.get("video", ""), fields.get("segment", ""))
    label, start, end = (fields.get(what, "") for what in ("label", "start", "end"))
    times = _stretch(start, end)
    if not all(map(_is_plain, key)) or (times is None and start + end):
        return False
    if label.lower() not in ("", "nan") and not _are_numbers(label):
        return False
    if times is not None:
        found.times[key] = times
    if label.lower() not in ("", "nan"):
        found.labels[key].append(float(label))
    return True


def _stretch(start: str, end: str) -> tuple[float, float] | None:
    """Times of a segment, s; None where they are no stretch of a video."""
    if not (start and end and _are_numbers(start, end)):
        return None
    times = float(start), float(end)
    return times if 0 <= times[0] < times[1] else None


def _are_numbers(*fields: str) -> bool:
    """Whether fields are finite numbers, at least one, or empty."""
    try:
        return any(fields) and all(math.isfinite(float(field or 0)) for field in fields)
    except ValueError:
        return False


def _is_plain(name: str) -> bool:
    """Whether a name can be a video_id or clip_id, by the rules of `extractors.datasets.labels`."""
    return name.strip() not in ("", ".", "..") and not set(name) & set("/\\\0")
