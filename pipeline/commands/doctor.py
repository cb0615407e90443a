"""What `lnln doctor` looks at: system libraries, model files, the device, a trained model."""

import platform
import sys
from collections.abc import Iterator
from typing import NamedTuple

from extractors.assets.libraries import require_libraries
from extractors.assets.resolving import statuses
from extractors.errors import MissingLibraries
from pipeline.paths import MODEL


class Finding(NamedTuple):
    """One thing looked at, and whether it is as it should be."""

    ok: bool
    what: str


def findings() -> Iterator[Finding]:
    """Look at everything the pipeline needs; nothing is fetched."""
    yield Finding(True, f"Python {platform.python_version()} ({sys.prefix})")
    try:
        require_libraries()
        yield Finding(True, "system libraries: libGL, libEGL, libGLESv2, glib")
    except MissingLibraries as error:
        yield Finding(False, str(error))
    for asset in statuses():
        ok = asset.problem is None
        yield Finding(ok, f"model file {asset.name}" if ok else str(asset.problem))
    yield Finding(True, f"device: {_device()}")
    trained = "trained model: " + (str(MODEL) if MODEL.is_dir() else "none yet; make repro")
    yield Finding(True, trained)


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})"
    return f"CPU, {torch.get_num_threads()} threads; no CUDA device found"
