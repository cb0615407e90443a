"""How far the work is: a bar on a terminal, now and then a line where the output is a file."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TextIO

from tqdm import tqdm

_SILENT_S = 2.0  # work that is done sooner says nothing
_EVERY_S = 30.0  # between two lines in a file
_LINE = (
    "{desc}: {n_fmt} of {total_fmt} clips, {rate_fmt}, {elapsed} gone, {remaining} left{postfix}"
)
_LINE_S = "{desc}: {n:.0f} of {total:.0f} s of video, {elapsed} gone, {remaining} left{postfix}"
_BAR_S = "{desc}: {bar} {n:.0f} of {total:.0f} s of video [{elapsed}<{remaining}{postfix}]"


@dataclass
class Reporting:
    """What is counted, and who else is told.

    Attributes
    ----------
    by : {"clips", "seconds"}
        Utterances of one recording are counted by the seconds of video that they last.
    listener : callable, optional
        Called with what is done, how much of it is done, and how much there is: clips or seconds.
        It must return quickly.
    """

    by: Literal["clips", "seconds"] = "clips"
    listener: Callable[[str, float, float], None] | None = None


class Progress:
    """What is done, its rate, the time left and the clips quarantined so far, on stderr.

    Parameters
    ----------
    durations_s : sequence of float
        Of the clips to do; nothing is shown where there are none.
    title : str
        What is done to them; nothing is shown where it is empty.
    reporting : Reporting, optional
    """

    def __init__(
        self, durations_s: Sequence[float], title: str, reporting: Reporting | None = None
    ) -> None:
        reporting = reporting or Reporting()
        by_seconds = reporting.by == "seconds"
        self._amounts = iter(durations_s) if by_seconds else iter([1] * len(durations_s))
        total = round(sum(durations_s), 3) if by_seconds else len(durations_s)
        shown = bool(title) and bool(durations_s)
        # Looked at for every clip (miniters), shown at the first one after so many seconds.
        bar: dict[str, Any] = {"miniters": 0, "delay": _SILENT_S, "smoothing": 0}
        self._is_file = not sys.stderr.isatty()
        if by_seconds:
            bar["bar_format"] = _BAR_S
        if self._is_file:
            line = _LINE_S if by_seconds else _LINE
            bar |= {"file": _Lines(sys.stderr), "bar_format": line, "mininterval": _SILENT_S}
        self._bar = tqdm(total=total, desc=title, unit="clip", disable=not shown, **bar)
        self._title, self._done, self._total = title, 0.0, float(total)
        self._listener = reporting.listener if shown else None
        self._quarantined = 0
        self._tell()

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
        """Count one more clip, the next of those that were announced."""
        if failed:
            self._quarantined += 1
            self._bar.set_postfix_str(f"{self._quarantined} quarantined", refresh=False)
        amount = next(self._amounts)
        self._done += amount
        self._advance(amount)
        self._tell()

    def show(self) -> None:
        """Say where the work is, where that is due; for whoever waits long for one clip."""
        self._advance(0)

    def _advance(self, amount: float) -> None:
        if self._bar.update(amount) and self._is_file:
            self._bar.mininterval = _EVERY_S

    def _tell(self) -> None:
        if self._listener is not None:
            self._listener(self._title, min(self._done, self._total), self._total)


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
