"""How far the work is: a bar on a terminal, now and then a line where the output is a file."""

import sys
from types import TracebackType
from typing import Any, Self, TextIO

from tqdm import tqdm

_SILENT_S = 2.0  # work that is done sooner says nothing
_EVERY_S = 30.0  # between two lines in a file
_LINE = (
    "{desc}: {n_fmt} of {total_fmt} clips, {rate_fmt}, {elapsed} gone, {remaining} left{postfix}"
)


class Progress:
    """Clips done, their rate, the time left and the clips quarantined so far, on stderr.

    Parameters
    ----------
    total : int
        Clips to do; nothing is shown where there are none.
    title : str
        What is done to them.
    """

    def __init__(self, total: int, title: str) -> None:
        # Looked at for every clip (miniters), shown at the first one after so many seconds.
        bar: dict[str, Any] = {"miniters": 0, "delay": _SILENT_S, "smoothing": 0}
        self._is_file = not sys.stderr.isatty()
        if self._is_file:
            bar |= {"file": _Lines(sys.stderr), "bar_format": _LINE, "mininterval": _SILENT_S}
        self._bar = tqdm(total=total, desc=title, unit="clip", disable=not total, **bar)
        self._quarantined = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def step(self, *, failed: bool) -> None:
        """Count one more clip."""
        if failed:
            self._quarantined += 1
            self._bar.set_postfix_str(f"{self._quarantined} quarantined", refresh=False)
        self._advance(1)

    def show(self) -> None:
        """Say where the work is, where that is due; for whoever waits long for one clip."""
        self._advance(0)

    def _advance(self, clips: int) -> None:
        if self._bar.update(clips) and self._is_file:
            self._bar.mininterval = _EVERY_S


class _Lines:
    """A file in which each state of a bar is a line of its own."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._last = ""

    def write(self, text: str) -> None:
        line = text.strip()  # of "\r", which takes a cursor back to the beginning, and padding
        if line not in ("", self._last):
            self._file.write(f"{line}\n")
            self._last = line

    def flush(self) -> None:
        self._file.flush()
