"""What a page is made of; `templates/page.html.jinja` says how each part looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from markupsafe import Markup

UNDEFINED = "undefined"  # how a value that does not exist is written


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes
    ----------
    text : str
    below : str
        Smaller, on a line of its own.
    marked : bool
        Whether it is the best of its column beyond doubt.
    share : float or None
        Of 0 to 1: how dark its ground is.
    """

    text: str
    below: str = ""
    marked: bool = False
    share: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows whose first cell names them."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Figures:
    """Drawings side by side, as many as there is room for."""

    kind: ClassVar[str] = "figures"
    caption: str
    drawings: Sequence[Markup]
    size: Literal["small", "usual", "wide"] = "usual"


@dataclass(frozen=True)
class Text:
    """Paragraphs."""

    kind: ClassVar[str] = "text"
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    kind: ClassVar[str] = "points"
    points: Sequence[str]


@dataclass(frozen=True)
class Clip:
    """One clip: a picture of it, what was said, and what annotators and model made of it."""

    name: str
    picture: str | None  # data URI
    said: str
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Clips:
    """Clips, one below the other."""

    kind: ClassVar[str] = "clips"
    clips: Sequence[Clip]


@dataclass(frozen=True)
class Folded:
    """Parts that are shown when their title is chosen."""

    kind: ClassVar[str] = "folded"
    title: str
    parts: Sequence[Part]


Part = Table | Figures | Text | Points | Clips | Folded


@dataclass(frozen=True)
class Section:
    """A chapter of the page."""

    name: str  # in its address
    title: str
    parts: Sequence[Part]


def row(name: str, *texts: str) -> list[Cell]:
    """Make a table's row of plain texts."""
    return [Cell(text) for text in (name, *texts)]


def number(value: float | None, digits: int = 3) -> str:
    """Write a number, or that there is none."""
    return UNDEFINED if value is None else f"{value:.{digits}f}"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """Write an interval; nothing where there is none."""
    return "" if low is None or high is None else f"{low:.{digits}f} … {high:.{digits}f}"
