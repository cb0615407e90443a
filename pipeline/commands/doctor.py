"""`lnln doctor`: system libraries, model files, the device, a trained model."""

import platform
import sys
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.paths import MODEL


def doctor() -> None:
    """Check libraries, models and device; print what is missing and how to get it.

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
    yield Finding(True, f"device: {_device()}")
    trained = "trained model: " + (str(MODEL) if MODEL.is_dir() else "none yet; make repro")
    yield Finding(True, trained)


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})"
    return f"CPU, {torch.get_num_threads()} threads; no CUDA device found"
