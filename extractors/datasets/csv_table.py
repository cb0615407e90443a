"""Tables that people keep: CSV as spreadsheets and programs write it, and nothing else."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from contracts.messages import message
from contracts.plain_files import plain
from extractors.datasets.csv_records import DatasetError, Row, read_records, visible

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}  # Excel's depends on the country
BOM = "\ufeff"
Line = dict[str, str]

# What programs write where there is nothing: pandas, R, SQL, spreadsheets. Spelt as they do it:
# "none" and "na" are words.
PLACEHOLDERS = frozenset(
    [
        "nan",
        "NaN",
        "NAN",
        "-nan",
        "-NaN",
        "NaT",
        "None",
        "NULL",
        "Null",
        "null",
        "N/A",
        "n/a",
        "NA",
        "<NA>",
        "#N/A",
        "#NA",
    ]
)


class CsvTable(NamedTuple):
    """A CSV file as it was read.

    Attributes
    ----------
    path : Path
    header : list of str
        As it stands in the file; `names` without spaces around them, and "" for columns without a
        name.
    rows : list of Row
        Those that are not empty; each has a field for every column.
    short : list of int
        Lines in which rows begin that had fewer fields than there are columns with a name.
    columns : tuple of str
        Those that were asked for and are there.
    delimiter, newline, bom : str
        How the file is written; `bom` is empty or a byte order mark.
    """

    path: Path
    header: list[str]
    rows: list[Row]
    short: list[int]
    columns: tuple[str, ...]
    delimiter: str
    newline: str
    bom: str

    @property
    def names(self) -> list[str]:
        """Names of the columns, in the order of the file."""
        return [visible(name) for name in self.header]

    def lines(self) -> list[tuple[int, Line]]:
        """Rows by column, each with the number of the line in which it begins."""
        names = self.names
        return [
            (number, {n: field for n, field in zip(names, fields, strict=True) if n})
            for number, fields in self.rows
        ]

    def warnings(self) -> list[str]:
        """Tell of rows that are too short: a field may have been forgotten in their midst."""
        if not self.short:
            return []
        return [
            message(
                f"{self.path.as_posix()}: {len(self.short)} of {len(self.rows)} rows have fewer "
                f"fields than columns, the first in line {self.short[0]}: what they lack at their "
                "end counts as empty"
            )
        ]


def read_csv(path: Path, *alternatives: Sequence[str]) -> CsvTable:
    """Read a CSV file that has all columns of one of the alternatives; it may have more.

    Commas, semicolons or tabs separate its columns: whichever gives the header these columns. Empty
    lines are skipped. A row may have fewer fields than the header, as Excel leaves out empty ones
    at the end (`CsvTable.warnings` counts them), and never more.

    Raises
    ------
    DatasetError
        It is not UTF-8, lacks columns, has two of one name, or a line is damaged.
    """
    text = _decoded(path)
    bom, text = text[: text.startswith(BOM)], text.removeprefix(BOM)
    if text.partition("\n")[0].endswith("\r\r"):  # Python on Windows, without newline=""
        text = text.replace("\r\r\n", "\r\n")
    delimiter, columns = _layout(text, alternatives)
    records = read_records(path, text, delimiter)
    (_, header), newline = next(records, (Row(1, []), "\n"))
    names = [visible(name) for name in header]
    missing = [name for name in columns if name not in names]
    if missing:
        has = f"; it has {', '.join(filter(None, names))}" if any(names) else ""
        raise DatasetError(
            f"{path} lacks the column {', '.join(missing)}; needed are {', '.join(columns)}{has}"
        )
    for name, times in Counter(filter(None, names)).items():
        if times > 1:
            raise DatasetError(
                f"{path} has {times} columns {name!r}: rename all but one, or delete them"
            )
    named = max(i for i, name in enumerate(names, 1) if name)
    rows, short = [], []
    for (number, fields), _ in records:
        if any(fields[named:]) or len(fields) > len(header):
            raise DatasetError(
                f"{path}, line {number}: more fields than columns ({len(fields)}, not {named}); a "
                f"text with {DELIMITERS[delimiter]} stands in double quotes"
            )
        if len(fields) < named:
            short.append(number)
        rows.append(Row(number, fields + [""] * (len(header) - len(fields))))
    return CsvTable(path, header, rows, short, tuple(columns), delimiter, newline or "\n", bom)


def read_lines(path: Path, columns: Sequence[str]) -> list[tuple[int, Line]]:
    """Read the rows of a CSV file by column, each with the number of the line that it begins in.

    Raises
    ------
    DatasetError
        As of `read_csv`.
    """
    return read_csv(path, columns).lines()


def filled(line: Line, column: str) -> str:
    """A field without spaces around it; empty where there is none, or a placeholder."""
    value = visible(line.get(column, ""))
    return "" if value in PLACEHOLDERS else value


def is_placeholder(value: str) -> bool:
    """Whether a field has something in it that means nothing: ``nan``, or what nobody can see."""
    return bool(value.strip()) and visible(value) in PLACEHOLDERS | {""}


def as_csv(rows: Iterable[Iterable[object]], delimiter: str = ",", newline: str = "\n") -> bytes:
    """Rows, the header first, as the content of a CSV file."""
    lines = []
    for row in rows:
        out = io.StringIO(newline="")
        # The ending decides which characters are quoted: both, or a text could break its line.
        csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(row)
        lines.append(out.getvalue().removesuffix("\r\n") + newline)
    return "".join(lines).encode()


def rewrite(table: CsvTable, header: Iterable[str], rows: Iterable[Iterable[object]]) -> Path:
    """Replace a table by another content, written as it was, and keep the old file beside it.

    Returns
    -------
    Path
        Where the old one is: ``label.csv.old``, or ``label.csv.old2`` and so on.
    """
    content = as_csv([header, *rows], table.delimiter, table.newline)
    path = table.path
    names = (path.with_name(f"{path.name}.old{n if n > 1 else ''}") for n in count(1))
    old = next(name for name in names if not name.exists())
    with replacing(old) as temporary:
        temporary.write_bytes(path.read_bytes())
    with replacing(path) as temporary:
        temporary.write_bytes(table.bom.encode() + content)
    return old


def _decoded(path: Path) -> str:
    content = plain(path).read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DatasetError(
            f"{path} is not UTF-8 (line {line}: {error.reason}); save it as UTF-8 (Excel: CSV "
            "UTF-8)"
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DatasetError(f"{path}, line {line} is no text (it has a zero byte)")
    return text


def _layout(text: str, alternatives: Sequence[Sequence[str]]) -> tuple[str, Sequence[str]]:
    """What separates the columns, and the alternative that the header has, or comes closest to."""
    candidates = []
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            header = next((row for row in reader if any(map(visible, row))), [])
        except csv.Error:  # the strict reader says what is wrong
            header = []
        names = {visible(name) for name in header}
        for columns in alternatives:
            there = sum(name in names for name in columns)
            candidates.append((there == len(columns), there, (delimiter, columns)))
    return max(candidates, key=lambda candidate: candidate[:2])[2]  # the first of the best
