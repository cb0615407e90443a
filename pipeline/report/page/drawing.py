"""Figures as SVG inside a page: told in words too, and in the page's own colours, light or dark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from pipeline.report.figures import STYLES
from pipeline.report.look import METADATA, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stand for colours that the style sheet decides.
INK, GRID = "#010101", "#020202"
COLOURS = tuple(colour for colour, _ in STYLES)
_MORE = ("P--", "*-", "<-.", ">:", "h-", "p--", "8-.")  # markers and lines of a second round
_WIDTH, _HEIGHT = 3.9, 2.7  # inches; a phone shows one beside another's edge, never smaller


def style(place: int) -> tuple[str, str]:
    """Return colour, and marker with line, of the model at a place; 14 differ."""
    colour, line = STYLES[place % len(STYLES)]
    return colour, line if place % (2 * len(STYLES)) < len(STYLES) else _MORE[place % len(_MORE)]


@contextmanager
def axes(name: str, *, width: float = _WIDTH, height: float = _HEIGHT) -> Iterator[Drawn]:
    """Draw one figure.

    Parameters
    ----------
    name : str
        Unique in the page: ids inside the SVG begin with it.
    width, height : float
        Inches.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    titled = {"axes.titlesize": 10, "axes.titleweight": "bold"}
    with rc_context(look(name, INK, GRID) | titled):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield Drawn(name, figure, figure.subplots())


class Drawn:
    """A figure that is being drawn."""

    def __init__(self, name: str, figure: Figure, axes: Axes) -> None:
        self.name, self.figure, self.axes = name, figure, axes

    def svg(self, title: str, description: str) -> Markup:
        """Return it for a page; inside the block of `axes` only.

        Parameters
        ----------
        title, description : str
            What it is, and what it shows, for those who do not see it.
        """
        # `savefig` draws a figure that is to be laid out twice, the first time for its layout.
        if (layout := self.figure.get_layout_engine()) is not None:
            layout.execute(self.figure)
        self.figure.set_layout_engine(None)
        written = StringIO()
        self.figure.savefig(written, format="svg", transparent=True, metadata=METADATA["svg"])
        whole = written.getvalue()
        inside = whole[whole.index(">", whole.index("<svg ")) + 1 :]
        inside = re.sub(r"<style.*?</style>", "", inside, flags=re.DOTALL)  # is in the page's own
        inside = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self.name}-", inside)
        inside = inside.replace(INK, "currentColor").replace(GRID, "var(--grid)")
        for place, colour in enumerate(COLOURS):
            inside = inside.replace(colour, f"var(--series-{place})")
        width, height = self.figure.get_size_inches()
        return Markup(
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="0 0 {72 * width:g} {72 * height:g}" style="max-width: {width:g}in" '
            f'role="img" aria-labelledby="{self.name}-title {self.name}-description">'
            f'<title id="{self.name}-title">{escape(title)}</title>'
            f'<desc id="{self.name}-description">{escape(description)}</desc>{inside.strip()}'
        )


def legend_below(drawn: Drawn) -> None:
    """Put the legend below the axes, where no line is; what is drawn in front comes first."""
    handles, labels = drawn.axes.get_legend_handles_labels()
    ordered = sorted(zip(handles, labels, strict=True), key=lambda pair: -pair[0].get_zorder())
    drawn.figure.legend(
        [handle for handle, _ in ordered],
        [label for _, label in ordered],
        loc="outside lower center",
        ncols=3,
        fontsize=8,
        handlelength=2.6,
    )


def ends(name: str, x: Sequence[float], y: Sequence[float | None], digits: int = 3) -> str:
    """Say in words where a line begins and where it ends."""
    there = [(at, value) for at, value in zip(x, y, strict=True) if value is not None]
    if not there:
        return f"{name}: undefined."
    (first, begin), (last, end) = there[0], there[-1]
    return f"{name}: {begin:.{digits}f} at {first:g}, {end:.{digits}f} at {last:g}."
