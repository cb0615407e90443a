"""What is about to be downloaded, told before it is."""

import sys
from pathlib import Path

from extractors.assets.known_weights import ASSETS
from extractors.assets.resolving import resolve
from extractors.errors import MissingAsset

_WEIGHTS = ("model.safetensors", "model.bin")  # nearly all that is fetched of a model


def fetched(name: str, *, offline: bool = False) -> Path:
    """Find a model as `resolve` does; where it has to be downloaded, say so and how large it is.

    Raises
    ------
    MissingAsset
        It was not found, and cannot be downloaded.
    """
    try:
        return resolve(name, offline=True)
    except MissingAsset:
        if offline:
            raise
    print(f"model: {name} is not on this machine, {_size(name)}", file=sys.stderr, flush=True)
    return resolve(name)


def _size(name: str) -> str:
    """How much is fetched from where, as far as that is known."""
    from huggingface_hub import HfApi

    asset = ASSETS.get(name)
    if asset is not None and asset.url is not None:
        return f"and is fetched from {asset.url}"
    repository = name if asset is None else asset.hub
    try:
        files = HfApi().model_info(repository or name, files_metadata=True, timeout=20).siblings
    except Exception as error:  # of the name, the network, the server: resolve will say what it is
        return f"and the Hugging Face hub does not tell of it ({type(error).__name__})"
    size = sum(file.size or 0 for file in files or () if file.rfilename in _WEIGHTS)
    return f"{size / 1e6:.0f} MB are fetched from the Hugging Face hub"
