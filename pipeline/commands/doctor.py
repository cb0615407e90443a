"""`lnln doctor`: the repository, system libraries, model files, the device, a trained model."""

import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from contracts.messages import some
from pipeline.paths import MODEL

# The Makefile says the same, before anything is installed.
NO_REPOSITORY = (
    "git repository, without which DVC does nothing (was this folder downloaded as an archive?): "
    "git clone it instead, or here: git init && git add --all && git commit -m 'As downloaded'"
)


def doctor() -> None:
    """Check libraries, models and device; print what is missing and how to get it.

    Links in data/ that lead nowhere are set aside, and given back once they lead somewhere: DVC
    would stop at them, with "[Errno 2] No such file or directory".

    Example: lnln doctor
    """
    import rich
    from rich.text import Text

    from contracts.printable import printable

    missing = 0
    for finding in findings():
        what = Text(printable(finding.what, keep="\n"))
        rich.print(("[green]ok[/]     " if finding.ok else "[red]missing[/]"), what)
        missing += not finding.ok
    if missing:
        sys.exit(f"{missing} missing: the lines above say how to get them")


class Finding(NamedTuple):
    """One thing looked at, and whether it is as it should be."""

    ok: bool
    what: str


def findings() -> Iterator[Finding]:
    """Look at everything the pipeline needs; nothing is fetched."""
    from extractors.assets.archives import ARCHIVES, archive_statuses
    from extractors.assets.libraries import require_libraries
    from extractors.assets.resolving import statuses
    from extractors.errors import MissingLibraries

    yield Finding(True, f"Python {platform.python_version()} ({sys.prefix})")
    if Path("dvc.yaml").exists():
        here = _repository()
        yield Finding(here is not None, NO_REPOSITORY if here is None else f"git repository {here}")
    try:
        require_libraries()
        yield Finding(True, "system libraries: libGL, libEGL, libGLESv2, glib")
    except MissingLibraries as error:
        yield Finding(False, str(error))
    for asset in statuses():
        ok = asset.problem is None
        yield Finding(ok, f"model file {asset.name}" if ok else str(asset.problem))
    for archive in archive_statuses():
        lacking = ": not here; fetched when a dataset trains with them" if archive.problem else ""
        yield Finding(True, f"{ARCHIVES[archive.name].holds} {archive.name}{lacking}")
    yield from _unopenable()
    yield Finding(True, f"device: {_device()}")
    trained = "trained model: " + (str(MODEL) if MODEL.is_dir() else "none yet; make repro")
    yield Finding(True, trained)


def _repository() -> str | None:
    """Where the git repository of this folder is; None where there is none, or no git."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _unopenable() -> Iterator[Finding]:
    """Files of datasets at which DVC would stop; they are set aside."""
    from pipeline.set_aside import ENDING, set_aside

    try:
        moved = set_aside()
    except OSError as error:
        yield Finding(False, f"DVC will stop at a file that cannot be opened or renamed: {error}")
        return
    for root, files in moved.items():
        if files.back:
            yield Finding(True, f"{root}: {len(files.back)} files that were set aside are back")
        if files.aside:
            named = some([f"{path} ({why})" for path, why in files.aside.items()])
            yield Finding(
                True,
                f"{root}: {len(files.aside)} files cannot be opened, and DVC would stop at them: "
                f"{named}; they are set aside (ending {ENDING}), and their clips will be "
                "quarantined. Once they can be opened, lnln doctor gives them their names back",
            )


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})"
    return f"CPU, {torch.get_num_threads()} threads; no CUDA device found"
