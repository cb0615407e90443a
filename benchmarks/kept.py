"""What every benchmark does with what it found: printed, and kept by date with its machine."""

import ctypes
import datetime
import os
import platform
from pathlib import Path

from contracts.files import replacing

FOLDER = Path(__file__).parent / "results"


def machine(*more: str) -> str:
    """The day and the machine, for the line below a title; `more` says what else decides."""
    told = (
        datetime.date.today().isoformat(),
        platform.processor() or platform.machine(),
        f"{os.cpu_count()} cores",
        platform.system(),
        f"Python {platform.python_version()}",
        *more,
    )
    return ", ".join(told)


def keep(name: str, lines: list[str]) -> None:
    """Print lines of Markdown, and write them to `results/<date>-<name>.md`."""
    text = "\n".join([*lines, ""])
    print(text)
    with replacing(FOLDER / f"{datetime.date.today()}-{name}.md") as temporary:
        temporary.write_text(text, "utf-8")


def reset_peak() -> None:
    """Let `peak_mb` begin with what this process has now; Linux only."""
    ctypes.CDLL(None).malloc_trim(0)  # else what an earlier call freed would still count
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Most resident memory that this process had since it began or `reset_peak`, MB; Linux only.

    Not `ru_maxrss`, which begins at that of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return 1024 * int(peak) / 1e6
