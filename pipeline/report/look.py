"""How figures look, and that the same figure is the same bytes whenever it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of `savefig`, by kind of file: nothing of when and by what it was written.
METADATA: dict[str, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "png": {"Software": None},
}


def look(name: str, ink: str = "#1b1f24", grid: str = "#d5d9de") -> Any:
    """Settings for `matplotlib.rc_context`.

    Parameters
    ----------
    name : str
        Of the figure: what an SVG calls its parts is made of it, and not by chance.
    ink, grid : str
        Colours of what is written, and of the lines behind it.
    """
    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    return {
        "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
        "svg.hashsalt": name,
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": grid,
        "legend.frameon": False,
        **dict.fromkeys(inked, ink),
    }


def settle(figure: Figure) -> None:
    """Lay a figure out, once and for all.

    The solver of the layout differs in the last bits from one time to the next, and the names of
    parts of an SVG are made of places: they are rounded.
    """
    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position(original=True).bounds
        axes.set_position(tuple(round(side, 4) for side in (left, bottom, width, height)))
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((round(x, 4), round(y, 4)))
