"""What stages share: running with clear errors, writing JSON, warnings, and the quarantine."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import rich
from rich.box import SIMPLE_HEAD
from rich.table import Table

from contracts.files import replacing
from contracts.printable import printable
from contracts.quarantine import Rejected, write_quarantine
from extractors.errors import SetupError
from pipeline.checking import ParamsError
from pipeline.ending import end_tidily
from pipeline.paths import QUARANTINE
from pipeline.telling import guard, tell


class StageError(Exception):
    """A stage cannot go on; the message says why, and what to do about it."""


EXPECTED = (StageError, ParamsError, SetupError, OSError)


def run(main: Callable[[], None], *expected: type[Exception]) -> None:
    """Run a stage, and exit with a message, not a traceback, on errors that the user can fix.

    Parameters
    ----------
    main : callable
        The stage.
    expected : type of Exception
        Such errors of the libraries that the stage calls, besides those in `EXPECTED`.
    """
    fixable: tuple[type[Exception], ...] = EXPECTED + expected
    end_tidily()
    guard()
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except fixable as error:
        sys.exit(printable(f"error: {error}", keep="\n"))


def write_json(content: Any, path: Path) -> None:
    """Write JSON, replacing the file in one step; raises ValueError on NaN, which is not JSON."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", "utf-8")


def warn(messages: Iterable[str]) -> None:
    """Print warnings to standard error, as progress bars are, so that the two do not mix."""
    for message in messages:
        tell("warning", message)


def quarantine(rows: list[Rejected], name: str, clips: int, limit: float) -> None:
    """Write the clips that a stage rejected to `quarantine/<name>.csv`, and print them.

    Parameters
    ----------
    rows : list of Rejected
    name : str
        Name of the file.
    clips : int
        Number of clips that the stage works on.
    limit : float
        Share of them that may be rejected, 0 to 1.

    Raises
    ------
    StageError
        More were rejected.
    """
    path = QUARANTINE / f"{name}.csv"
    write_quarantine(rows, path)
    if rows:
        print(f"quarantined {len(rows)} of {clips}, also in {path}:")
    for row in rows:
        print(printable(f"  {row.clip_id} ({row.path}): {row.reason}"))
    if len(rows) > limit * clips:
        raise StageError(
            f"{len(rows)} of {clips} clips were quarantined, more than the share {limit} that "
            f"ingest.max_quarantined allows; the reasons are in {path}: mend the clips, or raise "
            "it in params.yaml"
        )


def print_observed(summary: dict[str, dict[str, Any]]) -> None:
    """Print an `extractors.observation.summary` as a table, a row per modality."""
    table = Table(title="what could be observed", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("modality")
    for name in ("clips", "observed", "complete", "gaps", "longest gap"):
        table.add_column(name, justify="right")
    table.add_column("nothing observed")
    for modality, counts in summary.items():
        reasons = ", ".join(f"{count} {why}" for why, count in counts["missing"].items())
        table.add_row(
            modality,
            str(counts["clips"]),
            f"{counts['share']:.1%}",
            str(counts["complete"]),
            str(counts["gaps"]),
            f"{counts['longest_gap_s']:.2f} s",
            reasons or "-",
        )
    rich.print(table)
