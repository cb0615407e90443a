"""`lnln cache`: what is kept of single clips and interrupted trainings, and how to be rid of it."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.calling import Command
from pipeline.paths import PARAMS
from pipeline.telling import say

if TYPE_CHECKING:
    from extractors.workers.cache import Use

app = typer.Typer(
    help="What is kept of single clips and interrupted trainings: size, hit rate, deleting it."
)


@app.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    """Show what the cache holds, one row per extractor and version of it.

    The cache is the folder or URL that $LNLN_CACHE names, else run.cache of params.yaml. Below it
    stands what trainings left that were interrupted (run.resume).

    Example: lnln cache
    """
    if context.invoked_subcommand is None:
        _print(*_uses(None))
        _trainings(None)


@app.command(cls=Command)
def prune(
    days: Annotated[
        float, typer.Option(min=0, help="Delete what no run has used for so many days; 0: all.")
    ] = 30,
) -> None:
    """Delete features that no run has used lately; the next run that needs them makes them again.

    So are the states of trainings that were interrupted so long ago: they would start anew.

    Example: lnln cache prune --days 0
    """
    url, deleted = _uses(days)
    _print(url, deleted, "deleted")
    _trainings(days)


def _trainings(prune_days: float | None) -> None:
    """Tell of the states of interrupted trainings in this project, if any, or delete them."""
    from lnln.training.resume import abandoned
    from pipeline.checking import ParamsError
    from pipeline.params import load_params

    if not PARAMS.exists():
        return
    try:
        folder = Path(load_params().run.resume)
        delete = prune_days is not None
        count, size = abandoned(folder, prune_days or 0, delete=delete)
    except (OSError, ParamsError) as error:
        sys.exit(f"error: states of interrupted trainings cannot be looked for: {error}")
    if count:
        say(
            f"{'kept' if prune_days is None else 'deleted'}: {folder}: states of {count} "
            f"interrupted trainings, {size / 1e6:.1f} MB"
        )


def _uses(prune_days: float | None) -> "tuple[str, list[Use]]":
    from extractors.errors import SetupError
    from extractors.workers.cache import VARIABLE
    from extractors.workers.opening import opened
    from pipeline.checking import ParamsError
    from pipeline.params import load_params

    try:
        url = os.environ.get(VARIABLE) or (load_params().run.cache if PARAMS.exists() else "")
        if not url:
            sys.exit(
                f"error: no cache here: set {VARIABLE} to its folder or URL, or run this in a "
                "project whose params.yaml has run.cache"
            )
        with opened(url) as cache:
            return cache.url, cache.uses() if prune_days is None else cache.prune(prune_days)
    except (OSError, ParamsError, SetupError) as error:
        sys.exit(f"error: {error}")


def _print(url: str, uses: "list[Use]", what: str = "kept") -> None:
    import rich
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from contracts.printable import printable

    title = Text(f"{what}: {printable(url)}", "table.title")
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
    for name in ("extractor", "version"):
        table.add_column(name)
    for name in ("entries", "MB", "last used", "hit rate"):
        table.add_column(name, justify="right")
    for use in uses:
        kind, _, version = use.group.partition("-")
        table.add_row(
            Text(printable(kind)),
            Text(printable(version[:12])),
            str(use.entries),
            f"{use.size / 1e6:.1f}",
            datetime.fromtimestamp(use.last, UTC).astimezone().strftime("%Y-%m-%d %H:%M"),
            f"{use.hits / use.asked:.0%}" if use.asked else "-",
        )
    rich.print(table)
    say(f"{sum(use.size for use in uses) / 1e6:.1f} MB in all")
