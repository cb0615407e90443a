"""CMU-MOSI and CMU-MOSEI as their authors ship them, listed as a raw dataset: nothing is cut.

Transcripts hold a line per segment: ``N_DELIM_text`` in ``<video>.annotprocessed`` (MOSI), or
``video___N___start___end___text`` in ``<video>.txt`` (MOSEI). A label table has a line per segment
and annotator, whose labels are averaged, and for MOSI the segment's times.
"""

import csv
import hashlib
import io
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from extractors.arranging import refuse_features, same_video, split_by_group
from extractors.errors import SetupError
from extractors.labels import read_lines
from extractors.manifest import EXTENSIONS
from extractors.tables import SPLITS, replacing

HEADER = ("video_id", "clip_id", "text", "label", "start_s", "end_s", "mode")
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
Row = tuple[str, str, str, str, float, float]  # as in HEADER, without the mode


class Segment(NamedTuple):
    """A stretch of a video with its words, s; None where the transcript does not say."""

    text: str
    start_s: float | None
    end_s: float | None


class Prepared(NamedTuple):
    """Segments written, those that lack something by what it is, and lines not read."""

    segments: int
    lacking: dict[str, int]
    unread: list[str]


class _Found(NamedTuple):
    """What the files say about segments; `unread` are the lines that say nothing, by place."""

    words: dict[Key, Segment]
    labels: dict[Key, list[float]]
    times: dict[Key, tuple[float, float]]
    unread: list[str]


def prepare(source: Path, root: Path, *, modes: Mapping[str, str]) -> Prepared:
    """Write ``label.csv`` and links to the whole videos.

    The videos are left as they are, and so is what somebody changed in ``label.csv``.

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
    found = _Found({}, defaultdict(list), {}, [])
    for file in files:
        if file.suffix.lower() in (".annotprocessed", ".txt", ".textonly"):
            _read_transcript(file, found)
        elif file.suffix.lower() == ".csv":
            _read_table(file, found)
    rows, lacking = _segments(found, videos)
    if not rows:
        raise SetupError(
            f"{source}: {len(videos)} videos and {len(found.words)} segments of transcripts, but "
            "no segment that has both a video and times; is it the folder that the authors ship?"
        )
    clips = Counter(row[0] for row in rows)
    split = split_by_group(clips, {v: modes[v] for v in clips if v in modes})
    content = _csv([HEADER, *([*row, split[row[0]]] for row in rows)])
    _refuse_changed(root / "label.csv", content)
    links = _links({video: videos[video] for video in clips}, root / "Raw")
    for link, (stale, file) in links.items():
        for path in stale:
            path.unlink()
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    _write(root / "label.csv", content)
    _write(_written(root / "label.csv"), f"{_digest(content)}  label.csv\n".encode())
    return Prepared(len(rows), lacking, found.unread)


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


def _segments(found: _Found, videos: Mapping[str, Path]) -> tuple[list[Row], dict[str, int]]:
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


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _written(table: Path) -> Path:
    """Where the sha256 of a table stands, as `prepare` wrote it."""
    return table.with_name(f"{table.name}.sha256")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refuse_changed(table: Path, content: bytes) -> None:
    """Raise SetupError where a table is neither `content` nor as `prepare` wrote it."""
    if not table.exists():
        return
    there, record = table.read_bytes(), _written(table)
    written = record.read_text("utf-8").split() if record.is_file() else []
    if there != content and _digest(there) not in written:
        raise SetupError(
            f"{table} is there already, not or no longer as prepare wrote it, and what was typed "
            "into it would be lost: move it away, then run this again"
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


def _read_transcript(file: Path, found: _Found) -> None:
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


def _read_table(file: Path, found: _Found) -> None:
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as table:
        reader = csv.reader(table)
        try:
            lines = [(reader.line_num, line) for line in reader if line]
        except csv.Error:
            found.unread.append(f"{file} line {reader.line_num}")
            return
    if not lines or tuple(lines[0][1]) == HEADER:  # a dataset that was prepared: no annotator
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


def _take(fields: Mapping[str, str], found: _Found) -> bool:
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
    """Whether a name can be a video_id or clip_id, by the rules of `extractors.labels`."""
    return name.strip() not in ("", ".", "..") and not set(name) & set("/\\\0")


def _order(key: Key) -> tuple[str, int, str]:
    return key[0], int(key[1]) if key[1].isdecimal() else 0, key[1]
