"""Speech recognition with faster-whisper, for clips that have no transcript."""

from typing import NamedTuple

import numpy as np

from contracts.messages import message
from extractors.assets.resolving import resolve
from extractors.media.clip import Clip
from extractors.media.container import Damage
from extractors.media.sound import sound_blocks
from extractors.settings import SpeechSettings
from extractors.speech.activity import probabilities_of, voiced
from extractors.speech.believing import looped, unheard, without
from extractors.speech.languages import require_language
from extractors.speech.spacing import joined
from extractors.words import Transcript, Word

# Where there is no speech, Whisper invents words or repeats itself (Radford et al., 2022, section
# 4.5). Segments are not believed that compress better than this, or are less likely on average.
_MAX_COMPRESSION = 2.4
_MIN_LOG_PROBABILITY = -1.0
_MAX_NO_SPEECH = 0.6

_SURE = 0.8  # probability from which on the language that was identified counts


class _Heard(NamedTuple):
    """What was recognised of a signal: its text, words, and numbers of those in odd segments."""

    text: str
    words: list[Word]
    odd: set[int]


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
        """Recognise the speech in one clip, all of whose sound is in memory meanwhile.

        Longer recordings are cut before, see `extractors.transcription`.

        Parameters
        ----------
        clip : Clip
        language : str
            That is expected, ISO 639 code. A multilingual model tells which it is: words of
            another language are recognised as such, and not believed, as what reads them does not
            know it.

        Returns
        -------
        Transcript
            Its source is ``asr``, or ``none`` if no speech was heard; then there is no text.

        Raises
        ------
        MediaError
            The file cannot be opened.
        UnsupportedLanguage
            The model does not know the language that is expected.
        """
        require_language(language, self._model.supported_languages, self.settings.model)
        damage = Damage()
        signal = np.concatenate([np.zeros(0, np.float32), *sound_blocks(clip, damage, 60.0)])
        warnings = damage.describe(message("the sound"))
        speech = voiced(probabilities_of(signal))
        if not np.any(signal) or not speech:
            return Transcript("", "none", [], warnings)
        spoken, probability = self._identified(signal)
        foreign = spoken if spoken != language and (probability or 0.0) >= _SURE else None
        text, words, doubtful = self._recognise(signal, foreign or language)
        if foreign:
            warnings.append(
                message(
                    f"the speech sounds like {foreign!r} ({probability:.0%} sure), not like "
                    f"{language!r}, which is what is read: its words are not believed"
                )
            )
            doubtful = set(range(len(words)))
        else:
            doubtful = doubtful | looped(words) | unheard(words, speech)
        believed = [word for number, word in enumerate(words) if number not in doubtful]
        text = without(text, words, doubtful) if believed else ""
        return Transcript(
            text,
            "asr" if text else "none",
            believed,
            warnings,
            [word for number, word in enumerate(words) if number in doubtful],
            spoken,
            probability,
        )

    def _identified(self, signal: np.ndarray) -> tuple[str | None, float | None]:
        """The language that a signal sounds like; None of a model that knows one only."""
        if not self._model.model.is_multilingual:
            return None, None
        language, probability, _ = self._model.detect_language(signal, vad_filter=True)
        return language, float(probability)

    def _recognise(self, signal: np.ndarray, language: str) -> _Heard:
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
        texts: list[str] = []
        words: list[Word] = []
        odd: set[int] = set()
        for segment in segments:
            first = len(words)
            words += [
                Word(w.word.strip(), float(w.start), float(w.end), float(w.probability))
                for w in segment.words or ()
            ]
            believed = (
                segment.compression_ratio <= _MAX_COMPRESSION
                and segment.avg_logprob >= _MIN_LOG_PROBABILITY
                and segment.no_speech_prob <= _MAX_NO_SPEECH
            )
            if not believed:
                odd.update(range(first, len(words)))
            if believed or segment.words:  # else there is nothing to leave out of the text
                texts.append(segment.text.strip())
        return _Heard(joined(texts), words, odd)
