"""Speech recognition with faster-whisper, for clips that have no transcript."""

from collections.abc import Iterator

import numpy as np

from contracts.messages import message
from extractors.assets.resolving import resolve
from extractors.media.clip import Clip
from extractors.media.container import Damage
from extractors.media.sound import SAMPLE_RATE, sound_blocks
from extractors.settings import SpeechSettings
from extractors.speech.languages import require_language
from extractors.words import Transcript, Word

# Where there is no speech, Whisper invents words or repeats itself (Radford et al., 2022, section
# 4.5). Segments are dropped that compress better than this, or are less likely on average.
_MAX_COMPRESSION = 2.4
_MIN_LOG_PROBABILITY = -1.0
_MAX_NO_SPEECH = 0.6

_WINDOW_S = 60.0  # of sound, recognised at a time
_SEARCH_S = 15.0  # last part of a window, in which it is cut at a pause
_PAUSE_S = 0.5
_VAD_STEP = 512  # samples per probability of the voice-activity detector


class SpeechRecognizer:
    """Whisper (int8, on CPU) on the parts in which the Silero voice-activity detector hears speech.

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
            Its source is ``asr``, or ``none`` if no speech was heard; then there is no text.

        Raises
        ------
        MediaError
            The file cannot be opened.
        UnsupportedLanguage
            The model does not know the clip's language.
        """
        require_language(language, self._model.supported_languages, self.settings.model)
        damage = Damage()
        texts: list[str] = []
        words: list[Word] = []
        for begin_s, signal in _windows(clip, damage):
            if np.any(signal):
                text, window_words = self._recognise(signal, begin_s, language)
                texts += [text] if text else []
                words += window_words
        warnings = damage.describe(message("the sound"))
        return Transcript(" ".join(texts), "asr" if texts else "none", words, warnings)

    def _recognise(
        self, signal: np.ndarray, begin_s: float, language: str
    ) -> tuple[str, list[Word]]:
        """Text and words of one window, which begins at `begin_s` in the clip."""
        segments, _ = self._model.transcribe(
            signal,
            language=language,
            beam_size=self.settings.beam_size,
            temperature=0.0,  # no sampling, so that results are reproducible
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
            Word(
                w.word.strip(),
                begin_s + float(w.start),
                begin_s + float(w.end),
                float(w.probability),
            )
            for segment in spoken
            for w in segment.words or ()
        ]
        return " ".join(segment.text.strip() for segment in spoken).strip(), words


def _windows(clip: Clip, damage: Damage) -> Iterator[tuple[float, np.ndarray]]:
    """A clip's sound in windows of at most `_WINDOW_S`, each with its time in the clip, s.

    Windows end in a pause, so that no word is cut in two.
    """
    begin = 0
    window = np.zeros(0, np.float32)
    for block in sound_blocks(clip, damage, _WINDOW_S - _SEARCH_S):
        window = np.concatenate([window, block])
        while len(window) > _WINDOW_S * SAMPLE_RATE:
            cut = _pause(window[: round(_WINDOW_S * SAMPLE_RATE)])
            yield begin / SAMPLE_RATE, window[:cut]
            begin, window = begin + cut, window[cut:]
    yield begin / SAMPLE_RATE, window


def _pause(window: np.ndarray) -> int:
    """The sample near the end of a window around which the probability of speech is lowest."""
    from faster_whisper.vad import get_vad_model

    steps = round(_SEARCH_S * SAMPLE_RATE / _VAD_STEP)
    speech = get_vad_model()(window[-steps * _VAD_STEP :].copy())  # the model writes into its input
    width = round(_PAUSE_S * SAMPLE_RATE / _VAD_STEP)
    around = np.convolve(np.ravel(speech), np.ones(width) / width, "valid")
    return len(window) - (steps - int(np.argmin(around)) - width // 2) * _VAD_STEP
