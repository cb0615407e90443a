"""Audio features: prosody and timbre."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractors.audio.extractor import AudioExtractor
    from extractors.settings import AudioSettings


# What decides the values, see `extractors.fingerprint`.
PACKAGES = ("librosa", "numba", "llvmlite", "numpy", "scipy", "av")
SOURCES = ("extractors/audio",)


def build(settings: "AudioSettings") -> "AudioExtractor":
    """Prepare librosa.

    Its libraries are imported now, so that a process that only hands this function to workers
    needs none of them.
    """
    from extractors.audio.extractor import AudioExtractor

    return AudioExtractor(settings)
