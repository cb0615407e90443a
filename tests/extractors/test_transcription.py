import pytest

from extractors import SetupError
from extractors.settings import SpeechSettings
from extractors.transcription import transcribe, wordless_sound


def test_given_text_needs_no_model(make_clip, one_worker, cache, listed):
    make_clip("in/a.mp4", seconds=0.2)
    silent = make_clip("in/b.mp4", seconds=0.2, audio=False)
    manifest = listed(silent.parent, language="zh", texts=["很好", ""])
    result = transcribe(manifest, SpeechSettings(model="no/such-model"), one_worker, cache)
    assert result.table["text"].to_pylist() == ["很好", ""]
    assert result.table["source"].to_pylist() == ["given", "none"]


def test_missing_speech_model_stops_the_run_before_it_starts(make_clip, one_worker, cache, listed):
    manifest = listed(make_clip(seconds=0.2))
    with pytest.raises(SetupError, match="no/such-model"):
        transcribe(manifest, SpeechSettings(model="no/such-model"), one_worker, cache)


def test_language_that_the_speech_model_does_not_know_stops_the_run(
    make_clip, one_worker, cache, listed
):
    manifest = listed(make_clip(seconds=0.2), language="zh")
    with pytest.raises(SetupError, match="'zh'"):
        transcribe(manifest, SpeechSettings(), one_worker, cache)


def test_sound_only_without_words_is_nothing_to_learn_from(make_clip, one_worker, cache, listed):
    make_clip("in/a.mp4", seconds=0.2, video=False)
    make_clip("in/b.mp4", seconds=0.2, video=False)
    folder = make_clip("in/c.mp4", seconds=0.2).parent
    manifest = listed(folder, texts=["words", "", ""])
    transcripts = transcribe(manifest, SpeechSettings(), one_worker, cache).table
    assert [rejected.clip_id for rejected in wordless_sound(manifest, transcripts)] == ["b.mp4"]
