"""label.csv: which clips there are, what is said in them, their split, and their labels."""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from contracts.messages import message
from contracts.quarantine import Rejected
from contracts.schemas import SPLITS
from extractors.datasets.probing import STAGE
from extractors.errors import SetupError

COLUMNS = ("video_id", "clip_id", "text", "label", "mode")
LABELS = ("label", "label_t", "label_a", "label_v")  # columns of the manifest
Line = dict[str, str | None]
REST = "\0"  # key of the fields that a line has beyond the header


class DatasetError(ValueError):
    """A dataset folder that cannot be read at all."""


def read_labels(root: Path, language: str) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """Read a dataset's label.csv as rows of the manifest; the clips are not opened.

    Parameters
    ----------
    root : Path
        Folder of the dataset. Its label.csv has at least the columns in `COLUMNS`.
    language : str
        Spoken in the clips, ISO 639 code.

    Returns
    -------
    list of dict
        The columns of `contracts.schemas.MANIFEST` that label.csv tells.
    list of Rejected
        Lines that cannot be used, with the reason.

    Raises
    ------
    DatasetError
        There is no label.csv, it is not UTF-8, or columns are missing.
    """
    path = root / "label.csv"
    if not path.is_file():
        raise DatasetError(f"{path} not found; a dataset needs label.csv and Raw/ in its root")
    lines = [line for _, line in read_lines(path)]
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
    return rows, rejected


def read_lines(
    path: Path, columns: Sequence[str] = COLUMNS, *, delimiter: str = ","
) -> list[tuple[int, Line]]:
    """Read the lines of a CSV file, each with its number.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Columns that the file must have; it may have more.
    delimiter : str
        What separates its columns.

    Returns
    -------
    list of (int, dict)
        Line number, and fields by column; fields beyond the header are under `REST`.

    Raises
    ------
    DatasetError
        The file is not UTF-8, or lacks one of the columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey=REST, delimiter=delimiter)
            names = reader.fieldnames or ()
            missing = [name for name in columns if name not in names]
            if missing:
                hint = message("; its columns are separated by ;, save it with commas")
                raise DatasetError(
                    f"{path} lacks the column {', '.join(missing)}; needed are "
                    f"{', '.join(columns)}{hint if any(';' in name for name in names) else ''}"
                )
            return [(reader.line_num, line) for line in reader]
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not UTF-8 ({error.reason}); save it as UTF-8 (Excel: CSV UTF-8)"
        ) from error
    except csv.Error as error:
        raise DatasetError(f"{path} is not a CSV file: {error}") from error


def as_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows, the header first, as the content of a CSV file."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


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
    return composed(f"{(line['video_id'] or '').strip()}/{(line['clip_id'] or '').strip()}")


def _row(line: Line, clip_id: str, language: str) -> dict[str, Any]:
    """Columns of the manifest from one line of label.csv.

    Raises
    ------
    ValueError
        A field cannot be used; the message says what is wrong with it.
    """
    video = (line["video_id"] or "").strip()
    for name in (video, (line["clip_id"] or "").strip()):
        if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise ValueError(f"{name!r} is not a plain name: it could lead out of the dataset")
    split = (line["mode"] or "").strip()
    if split not in SPLITS:
        raise ValueError(f"mode is {split!r}, not one of {', '.join(SPLITS)}")
    start, end = _number(line, "start_s"), _number(line, "end_s")
    if (start is None) is not (end is None) or (start or 0) < 0 or (end or 1) <= (start or 0):
        raise ValueError(f"start_s {start} and end_s {end} are no stretch of a video")
    return {
        "clip_id": clip_id,
        "start_s": start,
        "end_s": end,
        "language": language,
        "group": (line.get("speaker") or "").strip() or video,
        "split": split,
        "text": (line["text"] or "").strip(),
        "label": _label(line, "label"),
        "label_t": _label(line, "label_T"),
        "label_a": _label(line, "label_A"),
        "label_v": _label(line, "label_V"),
    }


def _label(line: Line, column: str) -> float | None:
    """A label, or None if the field is empty or nan, which is what pandas writes for none."""
    unknown = (line.get(column) or "").strip().lower() == "nan"
    return None if unknown else _number(line, column)


def _number(line: Line, column: str) -> float | None:
    value = (line.get(column) or "").strip()
    if not value:
        return None
    try:
        number = float("" if "_" in value else value)  # Python reads 1_0 as 10
    except ValueError:
        raise ValueError(f"{column} is {value!r}, not a number") from None
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
            more = message(f" and {len(wrong) - 3} more") if len(wrong) > 3 else ""
            messages.append(
                message(
                    f"{column} is not within {low:g} to {high:g}, the dataset's label_range: "
                    f"{', '.join(wrong[:3])}{more}"
                )
            )
    return messages
