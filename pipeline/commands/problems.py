"""What commands that work on clips say of those that failed."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipeline.telling import tell

if TYPE_CHECKING:
    from contracts.quarantine import Rejected


def report(rejected: "Iterable[Rejected]", warnings: Iterable[str]) -> None:
    """Print warnings and failures where they do not disturb the result; any failure is status 1."""
    from pipeline.report.tables import failures

    for warning in warnings:
        tell("warning", warning)
    failed = failures(rejected)
    for _, path, reason in failed:
        tell("error", f"{path}: {reason}")
    if failed:
        sys.exit(1)
