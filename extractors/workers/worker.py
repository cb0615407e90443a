"""A worker process that can die: one extractor in it, one clip at a time, within limits.

Native decoders and models can hang or crash on a bad file, or fill the memory. Each worker has
a process and a pipe of its own, and shares nothing with the others: whatever happens to it costs
one clip. It ends when the process that started it ends, however that comes about.
"""

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from extractors.errors import MediaError, SetupError
from extractors.settings import RunSettings
from extractors.workers.compiling import VARIABLE, machine_code

# The workers' alone, and there before they import anything.
ENVIRONMENT: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    # glibc keeps memory per thread, up to 80 MB as chance has it. And what it calls large grows
    # with what is asked for, so that buffers of many sizes leave holes in its heap, more of them
    # the longer a video is; from a fixed size on they are handed back whole.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "4000000",
    "MALLOC_TRIM_THRESHOLD_": "64000000",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",  # the parent has fetched what there was to fetch
    "TRANSFORMERS_VERBOSITY": "error",
    "TQDM_DISABLE": "1",  # the parent shows the progress
}

_LOOK_S = 0.1  # between two looks at a busy worker's memory and time
_BUILD_LIMIT_S = 300.0  # even a model on a slow network drive is loaded by then


# Built once per worker; a task calls one of its methods.
Extractor = Any


class Task(NamedTuple):
    """One clip's call of a method of the extractor."""

    arguments: tuple[Any, ...]
    duration_s: float
    method: str = "extract"


class Outcome(NamedTuple):
    """What became of a task: its result, or the reason why there is none."""

    value: Any
    reason: str | None


class Cancelled(Exception):
    """The work was given up while a worker was at it."""


class NodeLost(Exception):
    """The machine of a worker is gone, which is not its clip's fault."""


class _Lost(Exception):
    """A worker is of no use any more: it ended by itself, or it exceeded a limit."""


def environment() -> dict[str, str]:
    """What a worker finds around it."""
    return {**os.environ, **ENVIRONMENT, VARIABLE: str(machine_code())}


class Worker:
    """A process with one extractor; started when there is something to do.

    Parameters
    ----------
    build : callable
        Makes the extractor, in the worker process. It must pickle.
    settings : RunSettings
    cancelled : threading.Event
        Set by whoever wants `do` to give up.
    """

    def __init__(
        self, build: Callable[[], Extractor], settings: RunSettings, cancelled: threading.Event
    ) -> None:
        self._build = pickle.dumps(build)
        self._settings = settings
        self._cancelled = cancelled
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Nothing: a process is started for the first task, and only then."""

    def do(self, task: Task) -> Outcome:
        """Do a task; start the worker anew and try once more if it is lost over it.

        Raises
        ------
        SetupError
            The extractor cannot be built on this machine.
        Cancelled
            `cancelled` was set.
        """
        reason = ""
        for _ in range(2):
            self._start()
            try:
                self._send(pickle.dumps((task.method, task.arguments)))
                limit = self._settings.timeout_s + self._settings.timeout_factor * task.duration_s
                return self._answer(limit, "run.timeout_s and run.timeout_factor")
            except _Lost as loss:
                reason = str(loss)
                self.stop()
        return Outcome(None, f"{reason}; tried twice")

    def stop(self) -> None:
        """End the process, if there is one, at once."""
        if self._process is not None:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):  # a drive that is gone can hold it up
                self._process.wait(10)
            self._connection.close()
            self._process = None

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        for last_try in (False, True):
            self.stop()
            self._launch()
            try:
                self._send(self._build)
                self._answer(_BUILD_LIMIT_S, "to load its models")
                return
            except _Lost as loss:
                if last_try:
                    self.stop()
                    raise SetupError(
                        f"workers are lost before they can do any work: {loss}"
                    ) from loss

    def _launch(self) -> None:
        self._connection, theirs = Pipe()
        code = (
            f"import sys; sys.path[:] = {sys.path!a}; "
            f"from extractors.workers.worker import serve; serve({theirs.fileno()}, {os.getpid()})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment(),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is for the parent only
        )
        theirs.close()

    def _send(self, data: bytes) -> None:
        with suppress(OSError):  # if it is dead, reading its answer tells
            self._connection.send_bytes(data)

    def _answer(self, within_s: float, rule: str) -> Any:
        """What the worker sends next.

        Raises
        ------
        SetupError
            If that is what it sends.
        _Lost, Cancelled
        """
        process = self._process
        assert process is not None
        deadline = time.monotonic() + within_s
        while not self._connection.poll(_LOOK_S):
            if self._cancelled.is_set():
                raise Cancelled
            if time.monotonic() > deadline:
                raise _Lost(f"took longer than {within_s:.0f} s ({rule})")
            if _resident_mb(process.pid) > self._settings.memory_mb:
                raise _Lost(
                    f"took more than the {self._settings.memory_mb} MB of run.memory_mb "
                    "(raise it where there is more)"
                )
        try:
            data = self._connection.recv_bytes()
        except (EOFError, OSError):
            raise _Lost(f"its worker {_end_of(process)}") from None
        try:
            answer = pickle.loads(data)
        except Exception as error:
            return Outcome(None, f"its result cannot be unpickled: {_one_line(error)}")
        if isinstance(answer, SetupError):
            raise answer
        return answer


def _resident_mb(pid: int) -> float:
    try:
        return psutil.Process(pid).memory_info().rss / 1e6
    except psutil.Error:  # it has just ended
        return 0.0


def _end_of(process: subprocess.Popen[bytes]) -> str:
    try:
        status = process.wait(10)
    except subprocess.TimeoutExpired:
        return "closed its pipe"
    if status >= 0:
        return f"ended with exit status {status}"
    hint = " (is the machine short of memory?)" if -status == signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-status).name}{hint}"


def _one_line(error: BaseException) -> str:
    first_line = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def serve(descriptor: int, parent: int) -> None:
    """Be a worker: build the extractor, then do one task after another until the pipe closes.

    Parameters
    ----------
    descriptor : int
        File descriptor of the pipe.
    parent : int
        Process id of who started this one.
    """
    _end_with(parent)
    connection = Connection(descriptor)
    extractor = None
    failure: SetupError | None = None
    try:
        extractor = pickle.loads(connection.recv_bytes())()
    except SetupError as error:
        failure = error
    except Exception as error:  # whatever it is, no other worker will fare better
        failure = SetupError(_one_line(error))
    connection.send(failure)
    with suppress(EOFError):
        while True:
            connection.send_bytes(_do(extractor, connection.recv_bytes()))


def _do(extractor: Extractor, task: bytes) -> bytes:
    answer: Outcome | SetupError
    try:
        method, arguments = pickle.loads(task)
        answer = Outcome(getattr(extractor, method)(*arguments), None)
    except SetupError as error:
        answer = error
    except MediaError as error:
        answer = Outcome(None, error.reason)
    except (Exception, SystemExit) as error:
        answer = Outcome(None, _one_line(error))
    try:
        return pickle.dumps(answer)
    except Exception as error:
        return pickle.dumps(Outcome(None, f"its result cannot be pickled: {_one_line(error)}"))


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
