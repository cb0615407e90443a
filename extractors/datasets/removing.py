"""Take clips out of a dataset: their lines in label.csv, their files in Raw/."""

import csv
import io
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from extractors.datasets.csv_records import visible
from extractors.datasets.csv_table import read_csv
from extractors.datasets.labels import Line, clip_name, composed

BOM = b"\xef\xbb\xbf"


class RawFiles(NamedTuple):
    """What lies in Raw/ for some clips.

    Attributes
    ----------
    links : list of Path
    files : list of Path
        The videos themselves, and files beside them with their names.
    originals : list of Path
        To where the links lead, as far as that is there.
    shared : list of Path
        Whole videos that other clips are segments of, too.
    """

    links: list[Path]
    files: list[Path]
    originals: list[Path]
    shared: list[Path]


def raw_files(root: Path, clips: Collection[str], lines: Iterable[Line]) -> RawFiles:
    """Find the files of some clips.

    Parameters
    ----------
    root : Path
        Folder of the dataset.
    clips : collection of str
        Names of the clips, ``video_id/clip_id``.
    lines : iterable of Line
        All lines of label.csv.
    """
    raw = root / "Raw"
    wanted: list[Path] = []
    for video in sorted({clip.partition("/")[0] for clip in clips}):
        wanted += [
            path
            for path in _inside(raw, video)
            if f"{video}/{composed(path.stem)}" in clips and not path.is_dir()
        ]
    segments = [line for line in lines if (line.get("start_s") or "").strip()]
    theirs = {n.partition("/")[0] for line in segments if (n := clip_name(line)) in clips}
    others = {n.partition("/")[0] for line in segments if (n := clip_name(line)) not in clips}
    whole = [path for path in _listed(raw) if path.is_symlink() or path.is_file()]
    whole = [path for path in whole if composed(path.stem) in theirs]
    wanted += [path for path in whole if composed(path.stem) not in others]
    links = [path for path in wanted if path.is_symlink()]
    return RawFiles(
        links,
        [path for path in wanted if not path.is_symlink()],
        sorted({path.resolve() for path in links if path.exists()}),
        [path for path in whole if composed(path.stem) in others],
    )


def remove_files(root: Path, files: RawFiles) -> None:
    """Delete links and files of some clips, and folders of videos that are empty then."""
    for path in (*files.links, *files.files):
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in (*files.links, *files.files)} - {root / "Raw"}:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def remove_lines(table: Path, clips: Collection[str]) -> int:
    """Take the lines of some clips out of a label.csv, and leave every other byte as it is.

    No copy of the old file is kept: its lines are to be forgotten.

    Returns
    -------
    int
        How many lines there were.

    Raises
    ------
    DatasetError
        The file is not UTF-8, has no columns video_id and clip_id, or is damaged: it cannot be told
        whose lines they are.
    """
    table = table.resolve()  # of a link, the file that it leads to
    delimiter = read_csv(table, ("video_id", "clip_id")).delimiter  # damaged, it is refused
    content = table.read_bytes()
    lines = list(io.StringIO(content.decode("utf-8-sig"), newline=""))
    reader = csv.reader(lines, delimiter=delimiter)
    header: list[str] = []
    while "clip_id" not in header:  # empty lines may stand before it
        header = [visible(name) for name in next(reader)]
    kept, removed, begin = lines[: reader.line_num], 0, reader.line_num
    for fields in reader:
        line: Line = dict.fromkeys(header, "") | dict(zip(header, fields, strict=False))
        if fields and clip_name(line) in clips:
            removed += 1
        else:
            kept += lines[begin : reader.line_num]
        begin = reader.line_num
    if removed:
        bom = BOM if content.startswith(BOM) else b""
        with replacing(table) as temporary:
            temporary.write_bytes(bom + "".join(kept).encode())
    return removed


def _inside(raw: Path, video: str) -> list[Path]:
    """What lies in the folders of a video; their names may be decomposed."""
    folders = [path for path in _listed(raw) if path.is_dir() and composed(path.name) == video]
    return [path for folder in folders for path in _listed(folder)]


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
