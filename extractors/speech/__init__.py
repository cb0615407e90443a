"""Speech recognition, for clips that come without a transcript."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractors.settings import SpeechSettings
    from extractors.speech.recognizer import SpeechRecognizer


# What decides the words, see `extractors.fingerprint`.
PACKAGES = ("faster-whisper", "ctranslate2", "onnxruntime", "tokenizers", "numpy", "av")
SOURCES = ("extractors/speech", "extractors/listening.py")


def build(settings: "SpeechSettings") -> "SpeechRecognizer":
    """Load the recogniser; the model must be on this machine.

    Its libraries are imported now, so that a process that only hands this function to workers
    needs none of them.
    """
    from extractors.speech.recognizer import SpeechRecognizer

    return SpeechRecognizer(settings, offline=True)
