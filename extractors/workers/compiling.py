"""Machine code that numba makes for librosa: made by one process at a time, and kept apart.

Numba keeps on disk what it compiles. Processes that compile the same ufunc at once can leave two
halves there that do not fit each other, and whoever loads those crashes, today and ever after
(numba/numba issue 10128).
"""

import hashlib
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from contracts.private_folders import private_folder

VARIABLE = "NUMBA_CACHE_DIR"  # numba looks at it when it is imported


def machine_code() -> Path:
    """Folder that numba is to keep it in, and that nobody else can write to.

    The one of `VARIABLE` where it is set, else one of `contracts.private_folders`.
    """
    if os.environ.get(VARIABLE):
        folder = Path(os.environ[VARIABLE])
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    return private_folder("numba")


def compiled(name: str, run: Callable[[], object]) -> None:
    """Have everything compiled that a function calls, and kept, before it is called elsewhere.

    Parameters
    ----------
    name : str
        Of what is compiled.
    run : callable
        Calls it. Not called where this was done before, by whichever process.
    """
    folder = machine_code()
    done = folder / f"{name}-{_surroundings()}.done"
    if done.exists():
        return
    with FileLock(folder / "compiling.lock"):
        if not done.exists():
            run()
            done.touch()


def _surroundings() -> str:
    """What numba's files are good for: libraries, where they are, and this processor."""
    from llvmlite.binding import get_host_cpu_name

    spec = find_spec("librosa")
    installed = Path(spec.origin) if spec is not None and spec.origin is not None else Path()
    surroundings = [
        *(f"{package} {version(package)}" for package in ("librosa", "numba", "llvmlite", "numpy")),
        str(installed),
        str(installed.stat().st_mtime_ns),
        sys.version,
        get_host_cpu_name(),
        os.environ.get(VARIABLE, ""),
    ]
    return hashlib.sha256("\n".join(surroundings).encode()).hexdigest()[:16]
