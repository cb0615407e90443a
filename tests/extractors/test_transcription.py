import json
from types import SimpleNamespace

import pytest

from extractors import SetupError, listening, transcription
from extractors.errors import MissingAsset
from extractors.listening import Listened
from extractors.settings import SpeechSettings
from extractors.transcription import transcribe, transcribe_new, wordless_sound
from extractors.words import Word


def test_given_text_needs_no_model(make_clip, session, listed):
    make_clip("in/a.mp4", seconds=0.2)
    silent = make_clip("in/b.mp4", seconds=0.2, audio=False)
    manifest = listed(silent.parent, language="zh", texts=["很好", ""])
    result = transcribe(manifest, SpeechSettings(model="no/such-model"), session)
    assert result.table["text"].to_pylist() == ["很好", ""]
    assert result.table["source"].to_pylist() == ["given", "none"]


def test_missing_speech_model_stops_the_run_before_it_starts(make_clip, session, listed):
    manifest = listed(make_clip(seconds=0.2))
    with pytest.raises(SetupError, match="no/such-model"):
        transcribe(manifest, SpeechSettings(model="no/such-model"), session)


def test_language_that_the_speech_model_does_not_know_stops_the_run(make_clip, session, listed):
    manifest = listed(make_clip(seconds=0.2), language="zh")
    with pytest.raises(SetupError, match="'zh'"):
        transcribe(manifest, SpeechSettings(), session)


def test_language_that_the_speech_model_does_not_know_is_told_before_the_model_is_loaded(
    make_clip, session, listed, monkeypatch, capsys
):
    def load(*_):
        raise AssertionError("a worker loads the model")

    manifest = listed(make_clip(seconds=0.2), language="de")
    monkeypatch.setattr(listening, "Collection", load)
    with pytest.raises(SetupError, match=r"whisper-tiny.en does not know the language 'de'"):
        transcribe(manifest, SpeechSettings(), session)
    transcribe_new(manifest, SpeechSettings(), session)
    assert "words: no words are recognised: whisper-tiny.en" in capsys.readouterr().err


def test_larger_recognizer_is_one_setting_and_its_download_is_told_before_it_begins(
    make_clip, session, listed, monkeypatch, capsys, tmp_path
):
    name = "Systran/faster-whisper-small"
    tokens = [f"t{number}" for number in range(51_864)] + ["<|en|>", "<|de|>"]
    (tmp_path / "vocabulary.json").write_text(json.dumps(tokens), "utf-8")
    told, heard = [], []

    def resolve(asked, *, offline=False):
        if offline:
            raise MissingAsset(f"{asked}: not found")
        told.append(capsys.readouterr().err)
        return tmp_path

    files = [SimpleNamespace(rfilename="model.bin", size=484_000_000)]
    api = SimpleNamespace(model_info=lambda *_, **__: SimpleNamespace(siblings=files))
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: api)
    monkeypatch.setattr("extractors.assets.downloads.resolve", resolve)
    monkeypatch.setattr(
        transcription, "listen", lambda *asked: heard.append(asked) or Listened({}, [])
    )
    manifest = listed(make_clip(seconds=0.2), language="de")
    online = SimpleNamespace(run=session.run.model_copy(update={"offline": False}))
    result = transcribe_new(manifest, SpeechSettings(model=name), online)
    assert told == [f"model: {name} is not on this machine, 484 MB are fetched from the "
                    "Hugging Face hub\n"]  # fmt: skip
    assert heard[0][1].model == name and result.warnings == []  # it knows German


def test_speech_that_sounds_like_another_language_is_told_of_its_video(
    make_clip, session, listed, monkeypatch
):
    said = "the speech sounds like 'de' (95% sure), not like 'en'"
    row = {"clip_id": "clip.mp4", "text": "", "source": "none", "words": [], "language": "de",
           "language_probability": 0.95, "doubted": [], "warnings": [said]}  # fmt: skip
    heard = Listened({"clip.mp4": row}, [])
    monkeypatch.setattr(transcription, "listen", lambda *_: heard)
    result = transcribe_new(listed(make_clip(seconds=0.2)), SpeechSettings(), session)
    assert result.warnings == [f"clip.mp4: {said}"]
    assert result.recognition["language"].to_pylist() == ["de"]


def test_new_video_in_a_language_that_the_speech_model_does_not_know_has_no_words_and_is_told_so(
    make_clip, session, listed
):
    make_clip("in/a.mp4", seconds=0.2)
    silent = make_clip("in/b.mp4", seconds=0.2, audio=False)
    manifest = listed(silent.parent, language="jv")
    result = transcribe_new(manifest, SpeechSettings(), session)
    assert result.table["text"].to_pylist() == ["", ""]
    assert result.table["source"].to_pylist() == ["unknown", "none"]
    (warning,) = result.warnings
    assert "no words are recognised: whisper-tiny.en does not know the language 'jv'" in warning
    again = transcribe_new(listed(silent.parent), SpeechSettings(), session)  # the session lives
    assert again.table["source"].to_pylist() == ["none", "none"]


def test_nothing_is_recognised_without_a_speech_model(make_clip, session, listed):
    make_clip("in/a.mp4", seconds=0.2)
    folder = make_clip("in/b.mp4", seconds=0.2).parent
    manifest = listed(folder, texts=["given words", ""])
    result = transcribe(manifest, SpeechSettings(model="none"), session)
    assert result.table["source"].to_pylist() == ["given", "unknown"]
    assert (result.quarantine, result.warnings) == ([], [])


def test_given_words_keep_their_times(make_clip, session, listed):
    manifest = listed(make_clip(seconds=0.2), texts=["so be it"])
    words = [Word("so", 0.0, 0.1, None), Word("be", 0.0, 0.1, None), Word("it", 0.1, 0.2, None)]
    result = transcribe(manifest, SpeechSettings(), session, {"clip.mp4": words})
    assert [Word(**word) for word in result.table["words"].to_pylist()[0]] == words


def test_sound_only_without_words_is_nothing_to_learn_from(make_clip, session, listed):
    make_clip("in/a.mp4", seconds=0.2, video=False)
    make_clip("in/b.mp4", seconds=0.2, video=False)
    folder = make_clip("in/c.mp4", seconds=0.2).parent
    manifest = listed(folder, texts=["words", "", ""])
    transcripts = transcribe(manifest, SpeechSettings(), session).table
    assert [rejected.clip_id for rejected in wordless_sound(manifest, transcripts)] == ["b.mp4"]
