import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import extractors
from extractors import ExtractorSettings, SetupError, extract, read_features
from extractors.manifest import probe_files
from extractors.run import extract_modality, transcribe, wordless_sound
from extractors.settings import AudioSettings, RunSettings, SpeechSettings, TextSettings
from extractors.tables import (
    MANIFEST,
    MODALITIES,
    TRANSCRIPTS,
    clip_values,
    feature_info,
    write_table,
)

SETTINGS = ExtractorSettings(run=RunSettings(workers=1, offline=True))


@pytest.fixture(scope="module")
def features(tmp_path_factory, spoken_clip, clip_writer):
    """Features of a complete clip, one without a face or words, and garbage."""
    folder = tmp_path_factory.mktemp("videos")
    clip_writer(folder / "tone.mp4", seconds=1.2)
    (folder / "garbage.mp4").write_text("not a video\n" * 100)
    return extract([spoken_clip[0], folder], SETTINGS)


def row(table, clip_id):
    return table["clip_id"].to_pylist().index(clip_id)


def test_every_clip_that_can_be_read_is_in_every_table(features, spoken_clip):
    clip_ids = sorted([spoken_clip[0].name, "tone.mp4"])
    for table in (features.manifest, features.transcripts, features.text, features.audio,
                  features.vision):  # fmt: skip
        assert table["clip_id"].to_pylist() == clip_ids
    assert [rejected.clip_id for rejected in features.quarantine] == ["garbage.mp4"]


def test_rows_follow_the_duration_whatever_was_observed(features):
    for index, clip in enumerate(features.manifest.to_pylist()):
        for table, rate in ((features.audio, 25), (features.vision, 10)):
            rows = len(clip_values(table, index))
            assert rows == pytest.approx(clip["duration_s"] * rate, abs=1)
            assert len(table["observed"][index]) == rows
    tone = row(features.vision, "tone.mp4")
    assert not any(features.vision["observed"][tone].as_py())
    assert not clip_values(features.vision, tone).any()


def test_new_video_needs_no_transcript(features, spoken_clip):
    sources = dict(
        zip(*(features.transcripts[name].to_pylist() for name in ("clip_id", "source")),
            strict=True)
    )  # fmt: skip
    assert sources == {spoken_clip[0].name: "asr", "tone.mp4": "none"}
    spoken = row(features.text, spoken_clip[0].name)
    starts = features.text["starts"][spoken].as_py()
    assert starts[0] is None
    assert all(start is not None for start in starts[1:-1])
    assert features.text["token_ids"][row(features.text, "tone.mp4")].as_py() == [101, 102]


def test_tables_are_well_formed_and_say_how_they_were_made(features):
    for modality in MODALITIES:
        table = getattr(features, modality)
        table.validate(full=True)
        info = feature_info(table)
        assert info.modality == modality
        assert info.settings == getattr(SETTINGS, modality).model_dump(mode="json")
        values = table["values"].combine_chunks().flatten().flatten().to_numpy()
        assert np.isfinite(values).all()
    assert features.manifest.schema == MANIFEST
    assert features.transcripts.schema == TRANSCRIPTS


def test_features_come_back_as_written(features, tmp_path):
    features.write(tmp_path)
    back = read_features(tmp_path)
    for name in ("manifest", "transcripts", *MODALITIES):
        assert getattr(back, name).equals(getattr(features, name), check_metadata=True)
    assert back.quarantine == features.quarantine


