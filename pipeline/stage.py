"""What every stage shares: clear errors, JSON written whole, and a word on what was left out."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from extractors.errors import SetupError
from extractors.tables import Rejected, replacing, write_quarantine
from pipeline.params import ParamsError
from pipeline.paths import QUARANTINE


class StageError(Exception):
    """A stage cannot go on; the message says why and what to do about it."""


EXPECTED = (StageError, ParamsError, SetupError)


def run(main: Callable[[], None], *expected: type[Exception]) -> None:
    """Run a stage; an error that the user can mend is one message, not a traceback.

    `expected` are those of the libraries that the stage calls.
    """
    told: tuple[type[Exception], ...] = EXPECTED + expected
    try:
        main()
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


def quarantine(rows: list[Rejected], name: str) -> None:
    """Write the clips a stage rejected to `quarantine/<name>.csv`, and print them."""
    write_quarantine(rows, QUARANTINE / f"{name}.csv")
    if rows:
        print(f"quarantined {len(rows)}:")
    for row in rows:
        print(f"  {row.clip_id} ({row.path}): {row.reason}")
