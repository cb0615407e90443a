"""Work that waits for the one session of extractors: a bounded queue, done by one thread."""

import threading
import time
from collections import deque
from collections.abc import Callable

from pipeline.serve.refusals import Busy
from pipeline.serve.reporting import report

_FIRST_S = 10.0  # a piece of work is supposed to take, before one was timed
_SMOOTHING = 0.3  # weight of the last piece of work in the mean time


class Jobs:
    """One thread that does one piece of work after the other.

    Parameters
    ----------
    most : int
        Pieces that may wait or be done at a time. A place is taken before a file arrives, so that
        nobody uploads for nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._waiting: deque[tuple[str, Callable[[], None]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._mean_s = _FIRST_S
        self._thread = threading.Thread(target=self._work, name="lnln-serve-jobs", daemon=True)
        self._thread.start()

    def take_place(self) -> None:
        """Take a place, which is given up by `give_up` or when its work is done.

        Raises
        ------
        Busy
            All are taken.
        """
        with self._changed:
            if self._taken >= self._most:
                raise Busy(
                    f"The queue is full: {self._taken} videos are waiting. Please try again in "
                    f"{self._retry_s()} seconds.",
                    self._retry_s(),
                )
            self._taken += 1

    def give_up(self) -> None:
        """Give a place up for which there is no work."""
        with self._changed:
            self._taken -= 1

    def put(self, name: str, work: Callable[[], None]) -> None:
        """Have a piece of work done, for which a place was taken.

        Parameters
        ----------
        name : str
            Under which `before` and `drop` know it.
        work : callable
            Tells by itself what becomes of it; what it raises is reported, and ends nothing else.
        """
        with self._changed:
            self._waiting.append((name, work))
            self._changed.notify()

    def before(self, name: str) -> int:
        """How many pieces of work wait before the first of this name; 0 if there is none."""
        with self._changed:
            names = [waiting for waiting, _ in self._waiting]
        return names.index(name) if name in names else 0

    def drop(self, name: str) -> None:
        """Take the work of this name out of the queue; what is being done goes on."""
        with self._changed:
            kept = [entry for entry in self._waiting if entry[0] != name]
            self._taken -= len(self._waiting) - len(kept)
            self._waiting = deque(kept)

    def close(self) -> None:
        """End the thread after the work that it is at; what waits is not done."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(timeout_s)

    def _retry_s(self) -> int:
        return max(2, round(self._mean_s))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                _, work = self._waiting.popleft()
            begun = time.monotonic()
            try:
                work()
            except Exception as error:
                report(error)
            finally:
                took_s = time.monotonic() - begun
                with self._changed:
                    self._taken -= 1
                    self._mean_s += _SMOOTHING * (took_s - self._mean_s)
