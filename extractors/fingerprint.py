"""What a result was made by, in one hash.

Two results with the same fingerprint were made by the same settings, model files, library
versions and source, and are the same for the same clip. Nobody bumps a version by hand.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from contracts.features import FeatureInfo
from contracts.schemas import Modality
from extractors.assets.resolving import checksum, contents, resolve

_ROOT = Path(__file__).parents[1]  # of the packages


class Fingerprint(NamedTuple):
    """The hash of an extractor (sha256, hexadecimal), its settings, and its models' sha256."""

    value: str
    settings: dict[str, Any]
    assets: dict[str, str]


def fingerprint(kind: str, settings: BaseModel, *, offline: bool = False) -> Fingerprint:
    """Hash everything that can change what an extractor makes of a clip.

    Nothing heavy is imported for it.

    Parameters
    ----------
    kind : str
        Package of the extractor in here: "text", "audio", "vision" or "speech". It names the
        distributions (`PACKAGES`) and the files and folders (`SOURCES`) that count.
    settings : BaseModel
        The extractor's own. Its `model`, if it has one, counts by content, not by name or path.
    offline : bool
        Never download a model.

    Raises
    ------
    MissingAsset
        The model was not found.
    """
    package = import_module(f"extractors.{kind}")
    dump = settings.model_dump(mode="json")
    assets, models = {}, []
    if "model" in dump:
        path = resolve(dump["model"], offline=offline)
        assets[dump["model"]] = checksum(path)
        models.append(contents(path))
    value = code_hash(
        package.PACKAGES,
        package.SOURCES,
        settings={name: value for name, value in dump.items() if name != "model"},
        models=models,
    )
    return Fingerprint(value, dump, assets)


def code_hash(packages: Iterable[str], sources: Iterable[str], **more: Any) -> str:
    """sha256 of distributions' versions, of files and folders in here, and of other JSON values."""
    parts = more | {
        "packages": {name: version(name) for name in packages},
        "source": {name: _source_hash(_ROOT / name) for name in sources},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def describe(
    modality: Modality,
    names: Sequence[str],
    units: Sequence[str],
    settings: BaseModel,
    *,
    offline: bool = False,
    unk_id: int | None = None,
    pad_id: int | None = None,
) -> FeatureInfo:
    """What an extractor says of itself: its columns and its fingerprint; raises as that does."""
    made_by = fingerprint(modality, settings, offline=offline)
    return FeatureInfo(
        modality=modality,
        names=tuple(names),
        units=tuple(units),
        settings=made_by.settings,
        assets=made_by.assets,
        fingerprint=made_by.value,
        unk_id=unk_id,
        pad_id=pad_id,
    )


@cache
def _source_hash(path: Path) -> str:
    """sha256 of a Python file, or of all those in a folder."""
    found = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        found.update(f"{file.relative_to(path.parent).as_posix()}\n".encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()
