from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from contracts.schemas import MANIFEST
from extractors import SetupError
from extractors.datasets.listing import probe_files
from extractors.settings import SpeechSettings
from extractors.transcription import transcribe, wordless_sound
from extractors.workers.session import Session


@pytest.fixture
def listed(session: Session) -> Callable[..., pa.Table]:
    """Manifest of some files or folders."""

    def manifest(*paths: Path, language: str = "en") -> pa.Table:
        return probe_files(paths, session, language=language).manifest

    return manifest


def given(manifest, texts):
    index = manifest.schema.get_field_index("text")
    return manifest.set_column(index, MANIFEST.field("text"), [texts])


def test_given_text_needs_no_model(make_clip, session, listed):
    make_clip("in/a.mp4", seconds=0.2)
    silent = make_clip("in/b.mp4", seconds=0.2, audio=False)
    manifest = given(
        listed(silent.parent, language="zh"),
        ["很好", ""],
    )
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


def test_sound_only_without_words_is_nothing_to_learn_from(make_clip, session, listed):
    make_clip("in/a.mp4", seconds=0.2, video=False)
    make_clip("in/b.mp4", seconds=0.2, video=False)
    folder = make_clip("in/c.mp4", seconds=0.2).parent
    manifest = given(
        listed(folder),
        ["words", "", ""],
    )
    transcripts = transcribe(manifest, SpeechSettings(), session).table
    assert [rejected.clip_id for rejected in wordless_sound(manifest, transcripts)] == ["b.mp4"]
