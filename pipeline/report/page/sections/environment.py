"""Chapter: where the page was made, and from what."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from pipeline.paths import PREDICTIONS
from pipeline.report.page.parts import Section, Table, row
from pipeline.report.page.run import Run

_PACKAGES = ("torch", "transformers", "librosa", "mediapipe", "dvc")


def environment(run: Run) -> Section:
    """Tell the machine, the versions, and the revision; no time but that of the revision."""
    with PREDICTIONS.open("rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    rows = [
        row("revision", revision()),
        row("predictions, md5 as in dvc.lock", md5),
        row("Python", platform.python_version()),
        *(row(name, version(name)) for name in _PACKAGES),
        row(
            "operating system",
            f"{platform.system()} {platform.machine()}, {platform.libc_ver()[0]}",
        ),
        row("processor", f"{processor()}, {os.cpu_count()} cores"),
        row("GPU", gpu()),
    ]
    return Section(
        "environment",
        "Environment",
        [Table("Where this page was made, and from what", ["", "value"], rows)],
    )


def revision() -> str:
    """Name the git revision with its date, and whether files differ from it."""
    try:
        commit = _git("log", "-1", "--format=%H, %cI")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "no git repository"
    return commit + (", and changes that are not committed" if changed else "")


def processor() -> str:
    """Name the processor as Linux does, else its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def gpu() -> str:
    """Name the GPUs that torch sees."""
    if version("torch").endswith("+cpu"):  # sees none; importing it takes seconds
        return "none"
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ", ".join(torch.cuda.get_device_name(i) for i in range(count)) or "none"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
