"""A recording from end to end, with the model of the bundled corpus where it is there."""

from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[3] / "data" / "sample" / "Raw"
CLIPS = ("joe/001", "joe/004", "joe/007")

pytestmark = pytest.mark.slow
