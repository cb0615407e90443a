"""Tables in Markdown files that this project writes, read back."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.report.page.parts import Cell, Table


def tables(path: Path, caption: str) -> list[Table]:
    """Read every table of a Markdown file.

    Parameters
    ----------
    path : Path
    caption : str
        Of the tables; the heading above a table is added to it.
    """
    found: list[Table] = []
    heading, lines = "", []
    for line in [*path.read_text("utf-8").splitlines(), ""]:
        if line.startswith("|"):
            lines.append(_cells(line))
            continue
        if len(lines) > 2:  # names, dashes, rows
            columns, _, *rows = lines
            told = ": ".join(part for part in (caption, heading) if part)
            found.append(Table(told, columns, [[Cell(text) for text in cells] for cells in rows]))
        lines = []
        if line.startswith("## "):
            heading = line.lstrip("# ")
    return found


def _cells(line: str) -> list[str]:
    """Split a row at its bars, but for escaped ones; bold and code are shown plain."""
    inside = line.strip().removeprefix("|").removesuffix("|")
    cells = re.split(r"(?<!\\)\|", inside)
    return [re.sub(r"\*\*|`", "", cell).replace("\\|", "|").strip() for cell in cells]
