"""System libraries that OpenCV and MediaPipe need, and that no Python package installs."""

import ctypes
import sys

from extractors.errors import MissingLibraries

# shared object -> Debian package
_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libglib-2.0.so.0": "libglib2.0-0",
}


def missing_libraries() -> dict[str, str]:
    """Shared libraries that cannot be loaded, and the Debian package that holds each.

    Empty if nothing is missing, and always on macOS and Windows, which have their own.
    """
    if sys.platform != "linux":
        return {}
    return {name: package for name, package in _LIBRARIES.items() if not _loads(name)}


def require_libraries() -> None:
    """Check that the system libraries are installed.

    Raises
    ------
    MissingLibraries
        The message names those that are missing, and the command that installs them.
    """
    missing = missing_libraries()
    if missing:
        raise MissingLibraries(
            f"system libraries are missing: {', '.join(missing)}. Install them "
            f"(Debian, Ubuntu): apt-get install -y {' '.join(_LIBRARIES.values())}"
        )


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
