"""Raw clips to features: what is said, how it sounds, what the face does.

from extractors import extract
features = extract(["a.mp4", "folder/"])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import contracts.environment  # noqa: F401 - for what is imported below

if TYPE_CHECKING:
    from extractors.api import Features, extract, extract_dataset, read_features
    from extractors.errors import MediaError, SetupError
    from extractors.settings import ExtractorSettings
    from extractors.workers.session import Session

__all__ = [
    "ExtractorSettings",
    "Features",
    "MediaError",
    "Session",
    "SetupError",
    "extract",
    "extract_dataset",
    "read_features",
]

_HOMES = {
    "ExtractorSettings": "settings",
    "MediaError": "errors",
    "Session": "workers.session",
    "SetupError": "errors",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and no more: `extractors.errors` alone takes no time."""
    if name in __all__:
        return getattr(import_module(f"extractors.{_HOMES.get(name, 'api')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
