import re

import numpy as np
import pytest

from extractors.errors import UnsupportedLanguage
from extractors.media.container import Clip, probe
from extractors.settings import SpeechSettings
from extractors.speech.recognizer import SpeechRecognizer


@pytest.fixture(scope="module")
def recognizer():
    return SpeechRecognizer(SpeechSettings(), offline=True)


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def test_spoken_words_are_recognised_with_their_times(recognizer, spoken_clip):
    path, text = spoken_clip
    seconds = probe(str(path)).duration_s
    transcript = recognizer.extract(Clip(str(path), 0.0, seconds), "en")
    assert transcript.source == "asr"
    missed = set(words_of(text)) - set(words_of(transcript.text))
    assert len(missed) <= 0.4 * len(words_of(text))
    assert " ".join(word.word for word in transcript.words) == transcript.text
    starts = [word.start_s for word in transcript.words]
    assert starts == sorted(starts)
    assert 0 <= starts[0] < transcript.words[-1].end_s <= seconds + 0.1
    assert all(0 < word.probability <= 1 for word in transcript.words)


def test_same_clip_gives_the_same_words(recognizer, spoken_clip):
    clip = Clip(str(spoken_clip[0]), 0.0, probe(str(spoken_clip[0])).duration_s)
    assert recognizer.extract(clip, "en") == recognizer.extract(clip, "en")


@pytest.mark.parametrize("wishes", [{"audio": False}, {"level": 0.0}, {"tone_hz": 440.0}])
def test_no_speech_is_no_words(recognizer, make_clip, wishes):
    transcript = recognizer.extract(Clip(str(make_clip(seconds=2.0, **wishes)), 0.0, 2.0), "en")
    assert (transcript.text, transcript.source, transcript.words) == ("", "none", [])


def test_noise_is_no_words(recognizer, monkeypatch):
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32)
    monkeypatch.setattr("extractors.speech.recognizer.sound_blocks", lambda *_: iter([noise]))
    assert recognizer.extract(Clip("noise", 0.0, 3.0), "en").source == "none"


def test_language_that_the_model_does_not_know_is_refused(recognizer, make_clip):
    with pytest.raises(UnsupportedLanguage, match=r"'zh'.*multilingual"):
        recognizer.extract(Clip(str(make_clip()), 0.0, 1.0), "zh")
