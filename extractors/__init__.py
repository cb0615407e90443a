"""Raw clips to features: what is said, how it sounds, what the face does.

from extractors import extract
features = extract(["a.mp4", "folder/"])
"""

from extractors.api import Features, extract, read_features
from extractors.errors import MediaError, SetupError
from extractors.settings import ExtractorSettings

__all__ = [
    "ExtractorSettings",
    "Features",
    "MediaError",
    "SetupError",
    "extract",
    "read_features",
]
