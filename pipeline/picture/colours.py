"""Colours of a picture: those of the report, which its page shows lighter where it is dark."""

from pipeline.report.figures import STYLES

COLOURS = tuple(colour for colour, _ in STYLES)
POSITIVE, NEGATIVE = COLOURS[0], COLOURS[2]  # what moved the answer up, and down
OBSERVED = {"text": COLOURS[5], "audio": COLOURS[1], "vision": COLOURS[3]}
QUIET = COLOURS[4]  # what is not observed, not read, or only for comparison


def of(contribution: float) -> str:
    """Colour of a contribution."""
    return POSITIVE if contribution >= 0 else NEGATIVE
