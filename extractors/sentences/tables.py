"""Any table of texts and scores as a corpus of rated sentences: CSV, TSV or Parquet."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from contracts.messages import message
from contracts.parquet import read_table, write_table
from contracts.schemas import SENTENCES, SPLITS
from extractors.datasets.csv_records import DatasetError, visible
from extractors.datasets.csv_table import PLACEHOLDERS, read_lines

DELIMITED = (".csv", ".tsv", ".tab")
PARQUET = ".parquet"


class Columns(NamedTuple):
    """Names of a table's columns; None: the table has no such column."""

    text: str
    label: str
    source: str | None = None  # what kind of text it is; without it there is one source
    deviation: str | None = None  # of the ratings
    split: str | None = None  # train, valid or test; without it all is train
    id: str | None = None  # without it sentences are numbered by their rows


class Imported(NamedTuple):
    """How many sentences of each split were written, and what was left out, and why."""

    sentences: dict[str, int]
    sources: dict[str, int]
    warnings: list[str]


class _LeftOut(ValueError):
    """A row that cannot be used; the message says why, and is counted."""


def import_sentences(
    file: str | Path, out: str | Path, columns: Columns, label_range: tuple[float, float]
) -> Imported:
    """Write a table of texts and scores as `contracts.schemas.SENTENCES`.

    Parameters
    ----------
    file : path
        .csv or .tsv, UTF-8 with a header; or .parquet.
    out : path
        A table in this place is replaced.
    columns : Columns
    label_range : (float, float)
        Least and greatest score that there can be.

    Returns
    -------
    Imported
        Rows are left out, counted and told with the first of each kind: without a text, without a
        score, with a score that is no number, and those that another row repeats, score and all.
        Texts that were scored more than once stay, and are told as well.

    Raises
    ------
    DatasetError
        The file is of another kind, is not UTF-8, lacks a column, has a damaged line, a score
        outside of the range, a split that is none or an id twice, or nothing in it can be used.
    FileNotFoundError
        There is no such file.
    """
    file = Path(file)
    rows: list[dict[str, Any]] = []
    seen: set[tuple[Any, ...]] = set()
    places: dict[str, int] = {}  # of ids
    left_out: dict[str, list[int]] = defaultdict(list)
    for number, line in _rows(file, columns):
        try:
            row = _sentence(line, number, columns, label_range, file)
            content = tuple(row[name] for name in SENTENCES.names[1:])
            if content in seen:
                raise _LeftOut("repeat another row")
        except _LeftOut as reason:
            left_out[str(reason)].append(number)
            continue
        if row["sentence_id"] in places:
            raise DatasetError(
                f"{file}: the id {row['sentence_id']!r} is there twice, in rows "
                f"{places[row['sentence_id']]} and {number}: name another column as --id, or none"
            )
        seen.add(content)
        places[row["sentence_id"]] = number
        rows.append(row)
    if not rows:
        reasons = "; ".join(f"{len(found)} {why}" for why, found in left_out.items())
        raise DatasetError(f"{file}: no row can be used ({reasons or 'it has none'})")
    table = pa.Table.from_pylist(rows, schema=SENTENCES)
    write_table(table, out)
    warnings = [
        message(f"{len(found)} rows {why} and are left out (the first: row {found[0]})")
        for why, found in left_out.items()
    ]
    repeated = sum(count - 1 for count in Counter(row["text"] for row in rows).values())
    if repeated:
        warnings.append(message(f"{repeated} texts are there again with another score; all stay"))
    counted = Counter(row["split"] for row in rows)
    return Imported(
        {split: counted[split] for split in SPLITS},
        dict(Counter(row["source"] for row in rows)),
        warnings,
    )


def _rows(file: Path, columns: Columns) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of a table, each with its number, counted from 1 without the header."""
    needed = [name for name in columns if name is not None]
    kind = file.suffix.lower()
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file")
    if kind in DELIMITED:
        yield from enumerate((line for _, line in read_lines(file, needed)), start=1)
    elif kind == PARQUET:
        try:
            table = read_table(file)
        except (OSError, pa.ArrowException) as error:
            raise DatasetError(f"{file} is no Parquet file: {error}") from error
        missing = [name for name in needed if name not in table.column_names]
        if missing:
            raise DatasetError(
                f"{file} lacks the column {', '.join(missing)}; it has "
                f"{', '.join(table.column_names)}"
            )
        yield from enumerate(table.select(list(dict.fromkeys(needed))).to_pylist(), start=1)
    else:
        raise DatasetError(
            f"{file}: {kind or 'a file without an extension'} is not read; save the table as "
            f"{', '.join([*DELIMITED, PARQUET])}"
        )


def _sentence(
    line: Mapping[str, Any],
    number: int,
    columns: Columns,
    label_range: tuple[float, float],
    file: Path,
) -> dict[str, Any]:
    """Make a row of `SENTENCES` of a row of the table.

    Raises
    ------
    _LeftOut
        It has no text, or no score.
    DatasetError
        Its score is outside of the range, or its split is none.
    """
    low, high = label_range
    text = " ".join(_text(line[columns.text]).split())
    if not text:
        raise _LeftOut("have no text")
    label = _number(line[columns.label], "score")
    if label is None:
        raise _LeftOut("have no score")
    if not low <= label <= high:
        raise DatasetError(
            f"{file}: row {number} has the score {label:g}, which is not within {low:g} to "
            f"{high:g}: give the scale as --label-range"
        )
    split = _text(line[columns.split]) if columns.split else "train"
    if split not in SPLITS:
        raise DatasetError(
            f"{file}: row {number} has the split {split!r}, not one of {', '.join(SPLITS)}"
        )
    deviation = line[columns.deviation] if columns.deviation else None
    return {
        "sentence_id": (_text(line[columns.id]) if columns.id else "") or str(number),
        "source": (_text(line[columns.source]) if columns.source else "") or "all",
        "text": text,
        "label": label,
        "deviation": _number(deviation, "deviation"),
        "split": split,
    }


def _text(value: Any) -> str:
    """A field as text; empty where there is none, or a placeholder."""
    text = "" if value is None else visible(str(value))
    return "" if text in PLACEHOLDERS else text


def _number(value: Any, name: str) -> float | None:
    """A number, or None where there is none; pandas writes NaN for that."""
    text = _text(value)
    if not text or text.lower() == "nan":
        return None
    try:
        number = float("" if "_" in text else text)  # Python reads 1_0 as 10
    except ValueError:
        raise _LeftOut(f"have a {name} that is no number") from None
    if not math.isfinite(number) or abs(number) > float(np.finfo(np.float32).max):
        raise _LeftOut(f"have a {name} that is not finite")
    return number
