"""What every stage shares: clear errors, JSON written whole, and a word on what was left out."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import rich
from rich.box import SIMPLE_HEAD
from rich.table import Table

from contracts.files import replacing
from contracts.quarantine import Rejected, write_quarantine
from extractors.errors import SetupError
from pipeline.checking import ParamsError
from pipeline.paths import QUARANTINE


class StageError(Exception):
    """A stage cannot go on; the message says why and what to do about it."""


EXPECTED = (StageError, ParamsError, SetupError, OSError)


def run(main: Callable[[], None], *expected: type[Exception]) -> None:
    """Run a stage; an error that the user can mend is one message, not a traceback.

    `expected` are those of the libraries that the stage calls.
    """
    told: tuple[type[Exception], ...] = EXPECTED + expected
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except told as error:
        sys.exit(f"error: {error}")


def write_json(content: Any, path: Path) -> None:
    """Write JSON, replacing the file in one step. NaN is refused: it is not JSON."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", "utf-8")


def warn(messages: Iterable[str]) -> None:
    """Print warnings where progress bars go, so that both stay readable."""
    for message in messages:
        print(f"warning: {message}", file=sys.stderr)


def quarantine(rows: list[Rejected], name: str, clips: int, limit: float) -> None:
    """Write the clips a stage rejected to `quarantine/<name>.csv`, and print them.

    Parameters
    ----------
    rows : list of Rejected
    name : str
        Of the file.
    clips : int
        How many the stage was given.
    limit : float
        Share of them that may be rejected, 0 to 1.

    Raises
    ------
    StageError
        It is more than that.
    """
    path = QUARANTINE / f"{name}.csv"
    write_quarantine(rows, path)
    if rows:
        print(f"quarantined {len(rows)} of {clips}, also in {path}:")
    for row in rows:
        print(f"  {row.clip_id} ({row.path}): {row.reason}")
    if len(rows) > limit * clips:
        raise StageError(
            f"{len(rows)} of {clips} clips were quarantined, more than the share {limit} that "
            f"ingest.max_quarantined allows; the reasons are in {path}: mend the clips, or raise "
            "it in params.yaml"
        )


def tell_observed(summary: dict[str, dict[str, Any]]) -> None:
    """Print `extractors.observation.summary`, a row per modality."""
    table = Table(title="what could be observed", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("modality")
    for name in ("clips", "observed", "complete", "gaps", "longest gap"):
        table.add_column(name, justify="right")
    table.add_column("nothing observed")
    for modality, found in summary.items():
        reasons = ", ".join(f"{count} {why}" for why, count in found["missing"].items())
        table.add_row(
            modality,
            str(found["clips"]),
            f"{found['share']:.1%}",
            str(found["complete"]),
            str(found["gaps"]),
            f"{found['longest_gap_s']:.2f} s",
            reasons or "-",
        )
    rich.print(table)
