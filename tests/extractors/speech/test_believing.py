import numpy as np
import pytest

from extractors.media.container import Clip
from extractors.settings import SpeechSettings
from extractors.speech.activity import Span
from extractors.speech.believing import looped, probable, unheard, without
from extractors.speech.recognizer import SpeechRecognizer
from extractors.words import Word

RATE = 16_000
TIME = np.arange(10 * RATE) / RATE


def words(text: str, probability: float = 0.9) -> list[Word]:
    return [Word(w, float(n), n + 0.5, probability) for n, w in enumerate(text.split())]


def test_words_said_where_nobody_speaks_are_not_believed():
    said = [*words("one two three"), Word("captioned", None, None, None)]
    assert unheard(said, [Span(0.0, 0.4), Span(2.6, 3.0)]) == {1}
    assert unheard(said, []) == {0, 1, 2}


@pytest.mark.parametrize(
    ("text", "loop"),
    [
        ("no no no no", ""),
        ("Thank you. Thank you. Thank you.", ""),
        ("so you you you you you you then", "you you you you you you"),
        ("Well thank you. Thank you. thank you, thank you. Bye", "thank you." * 4),
        ("a b c a b c a b c a b c", "abc" * 4),
        ("", ""),
    ],
)
def test_phrases_that_are_repeated_as_nobody_does_are_not_believed(text, loop):
    said = words(text)
    found = "".join(said[n].word for n in sorted(looped(said)))
    assert found.lower().replace(",", ".").replace(".", "") == loop.replace(" ", "").replace(
        ".", ""
    )


def test_words_that_the_recogniser_is_unsure_of_are_not_believed():
    surely, perhaps, given = Word("Surely,", 0.0, 0.5, 0.9), Word("not", 0.5, 1.0, 0.1), None
    said = [surely, perhaps, Word("so.", 1.0, 1.5, given)]
    assert probable("Surely, not so.", said) == ("Surely, so.", [said[0], said[2]], [perhaps])
    assert probable("not", [perhaps]) == ("", [], [perhaps])
    assert probable("Typed.", []) == ("", [], [])


def test_words_that_are_not_believed_leave_the_text_as_it_is_around_them():
    said = words("I, not not you.")
    assert without("I,  not not you.", said, {1}) == "I, not you."
    assert without("I,  not not you.", said, set()) == "I,  not not you."
    chinese = [Word("很", 0.0, 0.5, 0.1), Word("好", 0.5, 1.0, 0.9)]
    assert without("我很好", chinese, {0}) == "我好"


def hum() -> np.ndarray:
    return 0.2 * np.sin(2 * np.pi * 50 * TIME) + 0.1 * np.sin(2 * np.pi * 100 * TIME)


def music() -> np.ndarray:
    """A tune of plucked strings: harmonics that die away."""
    draw = np.random.default_rng(0)
    sound = np.zeros(len(TIME))
    for begin in range(0, len(TIME) - RATE, RATE // 4):
        pitch = 220 * 2 ** (draw.choice([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
        time = TIME[: RATE // 2]
        harmonics = sum(np.sin(2 * np.pi * pitch * h * time) / h for h in range(1, 6))
        sound[begin : begin + len(time)] += 0.15 * np.exp(-4 * time) * harmonics
    return sound


@pytest.fixture(scope="module")
def babble(spoken_clips, decode_sound) -> np.ndarray:
    """Eight people at once."""
    voices = [np.resize(decode_sound(path, 3.0), len(TIME)) for path, _ in spoken_clips[::11][:8]]
    sound = np.sum([np.roll(voice, 5000 * n) for n, voice in enumerate(voices)], axis=0)
    return 0.1 * sound / sound.std()


@pytest.fixture(scope="module")
def recognizer():
    return SpeechRecognizer(SpeechSettings(), offline=True)


@pytest.mark.parametrize("name", ["silence", "hum", "music", "babble"])
def test_no_word_is_believed_where_nobody_can_be_understood(recognizer, babble, monkeypatch, name):
    sounds = {"silence": np.zeros(len(TIME)), "hum": hum(), "music": music(), "babble": babble}
    sound = sounds[name].astype(np.float32)
    monkeypatch.setattr("extractors.speech.recognizer.sound_blocks", lambda *_: iter([sound]))
    transcript = recognizer.extract(Clip(name, 0.0, 10.0), "en")
    assert (transcript.text, transcript.source, transcript.words) == ("", "none", [])


def speaking(monkeypatch, language: str, probability: float, signal: np.ndarray):
    """A recognizer whose model is multilingual and identifies a language."""
    recognizer = SpeechRecognizer(SpeechSettings(), offline=True)
    asked = []

    class Model:
        model = type("", (), {"is_multilingual": True})
        supported_languages = ("en", "de")

        def detect_language(self, *_, **__):
            return language, probability, []

        def transcribe(self, _, language, **__):
            asked.append(language)
            word = type("W", (), {"word": " Ja", "start": 0.2, "end": 0.5, "probability": 0.9})
            segment = type(
                "S",
                (),
                {
                    "text": " Ja",
                    "words": [word],
                    "compression_ratio": 1.0,
                    "avg_logprob": -0.1,
                    "no_speech_prob": 0.0,
                },
            )
            return [segment], None

    recognizer._model = Model()
    monkeypatch.setattr("extractors.speech.recognizer.sound_blocks", lambda *_: iter([signal]))
    monkeypatch.setattr("extractors.speech.recognizer.voiced", lambda _: [Span(0.0, 1.0)])
    return recognizer.extract(Clip("a", 0.0, 1.0), "en"), asked


def test_words_of_another_language_are_recognised_as_such_and_not_believed(monkeypatch):
    transcript, asked = speaking(monkeypatch, "de", 0.95, np.ones(RATE, np.float32))
    assert asked == ["de"]
    assert (transcript.text, transcript.source, transcript.words) == ("", "none", [])
    assert [word.word for word in transcript.doubted] == ["Ja"]
    assert (transcript.language, transcript.language_probability) == ("de", 0.95)
    assert "sounds like 'de' (95% sure), not like 'en'" in transcript.warnings[0]


@pytest.mark.parametrize(("language", "probability"), [("de", 0.5), ("en", 0.99)])
def test_words_are_believed_where_no_other_language_is_sure(monkeypatch, language, probability):
    transcript, asked = speaking(monkeypatch, language, probability, np.ones(RATE, np.float32))
    assert asked == ["en"]
    assert (transcript.text, transcript.source, transcript.warnings) == ("Ja", "asr", [])
