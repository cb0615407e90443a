"""Where models are kept that were downloaded or put together on this machine."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder, which need not be there yet: lnln/ in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lnln"
