"""What commands and stages tell on a terminal, with nothing in it that is not printable."""

import sys
import traceback
import warnings
from types import TracebackType

from contracts.printable import printable

_format_warning = warnings.formatwarning


def say(*parts: object) -> None:
    """Print a line, or several, to standard output."""
    print(printable(" ".join(map(str, parts)), keep="\n"))


def tell(kind: str, what: object) -> None:
    """Print a line to standard error, as progress bars are, so that it disturbs no result.

    Parameters
    ----------
    kind : str
        warning, error or note: what the line begins with.
    what : object
        A line break in it, as there may be in the name of a file, is no end of the line.
    """
    print(f"{kind}: {printable(what)}", file=sys.stderr)


def guard() -> None:
    """Let warnings of libraries, and tracebacks, reach the terminal of this process like that."""
    warnings.formatwarning = _warning
    sys.excepthook = _traceback


def _warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    return printable(_format_warning(message, category, filename, lineno, line), keep="\n")


def _traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    told = "".join(traceback.format_exception(kind, error, trace))
    print(printable(told, keep="\n"), end="", file=sys.stderr)
