"""Clips that cannot be used, and why: `quarantine/<stage>.csv`."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from contracts.files import REMEDY, DamagedFile, replacing


class Rejected(NamedTuple):
    """A clip that cannot be used, the stage that rejected it, and the reason."""

    clip_id: str
    path: str
    stage: str
    reason: str


def write_quarantine(rows: Iterable[Rejected], path: str | Path) -> None:
    """Write rejected clips as CSV; without any, the file has a header only."""
    with replacing(Path(path)) as temporary, temporary.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(Rejected._fields)
        writer.writerows(rows)


def read_quarantine(path: str | Path) -> list[Rejected]:
    """Read a file that `write_quarantine` wrote.

    Raises
    ------
    OSError
        It cannot be read; `DamagedFile` if it is torn, or another table.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as f:
            header, *rows = csv.reader(f, strict=True)
        if tuple(header) != Rejected._fields:
            raise ValueError(f"its columns are {', '.join(header)[:100]}")
        return [Rejected(*row) for row in rows]
    except (csv.Error, ValueError, TypeError) as error:
        raise DamagedFile(f"{path} is no table of rejected clips ({error}): {REMEDY}") from error
