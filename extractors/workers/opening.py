"""Which cache is used: one that is named, or a temporary one that nobody sees afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.private_folders import temporary_folder
from extractors.workers.cache import VARIABLE, Cache

_TEMPORARY = "lnln-session-"


@contextmanager
def opened(url: str) -> Iterator[Cache]:
    """Open the cache that $LNLN_CACHE names, else `url`, else one that is deleted afterwards."""
    url = os.environ.get(VARIABLE) or url
    if url:
        yield Cache(url if "://" in url else str(Path(url).expanduser().absolute()))
        return
    with temporary_folder(_TEMPORARY) as folder:
        yield Cache(f"{folder}/features")
