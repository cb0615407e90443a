"""How a command or a stage ends when it is asked to: tidily, and at the first request."""

import signal
import sys
import time
from types import FrameType

_REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, kill, a closed terminal
_TIDYING_S = 20.0  # workers may take 10 s to end; afterwards somebody is listened to again


def end_tidily() -> None:
    """Let requests to end unwind this process: no half-written or temporary file of it is left.

    While it does so it hears no other request: an impatient second Ctrl-C would stop the tidying.
    A request that is ignored by whoever started the process (nohup) stays ignored.
    """
    first: float | None = None

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if first is not None and now - first < _TIDYING_S:
            return
        first = now
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    for request in _REQUESTS:
        if signal.getsignal(request) is not signal.SIG_IGN:
            signal.signal(request, end)
