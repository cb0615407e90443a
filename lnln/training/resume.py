"""Where an interrupted run resumes: its state in one file, held by one process at a time."""

from __future__ import annotations

import hashlib
import io
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from lnln.training.processes import accelerator

State = dict[str, Any]  # tensors and plain values

_DIGEST = hashlib.sha256().digest_size


class Stopped(RuntimeError):
    """The run was asked to stop, and did; the message says how to resume it."""


@dataclass(frozen=True)
class StateFile:
    """The state of a run on disk, replaced in one step: whole, or not there."""

    path: Path

    def write(self, state: State) -> None:
        """Replace the state."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getbuffer()
        partial = self.path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                file.write(hashlib.sha256(content).digest())
                file.write(content)
            partial.replace(self.path)
        except BaseException:  # a full disk is not left fuller
            partial.unlink(missing_ok=True)
            raise

    def read(self) -> State | None:
        """Return the state, None where there is none. A damaged one is reported and ignored."""
        try:
            content = memoryview(self.path.read_bytes())
        except FileNotFoundError:
            return None
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            _say(f"warning: {self.path} is damaged and ignored: training starts anew")
            return None
        # The digest guards against damage, weights_only against code in the file.
        state: State = torch.load(
            io.BytesIO(content[_DIGEST:]), map_location="cpu", weights_only=True
        )
        return state

    def remove(self) -> None:
        """Forget the state: the run has succeeded."""
        for path in (self.path, self.path.with_suffix(".partial")):
            path.unlink(missing_ok=True)


@contextmanager
def resumable(folder: Path, key: str) -> Iterator[StateFile]:
    """Hold the state of the run called `key` against a second process.

    Parameters
    ----------
    folder : Path
        Of the states of all runs; must not be deleted when a run starts again.
    key : str
        See `lnln.training.fingerprint.fingerprint`.
    """
    with exclusive(folder, key):
        yield StateFile(folder / f"{key}.state")


def abandoned(folder: Path, days: float = 0, *, delete: bool = False) -> tuple[int, int]:
    """Count the states of interrupted runs, and their bytes.

    Parameters
    ----------
    folder : Path
        Of the states of all runs.
    days : float
        Those that nobody wrote to for so long.
    delete : bool
        Delete them.

    Returns
    -------
    tuple of int
        The state of a run that is running is neither counted nor deleted.
    """
    count = size = 0
    runs = {path.stem for kind in ("state", "partial") for path in folder.glob(f"*.{kind}")}
    for run in sorted(runs):
        lock = FileLock(folder / f"{run}.lock")
        try:
            with lock.acquire(timeout=0):
                files = [p for p in folder.glob(f"{run}.*") if p.suffix in (".state", ".partial")]
                stats = [path.stat() for path in files]
                last = max((stat.st_mtime for stat in stats), default=time.time())
                old = bool(stats) and time.time() - last >= 86400 * days
                if old:
                    count, size = count + 1, size + sum(stat.st_size for stat in stats)
                if old and delete:
                    StateFile(folder / f"{run}.state").remove()
                Path(lock.lock_file).unlink(missing_ok=True)
        except Timeout:  # it is running
            continue
    return count, size


@contextmanager
def exclusive(folder: Path, key: str) -> Iterator[None]:
    """Wait until no other process is in such a block with the same folder and key.

    The system frees the lock of a process that dies, however it does. Of the processes that train
    one network together the main one waits, and the others for it.
    """
    processes = accelerator()
    if not processes.is_main_process:
        processes.wait_for_everyone()
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{key}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _say(f"waiting: another process trains here, perhaps left by a killed run ({folder})")
        lock.acquire()
    processes.wait_for_everyone()
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)  # who waits for it looks again
        lock.release()


@contextmanager
def terminations() -> Iterator[Callable[[], bool]]:
    """Note SIGTERM and SIGHUP instead of ending at once; yields whether one has come.

    A signal that is ignored by whoever started the process (nohup) stays ignored.

    Python lets nobody but the main thread ask for signals: elsewhere it ends the process as ever.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return
    before = {
        number: signal.signal(number, lambda number, frame: came.set())
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield came.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
