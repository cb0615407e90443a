"""Makes the extractors; what each of them needs is imported when it is made, not before.

So these functions can be handed to workers by a process that has imported none of it.
"""

from typing import TYPE_CHECKING

from extractors.settings import AudioSettings, SpeechSettings, TextSettings, VisionSettings

if TYPE_CHECKING:
    from extractors.audio.extractor import AudioExtractor
    from extractors.speech.recognizer import SpeechRecognizer
    from extractors.text.extractor import TextExtractor
    from extractors.vision.extractor import VisionExtractor


def text(settings: TextSettings) -> "TextExtractor":
    """Load the BERT encoder; the model must be on this machine."""
    from extractors.text.extractor import TextExtractor

    return TextExtractor(settings, offline=True)


def audio(settings: AudioSettings) -> "AudioExtractor":
    """Prepare librosa."""
    from extractors.audio.extractor import AudioExtractor

    return AudioExtractor(settings)


def vision(settings: VisionSettings) -> "VisionExtractor":
    """Prepare MediaPipe; the model must be on this machine."""
    from extractors.vision.extractor import VisionExtractor

    return VisionExtractor(settings, offline=True)


def speech(settings: SpeechSettings) -> "SpeechRecognizer":
    """Load Whisper; the model must be on this machine."""
    from extractors.speech.recognizer import SpeechRecognizer

    return SpeechRecognizer(settings, offline=True)
