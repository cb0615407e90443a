"""One worker process, as the process that started it sees it: within limits, and replaceable.

Native decoders and models can hang or crash on a bad file, or fill the memory. Each worker has
a process and a pipe of its own, and shares nothing with the others: whatever happens to it costs
one clip. It ends when the process that started it ends, however that comes about.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import Pipe
from typing import Any

import psutil

from contracts.environment import NO_TELEMETRY
from extractors.assets.resolving import known_checksums
from extractors.errors import SetupError
from extractors.settings import RunSettings
from extractors.workers.compiling import VARIABLE, machine_code
from extractors.workers.serving import Outcome, Request, Task, one_line

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


class Cancelled(Exception):
    """The work was given up while a worker was at it."""


class NodeLost(Exception):
    """The machine of a worker is gone, which is not its clip's fault."""


class _Lost(Exception):
    """A worker is of no use any more: it ended by itself, or it exceeded a limit."""


def environment() -> dict[str, str]:
    """What a worker finds around it."""
    return {**os.environ, **NO_TELEMETRY, **ENVIRONMENT, VARIABLE: str(machine_code())}


class Worker:
    """A process that builds extractors and does their tasks; started when there is one to do.

    Parameters
    ----------
    settings : RunSettings
    """

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._built: set[bytes] = set()  # in the process that is running

    def prepare(self, cancelled: threading.Event) -> None:
        """Nothing: a process is started for the first task, and only then."""

    def do(self, build: bytes, task: Task, cancelled: threading.Event) -> Outcome:
        """Do a task; start the process anew and try once more if it is lost over it.

        Parameters
        ----------
        build : bytes
            Pickle of the callable that makes the extractor. It is called once per process.
        task : Task
        cancelled : threading.Event
            Set by whoever gives the task up.

        Raises
        ------
        SetupError
            The extractor cannot be built on this machine.
        Cancelled
            `cancelled` was set.
        """
        reason = ""
        for _ in range(2):
            self._build(build, cancelled)
            try:
                self._send(Request(build, pickle.dumps(task)))
                limit = self._settings.timeout_s + self._settings.timeout_factor * task.duration_s
                return self._answer(limit, "run.timeout_s and run.timeout_factor", cancelled)
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
        self._built.clear()

    def _build(self, build: bytes, cancelled: threading.Event) -> None:
        """Have a process that is alive and has built an extractor."""
        for last_try in (False, True):
            if self._process is None or self._process.poll() is not None:
                self.stop()
                self._launch()
            if build in self._built:
                return
            try:
                self._send(Request(build, checksums=known_checksums()))
                self._answer(_BUILD_LIMIT_S, "to load its models", cancelled)
                self._built.add(build)
                return
            except _Lost as loss:
                self.stop()
                if last_try:
                    raise SetupError(
                        f"workers are lost before they can do any work: {loss}"
                    ) from loss

    def _launch(self) -> None:
        self._connection, theirs = Pipe()
        code = (
            f"import sys; sys.path[:] = {sys.path!a}; "
            f"from extractors.workers.serving import serve; "
            f"serve({theirs.fileno()}, {os.getpid()})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment(),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is for the parent only
        )
        theirs.close()

    def _send(self, request: Request) -> None:
        with suppress(OSError):  # if it is dead, reading its answer tells
            self._connection.send_bytes(pickle.dumps(request))

    def _answer(self, within_s: float, rule: str, cancelled: threading.Event) -> Any:
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
            if cancelled.is_set():
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
            return Outcome(None, f"its result cannot be unpickled: {one_line(error)}")
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
