"""What runs in a worker process: models built on demand, one task after another.

Little is imported here: the process imports what its tasks need.
"""

import ctypes
import os
import pickle
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from extractors.assets.resolving import remember_checksums
from extractors.errors import MediaError, SetupError

# Built once per worker; a task calls one of its methods.
Extractor = Any


class Task(NamedTuple):
    """One clip's call of a method of an extractor."""

    arguments: tuple[Any, ...]
    duration_s: float
    method: str = "extract"


class Outcome(NamedTuple):
    """What became of a task: its result, or the reason why there is none."""

    value: Any
    reason: str | None


class Request(NamedTuple):
    """What a worker is sent: an extractor to build, or a task for one that it has built.

    `build` and `task` are pickles, so that one that cannot be read costs no more than its task.
    `checksums` are of the model files that the calling process has hashed.
    """

    build: bytes
    task: bytes | None = None
    checksums: dict[tuple[str, int, int], str] | None = None


def serve(descriptor: int, parent: int) -> None:
    """Be a worker: answer requests until the pipe closes.

    Parameters
    ----------
    descriptor : int
        File descriptor of the pipe.
    parent : int
        Process id of who started this one.
    """
    _end_with(parent)
    connection = Connection(descriptor)
    extractors: dict[bytes, Extractor] = {}
    with suppress(EOFError):
        while True:
            request: Request = pickle.loads(connection.recv_bytes())
            if request.task is None:
                remember_checksums(request.checksums or {})
                connection.send(_build(extractors, request.build))
            else:
                connection.send_bytes(_do(extractors[request.build], request.task))


def perform(extractor: Extractor, task: Task) -> Outcome:
    """Do a task; whatever it raises but `SetupError` is the reason of its outcome."""
    try:
        return Outcome(getattr(extractor, task.method)(*task.arguments), None)
    except SetupError:
        raise
    except MediaError as error:
        return Outcome(None, error.reason)
    except (Exception, SystemExit) as error:
        return Outcome(None, one_line(error))


def one_line(error: BaseException) -> str:
    """An error in one line: its type, and the first line of its message."""
    first_line = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def _build(extractors: dict[bytes, Extractor], build: bytes) -> SetupError | None:
    try:
        extractors[build] = pickle.loads(build)()
    except SetupError as error:
        return error
    except Exception as error:  # whatever it is, no other worker will fare better
        return SetupError(one_line(error))
    return None


def _do(extractor: Extractor, pickled: bytes) -> bytes:
    answer: Outcome | SetupError
    try:
        answer = perform(extractor, pickle.loads(pickled))
    except SetupError as error:
        answer = error
    except Exception as error:  # a task that cannot be unpickled
        answer = Outcome(None, one_line(error))
    try:
        return pickle.dumps(answer)
    except Exception as error:
        return pickle.dumps(Outcome(None, f"its result cannot be pickled: {one_line(error)}"))


def _end_with(parent: int) -> None:
    """End this process when its parent ends, and before it when memory runs out."""
    if sys.platform == "linux":
        # Even in the midst of native code that never returns.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG of <linux/prctl.h>
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500")
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
