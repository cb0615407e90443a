"""`lnln features`: what is in feature tables."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.paths import FEATURES


def features(
    folder: Annotated[Path, typer.Argument(help="What `lnln extract` or the stages wrote.")] = (
        FEATURES
    ),
) -> None:
    """Describe feature tables: names, units, share observed and mean of every column.

    Example: lnln features outputs/features
    """
    import rich
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from contracts.printable import printable
    from extractors.describing import describe_features

    try:
        described = describe_features(folder)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    for modality in described:
        info = modality.info
        rows = f"{modality.clips} clips, {modality.rows} rows, {modality.observed:.1%} observed"
        by = f"; {info.source}" if info.source else ""
        title = Text(printable(f"{info.modality}: {rows}{by}"), "table.title")
        table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
        for name in ("column", "unit", "mean over observed rows"):
            table.add_column(name)
        units = info.units or [""] * len(info.names)
        for name, unit, mean in zip(info.names, units, modality.means, strict=True):
            table.add_row(Text(printable(name)), Text(printable(unit)), f"{mean:.4g}")
        rich.print(table)
