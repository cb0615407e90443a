"""Where models are kept that were downloaded or put together on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.files import partial_folder


def cache_folder() -> Path:
    """Return the folder, which need not be there yet: lnln/ in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lnln"


@contextmanager
def making(folder: Path) -> Iterator[Path]:
    """Empty folder to fill; it becomes `folder` if the block ends without an exception.

    Of several processes that make the same, the first one's stays.
    """
    with partial_folder(folder) as temporary:
        made = temporary / "new"
        made.mkdir()
        yield made
        try:
            made.rename(folder)
        except OSError:  # another process was first
            if not folder.is_dir():
                raise
