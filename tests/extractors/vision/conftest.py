"""What tests of vision share."""

import numpy as np
import pytest

from extractors.media.container import Clip, Damage
from extractors.settings import VisionSettings
from extractors.vision.extractor import VisionExtractor
from extractors.vision.frames import sample_frames


@pytest.fixture(scope="session")
def extractor() -> VisionExtractor:
    """An extractor with the default settings."""
    return VisionExtractor(VisionSettings(), offline=True)


@pytest.fixture(scope="session")
def face(spoken_clip):
    """One second of a face, RGB [10, height, width, 3]."""
    clip = Clip(str(spoken_clip[0]), 0.0, 1.0)
    return np.stack(list(sample_frames(clip, 10, 0.1, 1280, Damage())))


@pytest.fixture
def shown(monkeypatch, extractor):
    """Extracts features of pictures (None: nothing shown), ten a second."""

    def extract(pictures, using=extractor):
        monkeypatch.setattr("extractors.vision.extractor.sample_frames", lambda *_: iter(pictures))
        monkeypatch.setattr("extractors.vision.faces.loudness", lambda _: np.zeros(0))
        rows = using.extract(Clip("pictures", 0.0, len(pictures) / 10))
        assert rows.values.dtype == np.float32
        assert not rows.values[~rows.observed].any()
        return rows

    return extract
