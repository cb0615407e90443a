"""Clips that cannot be used, and why: `quarantine/<stage>.csv`."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing


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
    """Read a file that `write_quarantine` wrote."""
    with Path(path).open(newline="", encoding="utf-8") as f:
        return [Rejected(**row) for row in csv.DictReader(f)]
