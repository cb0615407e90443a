"""What is said in a clip, by faster-whisper, for clips that come without a transcript."""

from typing import NamedTuple

import numpy as np

from extractors.assets import resolve
from extractors.errors import UnsupportedLanguage
from extractors.media import Clip, Damage
from extractors.settings import SpeechSettings
from extractors.sound import decode_audio

# Whisper (Radford et al., 2022, section 4.5) repeats itself on what is not speech; text that
# compresses better than this, or is less likely than this on average, is taken for that.
_MAX_COMPRESSION = 2.4
_MIN_LOG_PROBABILITY = -1.0
_MAX_NO_SPEECH = 0.6


class Word(NamedTuple):
    """One word and when it was said, s from the clip's start."""

    word: str
    start_s: float | None
    end_s: float | None
    probability: float | None


class Transcript(NamedTuple):
    """What is said in a clip and how that is known: ``given``, ``asr``, or ``none``."""

    text: str
    source: str
    words: list[Word]
    warnings: list[str]


class SpeechRecognizer:
    """Whisper on CPU (int8), behind the Silero voice-activity detector.

    Parameters
    ----------
    settings : SpeechSettings
    offline : bool
        Never download the model.

    Raises
    ------
    MissingAsset
        The model was not found.
    """

    def __init__(self, settings: SpeechSettings, *, offline: bool = False) -> None:
        from faster_whisper import WhisperModel

        self.settings = settings
        path = resolve(settings.model, offline=offline)
        self._model = WhisperModel(
            str(path), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )

    def extract(self, clip: Clip, language: str) -> Transcript:
        """Recognise the speech in one clip.

        Returns
        -------
        Transcript
            With source ``none`` and no text where no speech is heard.

        Raises
        ------
        MediaError
            The file cannot be opened.
        UnsupportedLanguage
            The model does not know the clip's language.
        """
        known = self._model.supported_languages
        if language not in known:
            names = ", ".join(known) if len(known) < 10 else f"{len(known)} others"
            raise UnsupportedLanguage(
                f"{self.settings.model} does not know the language {language!r} (it knows "
                f"{names}); choose a multilingual speech model, or give the text in label.csv"
            )
        damage = Damage()
        signal = decode_audio(clip, damage)
        warnings = damage.describe("the sound")
        if not np.any(signal):
            return Transcript("", "none", [], warnings)
        segments, _ = self._model.transcribe(
            signal,
            language=language,
            beam_size=self.settings.beam_size,
            temperature=0.0,  # no sampling: the same words every time
            condition_on_previous_text=False,
            no_speech_threshold=_MAX_NO_SPEECH,
            log_prob_threshold=_MIN_LOG_PROBABILITY,
            word_timestamps=True,
            vad_filter=True,
        )
        spoken = [
            segment
            for segment in segments
            if segment.compression_ratio <= _MAX_COMPRESSION
            and segment.avg_logprob >= _MIN_LOG_PROBABILITY
            and segment.no_speech_prob <= _MAX_NO_SPEECH
        ]
        words = [
            Word(w.word.strip(), float(w.start), float(w.end), float(w.probability))
            for segment in spoken
            for w in segment.words or ()
        ]
        text = " ".join(segment.text.strip() for segment in spoken).strip()
        return Transcript(text, "asr" if text else "none", words, warnings)
