"""What a feature was made by, in one hash.

Two tables with the same fingerprint were made by the same settings, model files, library
versions and source, and hold the same values for the same clips.
"""

import hashlib
import json
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any


def fingerprint(
    settings: dict[str, Any],
    assets: dict[str, str],
    packages: Iterable[str],
    modules: Iterable[str],
) -> str:
    """Hash everything that can change an extractor's output.

    Parameters
    ----------
    settings : dict
        The extractor's settings, JSON types only.
    assets : dict
        sha256 of each model by name.
    packages : iterable of str
        Distributions whose versions count.
    modules : iterable of str
        Imported modules whose source counts.

    Returns
    -------
    str
        sha256, hexadecimal.
    """
    parts = {
        # What a model is counts, not the name or path it was asked for by.
        "settings": {name: value for name, value in settings.items() if name != "model"},
        "assets": sorted(assets.values()),
        "packages": {name: version(name) for name in packages},
        "source": {name: _source_hash(name) for name in modules},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _source_hash(module: str) -> str:
    file = sys.modules[module].__file__
    assert file is not None, f"{module} has no source file"
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
