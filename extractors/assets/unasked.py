"""Models that somebody else names, as the author of a checkpoint does: not fetched on that word."""

from collections.abc import Iterable
from pathlib import Path

from extractors.assets.adapters import ADAPTERS
from extractors.assets.known_weights import ASSETS
from extractors.assets.resolving import resolve
from extractors.errors import MissingAsset


def require_here(names: Iterable[str], source: Path | str) -> None:
    """Make sure that models are on this machine, or known here.

    A name can be any repository of the Hugging Face hub, which would learn who uses it, and of any
    size. Models that are known here have a sha256, and may be fetched.

    Parameters
    ----------
    names : iterable of str
        As `extractors.assets.resolving.resolve` takes them.
    source : Path or str
        Who names them, for the message.

    Raises
    ------
    MissingAsset
        One is neither.
    """
    for name in names:
        if name not in ASSETS and name not in ADAPTERS:
            try:
                resolve(name, offline=True)
            except (MissingAsset, RuntimeError) as error:  # the latter of ~somebody
                raise MissingAsset(
                    f"{source} asks for a model that is not known here, and so is not fetched "
                    f"unasked; if you trust it, get it first. {error}"
                ) from error
