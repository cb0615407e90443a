"""Read the transcripts and label tables of CMU-MOSI and CMU-MOSEI.

A transcript has one line per segment: ``N_DELIM_text`` in ``<video>.annotprocessed`` (MOSI), or
``video___N___start___end___text`` in ``<video>.txt`` (MOSEI). A label table has one line per
segment and annotator; that of MOSI also has the times of the segments.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from contracts.plain_files import plain
from extractors.datasets.csv_records import DatasetError, Row, read_records

PREPARED = ("video_id", "clip_id", "text", "label", "start_s", "end_s", "mode")  # label.csv
NAMES = {  # names that columns of label tables have, in lower case
    "video": ("video_id", "video", "videoid", "input.video_id", "file"),
    "segment": ("clip_id", "segment", "segment_id", "segmentid", "clip", "input.clip", "index"),
    "label": ("label", "sentiment", "score", "answer.sentiment", "annotation"),
    "start": ("start_s", "start", "start_time"),
    "end": ("end_s", "end", "end_time"),
}
HEADERLESS = ("start", "end", "video", "segment", "label")  # columns of a table without header
MOSEI = re.compile(r"(.+?)___(\d+)___([^_]*)___([^_]*)___(.*)")  # a video's name may end with _
Key = tuple[str, str]  # video, segment


class Segment(NamedTuple):
    """What a transcript says about a segment: its words, and its times if it has them, s."""

    text: str
    start_s: float | None
    end_s: float | None


class Annotations(NamedTuple):
    """What the files say about segments.

    Attributes
    ----------
    words : dict
        Of each segment, from the transcripts.
    labels : dict
        Of each segment, one per annotator.
    times : dict
        Start and end of each segment, s, from the label tables.
    unread : list of str
        File and line number of the lines that could not be read.
    """

    words: dict[Key, Segment]
    labels: dict[Key, list[float]]
    times: dict[Key, tuple[float, float]]
    unread: list[str]


def read_annotations(files: Iterable[Path]) -> Annotations:
    """Read transcripts and label tables; other files are skipped.

    Raises
    ------
    DatasetError
        A label table is damaged, by a quote that is not closed: lines after it would be lost.
    """
    annotations = Annotations({}, defaultdict(list), {}, [])
    for file in files:
        if file.suffix.lower() in (".annotprocessed", ".txt", ".textonly"):
            _read_transcript(file, annotations)
        elif file.suffix.lower() == ".csv":
            _read_table(file, annotations)
    return annotations


def _read_transcript(file: Path, annotations: Annotations) -> None:
    lines = plain(file).read_text("utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if "_DELIM_" in line:
            segment, _, text = line.partition("_DELIM_")
            key = (file.stem, segment.strip())
            if _is_plain(key[1]):
                annotations.words[key] = Segment(text.strip(), None, None)
                continue
        elif line.count("___") >= 4:
            match = MOSEI.fullmatch(line.strip())
            times = _times(match[3], match[4]) if match else None
            if match and times and _is_plain(match[1]):
                annotations.words[match[1].strip(), match[2]] = Segment(match[5].strip(), *times)
                continue
        else:
            continue  # not a line of a transcript
        annotations.unread.append(f"{file} line {number}")


def _read_table(file: Path, annotations: Annotations) -> None:
    text = plain(file).read_bytes().decode("utf-8-sig", "replace")
    records = (row for row, _ in read_records(file, text, ","))
    try:
        number, first = next(records, Row(1, []))
    except DatasetError:
        annotations.unread.append(f"{file} line 1")
        return
    if not first or tuple(first) == PREPARED:  # written by `prepare`
        return
    header = [name.strip().lower() for name in first]
    columns = {
        what: next((header.index(name) for name in names if name in header), -1)
        for what, names in NAMES.items()
    }
    if min(columns["video"], columns["segment"], columns["label"]) >= 0:
        rows: Iterable[Row] = records
    elif len(first) == len(HEADERLESS) and _are_numbers(first[0], first[1], first[4]):
        columns = {what: column for column, what in enumerate(HEADERLESS)}
        rows = (Row(number, first), *records)
    else:
        return  # not a label table
    for number, line in rows:
        complete = len(line) > max(columns.values())
        fields = (
            {what: line[i].strip() for what, i in columns.items() if i >= 0} if complete else {}
        )
        if not _add(fields, annotations):
            annotations.unread.append(f"{file} line {number}")


def _add(fields: Mapping[str, str], annotations: Annotations) -> bool:
    """Add what a line of a label table says; False if it cannot be read."""
    key = (fields.get("video", ""), fields.get("segment", ""))
    label, start, end = (fields.get(what, "") for what in ("label", "start", "end"))
    times = _times(start, end)
    if not all(map(_is_plain, key)) or (times is None and start + end):
        return False
    if label.lower() not in ("", "nan") and not _are_numbers(label):
        return False
    if times is not None:
        annotations.times[key] = times
    if label.lower() not in ("", "nan"):
        annotations.labels[key].append(float(label))
    return True


def _times(start: str, end: str) -> tuple[float, float] | None:
    """Start and end of a segment, s; None if they are missing or impossible."""
    if not (start and end and _are_numbers(start, end)):
        return None
    times = float(start), float(end)
    return times if 0 <= times[0] < times[1] else None


def _are_numbers(*fields: str) -> bool:
    """Whether all fields are finite numbers or empty, and not all are empty."""
    try:
        return any(fields) and all(math.isfinite(float(field or 0)) for field in fields)
    except ValueError:
        return False


def _is_plain(name: str) -> bool:
    """Whether a name can be a video_id or clip_id, by the rules of `extractors.datasets.labels`."""
    return name.strip() not in ("", ".", "..") and not set(name) & set("/\\\0")
