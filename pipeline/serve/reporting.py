"""Errors that nobody expected, for whoever runs the server."""

import contextlib
import sys
import traceback

from contracts.printable import printable


def report(error: BaseException) -> None:
    """Print an error with its traceback; where that is not possible, it is lost.

    The threads and tasks that call this have to outlive a closed terminal.
    """
    with contextlib.suppress(Exception):
        told = "".join(traceback.format_exception(error))
        print(printable(told, keep="\n"), end="", file=sys.stderr)
