"""What was done to damaged clips, as a table for the terminal."""

from collections.abc import Mapping
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.table import Table

from extractors.damage.registry import DAMAGES


def damage_table(
    damages: Mapping[str, float], clips: Mapping[str, Mapping[str, Mapping[str, float] | None]]
) -> Table:
    """Lay out one row per damage: what was asked, to how many clips it was done, what came of it.

    Parameters
    ----------
    damages : mapping of name to severity
    clips : mapping
        What was realised, by clip and damage; None where there was nothing to damage.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("damage")
    table.add_column("asked for")
    for name in ("clips", "nothing\nto damage"):
        table.add_column(name, justify="right")
    table.add_column("realised")
    for name in ("median", "least", "most"):
        table.add_column(name, justify="right")
    for name, severity in damages.items():
        kind = DAMAGES[name]
        answers = [realised[name] for realised in clips.values() if name in realised]
        values = [answer[kind.measure] for answer in answers if answer is not None]
        counts = (str(len(values)), str(len(answers) - len(values)))
        spread = (median(values), min(values), max(values)) if values else ()
        table.add_row(
            name,
            f"{severity:g} {kind.unit}",
            *counts,
            kind.measure,
            *(f"{value:.3g}" for value in spread),
        )
    return table
