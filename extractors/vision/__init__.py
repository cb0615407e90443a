"""Vision features: expression and head pose of the face in a clip."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractors.settings import VisionSettings
    from extractors.vision.extractor import VisionExtractor


# What decides the values, see `extractors.fingerprint`.
PACKAGES = ("mediapipe", "numpy", "av", "opencv-contrib-python", "opencv-python")
SOURCES = ("extractors/vision",)


def build(settings: "VisionSettings") -> "VisionExtractor":
    """Prepare MediaPipe; the model must be on this machine.

    Its libraries are imported now, so that a process that only hands this function to workers
    needs none of them.
    """
    from extractors.vision.extractor import VisionExtractor

    return VisionExtractor(settings, offline=True)
