"""How far the work is: a bar on a terminal, now and then a line where the output is a file."""

import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

_FIRST_LINE_S = 2.0  # work that is done sooner says nothing
_EVERY_S = 30.0


class Progress:
    """Clips done, their rate, the time left and the clips quarantined so far, on stderr.

    Parameters
    ----------
    total : int
        Clips to do.
    title : str
        What is done to them.
    """

    def __init__(self, total: int, title: str) -> None:
        self._total = total
        self._title = title
        self._done = 0
        self._quarantined = 0

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self._next_line = self._start + _FIRST_LINE_S
        self._bar = (
            tqdm(total=self._total, desc=self._title, unit="clip")
            if self._total and sys.stderr.isatty()
            else None
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        elapsed = time.monotonic() - self._start
        if self._bar is not None:
            self._bar.close()
        elif self._total and elapsed >= _FIRST_LINE_S:
            self._write(f"took {_duration(elapsed)}", elapsed)

    def step(self, *, failed: bool) -> None:
        """Count one more clip."""
        self._done += 1
        self._quarantined += failed
        if self._bar is None:
            self.show()
        else:
            if failed:
                self._bar.set_postfix_str(f"{self._quarantined} quarantined", refresh=False)
            self._bar.update()

    def show(self) -> None:
        """Say where the work is, where that is due; for whoever waits long for one clip."""
        now = time.monotonic()
        if self._bar is not None:
            self._bar.refresh()
        elif self._total and now >= self._next_line:
            elapsed = now - self._start
            left = (self._total - self._done) * elapsed / max(self._done, 1)
            self._write(f"{_duration(left)} left" if self._done else "starting", elapsed)
            self._next_line = now + _EVERY_S

    def _write(self, times: str, elapsed: float) -> None:
        rate = self._done / elapsed
        parts = [
            f"{self._title}: {self._done} of {self._total} clips",
            f"{rate:.1f} clips/s" if rate >= 1 else f"{60 * rate:.1f} clips/min",
            times,
            f"{self._quarantined} quarantined",
        ]
        print(", ".join(parts), file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    """A readable duration, such as 45 s, 12 min or 1 h 58 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
