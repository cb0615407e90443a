"""What tests of vision share."""

import pytest

from extractors.settings import VisionSettings
from extractors.vision.extractor import VisionExtractor


@pytest.fixture(scope="session")
def extractor() -> VisionExtractor:
    """An extractor with the default settings."""
    return VisionExtractor(VisionSettings(), offline=True)
