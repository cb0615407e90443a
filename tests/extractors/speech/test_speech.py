import re

import numpy as np
import pytest

from extractors.errors import UnsupportedLanguage
from extractors.media.container import Clip, Damage, probe
from extractors.settings import SpeechSettings
from extractors.speech.recognizer import SpeechRecognizer, _windows


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


@pytest.fixture(scope="module")
def sentences(spoken_clips, decode_sound) -> list[tuple[np.ndarray, str]]:
    """Some sentences, each with a second of silence after it, and their words."""
    sentences = []
    for path, text in spoken_clips[:16]:
        signal = decode_sound(path, probe(str(path)).duration_s)
        sentences.append((np.concatenate([signal, np.zeros(16_000, np.float32)]), text))
    return sentences


@pytest.fixture(scope="module")
def speech(sentences) -> np.ndarray:
    """All of the sentences, with a hum beneath."""
    signal = np.concatenate([sentence for sentence, _ in sentences])
    hum = 0.02 * np.sin(2 * np.pi * 100 * np.arange(len(signal)) / 16_000)
    return (signal + hum).astype(np.float32)


@pytest.fixture
def short_windows(monkeypatch, speech):
    monkeypatch.setattr("extractors.speech.recognizer._WINDOW_S", 15.0)
    monkeypatch.setattr("extractors.speech.recognizer._SEARCH_S", 6.0)

    def blocks(clip, damage, seconds):
        size = round(seconds * 16_000)
        yield from (speech[i : i + size] for i in range(0, len(speech), size))

    monkeypatch.setattr("extractors.speech.recognizer.sound_blocks", blocks)


def test_windows_are_the_whole_sound_and_end_in_pauses(short_windows, speech):
    windows = list(_windows(Clip("speech", 0.0, 60.0), Damage()))
    assert len(windows) > 4
    np.testing.assert_array_equal(np.concatenate([w for _, w in windows]), speech)
    begins = np.cumsum([0, *(len(w) for _, w in windows)])
    np.testing.assert_allclose([begin for begin, _ in windows], begins[:-1] / 16_000)
    assert all(9 * 16_000 <= len(w) <= 15 * 16_000 for _, w in windows[:-1])
    for cut in begins[1:-1]:
        around = speech[cut - 1600 : cut + 1600]
        assert np.abs(around).max() < 0.05


def test_long_recording_is_recognised_piece_by_piece_on_one_time_axis(
    recognizer, short_windows, sentences
):
    transcript = recognizer.extract(Clip("speech", 0.0, 60.0), "en")
    starts = [word.start_s for word in transcript.words]
    assert starts == sorted(starts)
    assert " ".join(word.word for word in transcript.words) == transcript.text
    begin_s, correct, total = 0.0, 0, 0
    for signal, text in sentences:
        end_s = begin_s + len(signal) / 16_000
        recognised = " ".join(w.word for w in transcript.words if begin_s - 0.3 < w.start_s < end_s)
        total += len(set(words_of(text)))
        correct += len(set(words_of(text)) & set(words_of(recognised)))
        begin_s = end_s
    assert correct > 0.8 * total
