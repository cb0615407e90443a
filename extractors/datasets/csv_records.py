"""Rows of CSV, read strictly: a table that is damaged is refused with the number of the line.

Quotes are those of RFC 4180: around a whole field, and doubled inside of it. Without such a rule a
quote that is not closed makes one text of all the lines after it.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

# Characters that show nothing: joiners, marks of direction and of byte order, fillers, spaces.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\ufeff\uffa0"
    + "".join(map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]))
    + "".join(filter(str.isspace, map(chr, range(0x3001))))
)
_NEWLINE = re.compile(r"\r\n|\r|\n")


class DatasetError(ValueError):
    """A dataset's folder, or a table, that cannot be read at all."""


class Row(NamedTuple):
    """Fields of a row, as they stand in the file, and the line in which it begins."""

    number: int
    fields: list[str]


def visible(value: str) -> str:
    """A text without spaces and invisible characters around it; within, they have a meaning."""
    return value.strip(_INVISIBLE)


def read_records(path: Path, text: str, delimiter: str) -> Iterator[tuple[Row, str]]:
    """Rows that are not empty, each with the newline that ends it.

    Raises
    ------
    DatasetError
        A quote or a newline stands where none can.
    """
    begin, taken = 1, list[str]()

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    quoted = re.compile(f'(?<![^{delimiter}\r\n])"(?:[^"]|"")*+"(?=[{delimiter}\r\n]|\\Z)')
    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    ends = set()
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            _refuse_quote(path, _Record("".join(taken), begin, delimiter, quoted), str(error))
        if fields is None:
            return
        record = _Record("".join(taken), begin, delimiter, quoted)
        if '"' in quoted.sub("", record.text):  # the module csv takes it as it is
            _refuse_quote(path, record, "a quote")
        if len(taken) > 1:
            _refuse_swallowed(path, record, len(fields))
        end = re.search(r"(\r\n|\r|\n)?\Z", record.text)
        ends.add(newline := end[0] if end else "")
        if "\r" in ends and len(ends - {""}) > 1:
            raise DatasetError(
                f"{path}, line {begin}: a carriage return stands in the midst of a line: put the "
                "text that it is in between double quotes, or delete it"
            )
        if any(map(visible, fields)):
            yield Row(begin, fields), newline
        begin += len(taken)
        taken.clear()


class _Record(NamedTuple):
    """What was read for one row, from its line `begin` on; `quoted` matches a field in quotes."""

    text: str
    begin: int
    delimiter: str
    quoted: re.Pattern[str]

    def line(self, place: int) -> int:
        """Number of the line in which a character stands."""
        return self.begin + len(_NEWLINE.findall(self.text[:place]))


def _refuse_quote(path: Path, record: _Record, reason: str) -> NoReturn:
    """Say which quote is wrong."""
    rest = record.quoted.sub(lambda match: "x" * len(match[0]), record.text)
    place = rest.find('"')
    if place < 0:
        raise DatasetError(f"{path}, line {record.begin} is not CSV: {reason}")
    where = f"{path}, line {record.line(place)}: a double quote"
    before = re.split(rf"[{record.delimiter}\r\n]", rest[:place])[-1]
    if before.strip():
        raise DatasetError(
            f"{where} inside of a text; double it, and put the whole text between two more"
        )
    if before:
        raise DatasetError(f"{where} with a space before it; delete the space")
    closed = re.compile(r'"(?:[^"]|"")*+"').match(record.text, place)
    if closed:
        last = record.line(closed.end() - 1)
        how = f"text follows the one that closes it, in line {last}"
    elif "limit" in reason:
        how = f"none closes it within {csv.field_size_limit()} characters"
    else:
        how = "none closes it"
    raise DatasetError(
        f"{where} opens here, and {how}; close it behind its text, and double quotes inside of a "
        "text"
    )


def _refuse_swallowed(path: Path, record: _Record, width: int) -> None:
    """Refuse a text over several lines each of which looks like a row of its own.

    That is what a quote that was not closed makes of the rows after it, up to the next quote. A
    text may have line breaks and commas. Only one in which every line has as many as a row, with
    no space after them, is not believed.
    """
    left, after = 0, 0  # columns before the text; the end of the one before it
    for match in record.quoted.finditer(record.text):
        left += record.text.count(record.delimiter, after, match.start())
        after = match.end()
        parts = [part for part in _NEWLINE.split(match[0]) if part]
        if len(parts) < 2 or width < 2:
            continue
        tight = re.compile(rf"{record.delimiter}(?!\s)")
        inside = re.compile(rf"{record.delimiter}(?=[^\s\"])")  # and not the end of a verse
        first, *inner, last = parts
        if (
            len(tight.findall(first)) >= width - 1 - left
            and all(len(tight.findall(part)) >= width - 1 for part in inner)
            and len(inside.findall(last)) >= left
            and (left or inside.search(first))
        ):
            begin, end = record.line(match.start()), record.line(match.end() - 1)
            raise DatasetError(
                f"{path}, line {begin}: a double quote opens here and closes in line {end}, and "
                "each of these lines looks like a row of its own; close it behind its text, or "
                "write a text of several lines in one"
            )
