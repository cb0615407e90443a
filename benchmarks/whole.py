"""All that is extracted from a clip in one worker, for `extraction.py`; workers import it."""

from extractors.audio.extractor import AudioExtractor
from extractors.media.container import Clip
from extractors.settings import ExtractorSettings
from extractors.text.extractor import TextExtractor
from extractors.vision.extractor import VisionExtractor

_SETTINGS = ExtractorSettings()


class Whole:
    """All three extractors in one worker."""

    def __init__(self) -> None:
        self.text = TextExtractor(_SETTINGS.text, offline=True)
        self.audio = AudioExtractor(_SETTINGS.audio)
        self.vision = VisionExtractor(_SETTINGS.vision, offline=True)

    def extract(self, clip: Clip, text: str) -> None:
        """Everything about one clip."""
        self.text.extract(text, [])
        self.audio.extract(clip)
        self.vision.extract(clip)