@pytest.mark.slow
def test_two_workers_write_the_same_bytes_as_one(features, spoken_clip, tmp_path):
    tone = features.manifest["path"].to_pylist()[row(features.manifest, "tone.mp4")]
    two = RunSettings(workers=2, offline=True)
    again = extract([Path(tone).parent, spoken_clip[0]], SETTINGS.model_copy(update={"run": two}))
    features.write(tmp_path / "one")
    again.write(tmp_path / "two")
    files = [file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*.parquet")]
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def given(manifest, texts):
    index = manifest.schema.get_field_index("text")
    return manifest.set_column(index, MANIFEST.field("text"), [texts])


def test_given_text_needs_no_model(make_clip, one_worker):
    make_clip("in/a.mp4", seconds=0.2)
    silent = make_clip("in/b.mp4", seconds=0.2, audio=False)
    manifest = given(
        probe_files([silent.parent], language="zh", run=one_worker).manifest, ["很好", ""]
    )
    result = transcribe(manifest, SpeechSettings(model="no/such-model"), one_worker)
    assert result.table["text"].to_pylist() == ["很好", ""]
    assert result.table["source"].to_pylist() == ["given", "none"]


def test_missing_speech_model_stops_the_run_before_it_starts(make_clip, one_worker):
    manifest = probe_files([make_clip(seconds=0.2)], language="en", run=one_worker).manifest
    with pytest.raises(SetupError, match="no/such-model"):
        transcribe(manifest, SpeechSettings(model="no/such-model"), one_worker)


def test_language_that_the_speech_model_does_not_know_stops_the_run(make_clip, one_worker):
    manifest = probe_files([make_clip(seconds=0.2)], language="zh", run=one_worker).manifest
    with pytest.raises(SetupError, match="'zh'"):
        transcribe(manifest, SpeechSettings(), one_worker)


def test_sound_only_without_words_is_nothing_to_learn_from(make_clip, one_worker):
    make_clip("in/a.mp4", seconds=0.2, video=False)
    make_clip("in/b.mp4", seconds=0.2, video=False)
    folder = make_clip("in/c.mp4", seconds=0.2).parent
    manifest = given(
        probe_files([folder], language="en", run=one_worker).manifest, ["words", "", ""]
    )
    transcripts = transcribe(manifest, SpeechSettings(), one_worker).table
    assert [rejected.clip_id for rejected in wordless_sound(manifest, transcripts)] == ["b.mp4"]


def test_clip_that_vanishes_costs_itself_only(make_clip, one_worker):
    folder = make_clip("in/a.mp4", seconds=0.4).parent
    gone = make_clip("in/b.mp4", seconds=0.4)
    manifest = given(
        probe_files([folder], language="en", run=one_worker).manifest, ["words", "more"]
    )
    gone.unlink()
    transcripts = transcribe(manifest, SpeechSettings(), one_worker).table
    result = extract_modality("audio", manifest, transcripts, AudioSettings(), one_worker)
    assert result.table["clip_id"].to_pylist() == ["a.mp4"]
    (rejected,) = result.quarantine
    assert (rejected.clip_id, rejected.stage) == ("b.mp4", "extract@audio")
    assert rejected.reason == "no such file"


def test_cut_transcripts_are_counted(make_clip, one_worker):
    manifest = given(
        probe_files([make_clip(seconds=0.2)], language="en", run=one_worker).manifest, ["a " * 60]
    )
    transcripts = transcribe(manifest, SpeechSettings(), one_worker).table
    result = extract_modality("text", manifest, transcripts, TextSettings(), one_worker)
    assert result.warnings == ["1 transcripts are longer than 50 tokens and were cut"]


def test_settings_of_another_modality_are_refused(features):
    with pytest.raises(TypeError, match="audio features cannot be made with TextSettings"):
        extract_modality("audio", features.manifest, features.transcripts, TextSettings())


def test_empty_manifest_gives_empty_tables(one_worker, tmp_path):
    transcripts = transcribe(MANIFEST.empty_table(), SpeechSettings(), one_worker).table
    result = extract_modality(
        "audio", MANIFEST.empty_table(), transcripts, AudioSettings(), one_worker
    )
    assert result.table.num_rows == 0
    write_table(result.table, tmp_path / "empty.parquet")


def test_import_loads_no_model_library():
    code = (
        "import sys, extractors; "
        "print([m for m in ('torch', 'transformers', 'mediapipe', 'numba', 'faster_whisper') "
        "if m in sys.modules])"
    )
    root = str(Path(extractors.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
