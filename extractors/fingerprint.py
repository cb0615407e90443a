"""What a result was made by, in one hash.

Two results with the same fingerprint were made by the same settings, model files, library
versions and code, and are the same for the same clip. Nobody bumps a version by hand.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any, NamedTuple

from pydantic import BaseModel

from contracts.code import digest
from contracts.features import FeatureInfo
from contracts.schemas import Modality
from extractors.assets.resolving import checksum, contents, resolve

# Imported by extractors, and yet nothing that they make depends on it.
HARMLESS = {
    "extractors/__init__.py": "names what the package offers",
    "extractors/errors.py": "what is told where something fails",
    "extractors/settings.py": "the values count, not the checks of them",
    "extractors/workers": "how the work is done and where results are kept, not what comes out",
}
# Nor what they make of one clip.
HARMLESS_FOR_ONE_CLIP = {
    "contracts/files.py": "how a file is replaced",
    "contracts/parquet.py": "how a table is written",
    "contracts/quarantine.py": "what is told of clips that failed",
    "extractors/assets": "model files count by their content",
    "extractors/fingerprint.py": "the hash itself",
}


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
        distributions that count (`PACKAGES`), and the files and folders that count together with
        what they import (`SOURCES`).
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
    """sha256 of distributions' versions, of code with all it imports, and of other JSON values."""
    parts = more | {
        "packages": {name: version(name) for name in packages},
        "source": _source_hash(tuple(sources)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache  # what runs is what was read when the process began
def _source_hash(sources: tuple[str, ...]) -> str:
    return digest(sources, without=HARMLESS | HARMLESS_FOR_ONE_CLIP)


def describe(
    modality: Modality,
    names: Sequence[str],
    units: Sequence[str],
    settings: BaseModel,
    *,
    offline: bool = False,
    unk_id: int | None = None,
    pad_id: int | None = None,
    lost_id: int | None = None,
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
        lost_id=lost_id,
    )
