import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import extractors
from contracts.features import clip_values, clip_warnings, feature_info
from contracts.parquet import write_table
from contracts.schemas import MANIFEST, MODALITIES, TRANSCRIPTS
from extractors import ExtractorSettings, extract, read_features
from extractors.extraction import extract_modality
from extractors.settings import AudioSettings, RunSettings, SpeechSettings, TextSettings
from extractors.transcription import transcribe

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


def test_given_words_are_read_and_not_recognised(make_clip, session, tmp_path):
    said = make_clip("in/a.mp4", seconds=0.4)
    said.with_suffix(".srt").write_text("00:00:00,000 --> 00:00:00,300\nSo be it.\n")
    make_clip("in/b.mp4", seconds=0.4).with_suffix(".srt").write_text("So be it.\n")
    make_clip("in/c.mp4", seconds=0.4)
    settings = ExtractorSettings(speech=SpeechSettings(model="none"))
    features = extract(said.parent, settings, session, transcripts="beside")
    assert features.transcripts.select(["clip_id", "text", "source"]).to_pylist() == [
        {"clip_id": "a.mp4", "text": "So be it.", "source": "given"},
        {"clip_id": "c.mp4", "text": "", "source": "unknown"},
    ]
    assert features.text["ends"][0].as_py()[1:-1] == [0.3] * 4
    assert features.audio["clip_id"].to_pylist() == ["a.mp4", "c.mp4"]
    assert [(row.clip_id, row.stage) for row in features.quarantine] == [("b.mp4", "transcribe")]
    assert any("c.mp4" in warning for warning in features.warnings)
    words = extract(said, settings, session)
    assert words.transcripts["text"].to_pylist() == [""]  # not read unasked


def test_new_video_in_another_language_has_voice_and_face(make_clip, session):
    features = extract(make_clip(seconds=0.4), {"language": "jv"}, session)
    assert features.transcripts["source"].to_pylist() == ["unknown"]
    assert features.audio["observed"][0].as_py().count(True) > 0
    assert "no words are recognised" in features.warnings[0]


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
    assert len(files) == 6
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_clip_that_vanishes_costs_itself_only(make_clip, session, listed):
    folder = make_clip("in/a.mp4", seconds=0.4).parent
    gone = make_clip("in/b.mp4", seconds=0.4, tone_hz=330.0)
    manifest = listed(folder, texts=["words", "more"])
    gone.unlink()
    transcripts = transcribe(manifest, SpeechSettings(), session).table
    result = extract_modality("audio", manifest, transcripts, AudioSettings(), session)
    assert result.table()["clip_id"].to_pylist() == ["a.mp4"]
    (rejected,) = result.quarantine
    assert (rejected.clip_id, rejected.stage) == ("b.mp4", "extract@audio")
    assert rejected.reason == "no such file"


def test_cut_transcript_is_told(make_clip, session, listed):
    manifest = listed(make_clip(seconds=0.2), texts=["a " * 60])
    transcripts = transcribe(manifest, SpeechSettings(), session).table
    result = extract_modality("text", manifest, transcripts, TextSettings(), session)
    assert clip_warnings(result.table()) == ["clip.mp4: the transcript was cut after 50 tokens"]


def test_settings_of_another_modality_are_refused(features, session):
    with pytest.raises(TypeError, match="audio features cannot be made with TextSettings"):
        extract_modality("audio", features.manifest, features.transcripts, TextSettings(), session)


def test_empty_manifest_gives_empty_tables(session, tmp_path):
    transcripts = transcribe(MANIFEST.empty_table(), SpeechSettings(), session).table
    result = extract_modality(
        "audio", MANIFEST.empty_table(), transcripts, AudioSettings(), session
    )
    assert result.table().num_rows == 0
    write_table(result.table(), tmp_path / "empty.parquet")


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


@pytest.mark.slow
def test_cold_warm_and_half_warm_caches_give_the_same_bytes(spoken_clip, make_clip, tmp_path):
    clips = [spoken_clip[0], make_clip("in/tone.mp4", seconds=1.2)]

    def features(name: str, clips: list[Path]) -> dict[str, bytes]:
        run = RunSettings(workers=2, offline=True, cache=str(tmp_path / name))
        out = tmp_path / "out"
        extract(clips, ExtractorSettings(run=run)).write(out)
        return {str(f.relative_to(out)): f.read_bytes() for f in sorted(out.rglob("*.parquet"))}

    cold = features("one", clips)
    assert features("one", clips[::-1]) == cold  # warm, and in another order
    features("two", clips[:1])
    assert features("two", clips) == cold  # half warm
