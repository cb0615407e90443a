"""label.csv: which clips there are, what is said in them, their split, and their labels."""

import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from contracts.messages import message, some
from contracts.quarantine import Rejected
from contracts.schemas import SPLITS
from extractors.datasets.csv_records import DatasetError as DatasetError
from extractors.datasets.csv_records import visible
from extractors.datasets.csv_table import Line, filled, is_placeholder, read_csv
from extractors.datasets.probing import STAGE
from extractors.errors import SetupError

COLUMNS = ("video_id", "clip_id", "text", "label", "mode")
LABELS = ("label", "label_t", "label_a", "label_v")  # columns of the manifest


class Labels(NamedTuple):
    """What label.csv says.

    Attributes
    ----------
    rows : list of dict
        The columns of `contracts.schemas.MANIFEST` that label.csv tells.
    rejected : list of Rejected
        Lines that cannot be used, with the reason.
    warnings : list of str
    """

    rows: list[dict[str, Any]]
    rejected: list[Rejected]
    warnings: list[str]


def read_labels(root: Path, language: str) -> Labels:
    """Read a dataset's label.csv as rows of the manifest; the clips are not opened.

    Parameters
    ----------
    root : Path
        Folder of the dataset. Its label.csv has at least the columns in `COLUMNS`.
    language : str
        Spoken in the clips, ISO 639 code.

    Returns
    -------
    Labels

    Raises
    ------
    DatasetError
        There is no label.csv, it is not UTF-8, columns are missing, or a line is damaged.
    """
    path = root / "label.csv"
    if not path.is_file():
        raise DatasetError(f"{path} not found; a dataset needs label.csv and Raw/ in its root")
    table = read_csv(path, COLUMNS)
    numbered = table.lines()
    lines = [line for _, line in numbered]
    counts = Counter(clip_name(line) for line in lines)
    rows = []
    rejected = []
    for line in lines:
        clip_id = clip_name(line)
        try:
            if counts[clip_id] > 1:
                raise ValueError(f"named {counts[clip_id]} times in label.csv")
            rows.append(_row(line, clip_id, language))
        except ValueError as error:
            rejected.append(Rejected(clip_id, f"{root.as_posix()}/label.csv", STAGE, str(error)))
    return Labels(rows, rejected, [*table.warnings(), *_placeholders(path, numbered)])


def refuse_other(table: Path, content: bytes) -> None:
    """Raise SetupError if a table exists with another content: somebody may have edited it."""
    if table.exists() and table.read_bytes() != content:
        raise SetupError(
            f"{table} is there already and says something else than would be written: move it "
            "away, then run this again"
        )


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC); some file systems store another than label.csv."""
    return unicodedata.normalize("NFC", name)


def clip_name(line: Line) -> str:
    """``video_id/clip_id`` of a line of label.csv."""
    return composed(f"{line['video_id'].strip()}/{line['clip_id'].strip()}")


def _placeholders(path: Path, lines: list[tuple[int, Line]]) -> list[str]:
    """Tell of texts that are no words, such as nan: the sound is listened to instead."""
    found = [(number, line["text"]) for number, line in lines if is_placeholder(line["text"])]
    if not found:
        return []
    kinds = sorted({visible(text) or "invisible characters" for _, text in found})
    return [
        message(
            f"{len(found)} texts in {path.as_posix()} are placeholders ({', '.join(kinds)}) and "
            f"count as empty, the first in line {found[0][0]}"
        )
    ]


def _row(line: Line, clip_id: str, language: str) -> dict[str, Any]:
    """Columns of the manifest from one line of label.csv.

    Raises
    ------
    ValueError
        A field cannot be used; the message says what is wrong with it.
    """
    video = line["video_id"].strip()
    for name in (video, line["clip_id"].strip()):
        if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise ValueError(f"{name!r} is not a plain name: it could lead out of the dataset")
    split = visible(line["mode"])
    if split not in SPLITS:
        raise ValueError(f"mode is {split!r}, not one of {', '.join(SPLITS)}")
    start, end = number(line, "start_s"), number(line, "end_s")
    if (start is None) is not (end is None) or (start or 0) < 0 or (end or 1) <= (start or 0):
        raise ValueError(f"start_s {start} and end_s {end} are no stretch of a video")
    return {
        "clip_id": clip_id,
        "start_s": start,
        "end_s": end,
        "language": language,
        "group": filled(line, "speaker") or video,
        "split": split,
        "text": filled(line, "text"),
        "label": number(line, "label"),
        "label_t": number(line, "label_T"),
        "label_a": number(line, "label_A"),
        "label_v": number(line, "label_V"),
    }


def number(line: Line, column: str) -> float | None:
    """A number, or None if the field is empty or a placeholder, as pandas writes nan for none.

    Raises
    ------
    ValueError
        It is none, or one that the manifest cannot hold.
    """
    value = filled(line, column)
    if not value or value.lower() == "nan":
        return None
    try:
        number = float("" if "_" in value else value)  # Python reads 1_0 as 10
    except ValueError:
        comma = re.fullmatch(r"[-+]?\d+,\d+", value)
        hint = f"; is it {value.replace(',', '.')}? A point is needed" if comma else ""
        raise ValueError(f"{column} is {value!r}, not a number{hint}") from None
    if not abs(number) <= float(np.finfo(np.float32).max):  # the manifest's type
        raise ValueError(f"{column} is {value!r}, not a finite number")
    return number


def outside(manifest: pa.Table, label_range: tuple[float, float]) -> list[str]:
    """Find labels outside of the dataset's range.

    Parameters
    ----------
    manifest : pa.Table
        As `contracts.schemas.MANIFEST`.
    label_range : (float, float)
        Lowest and highest label that the dataset can have.

    Returns
    -------
    list of str
        One message per column of labels that has some.
    """
    low, high = label_range
    messages = []
    for column in LABELS:
        wrong = [
            f"{row['clip_id']} ({row[column]:g})"
            for row in manifest.select(["clip_id", column]).to_pylist()
            if row[column] is not None and not low <= row[column] <= high
        ]
        if wrong:
            messages.append(
                message(
                    f"{column} is not within {low:g} to {high:g}, the dataset's label_range: "
                    f"{some(wrong)}"
                )
            )
    return messages
