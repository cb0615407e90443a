"""Recordings of a manifest cut into utterances; when somebody speaks is made up."""

import numpy as np
import pyarrow as pa
import pytest

from contracts.quarantine import Rejected
from contracts.recordings import RECOGNITION
from contracts.schemas import MANIFEST, TRANSCRIPTS
from extractors.clips import Clips
from extractors.recordings import segmenting
from extractors.recordings.cutting import Limits, Utterance
from extractors.speech.activity import STEP_S, Activity
from extractors.voice import Voices
from extractors.words import Word

SAID = ((1.0, 2.5, "Good morning."), (10.0, 12.0, "Thank you, all of you."), (14.0, 15.5, "Bye!"))


def recording(clip_id: str, seconds: float = 20.0, **more) -> dict:
    return {
        "clip_id": clip_id,
        "path": f"{clip_id}.mp4",
        "sha256": "0" * 64,
        "duration_s": seconds,
        "has_audio": True,
        "has_video": True,
        "language": "en",
        "group": "ann",
        "split": "train",
        "text": "",
        "label": 1.5,
    } | more


def transcript(clip_id: str, source: str = "asr") -> dict:
    words = []
    for start_s, end_s, text in SAID:
        said = text.split()
        step = (end_s - start_s) / len(said)
        words += [
            {"word": w, "start_s": start_s + n * step, "end_s": start_s + (n + 1) * step,
             "probability": 0.9}
            for n, w in enumerate(said)
        ]  # fmt: skip
    text = " ".join(text for *_, text in SAID)
    return {"clip_id": clip_id, "text": text, "source": source, "words": words}


def clips(rows, transcripts, recognition=()) -> Clips:
    return Clips(
        pa.Table.from_pylist(rows, schema=MANIFEST),
        pa.Table.from_pylist(transcripts, schema=TRANSCRIPTS),
        pa.Table.from_pylist(list(recognition), schema=RECOGNITION),
        [],
        [],
    )


@pytest.fixture
def speaking(monkeypatch):
    """Somebody speaks in `SAID`, in all recordings but those that cannot be listened to."""
    heard = np.zeros(round(20 / STEP_S), np.float32)
    for start_s, end_s, _ in SAID:
        heard[round(start_s / STEP_S) : round(end_s / STEP_S)] = 0.9
    broken: list[str] = []

    def voices(rows, session, stage):
        known = {r["clip_id"]: Activity(heard, []) for r in rows if r["clip_id"] not in broken}
        return Voices(known, [Rejected(name, name, stage, "broken") for name in broken])

    monkeypatch.setattr(segmenting, "voice_activity", voices)
    return broken


def cut(given: Clips, unspoken="gaps", longest=6.0, **more) -> Clips:
    return segmenting.segment(given, Limits(longest), unspoken, None, **more)


def test_utterances_are_stretches_of_their_recording_and_share_its_speaker_split_and_label(
    speaking,
):
    result = cut(clips([recording("talk")], [transcript("talk")]))
    rows = result.manifest.to_pylist()
    assert [row["clip_id"] for row in rows] == ["talk/0001", "talk/0002", "talk/0003"]
    assert {(r["recording_id"], r["path"], r["group"], r["split"], r["label"]) for r in rows} == {
        ("talk", "talk.mp4", "ann", "train", 1.5)
    }
    assert [round(row["start_s"], 1) for row in rows] == [0.9, 9.9, 13.9]
    for row in rows:
        assert row["duration_s"] == row["end_s"] - row["start_s"]
    assert result.transcripts["text"].to_pylist() == [text for *_, text in SAID]
    first = result.transcripts["words"].to_pylist()[1][0]
    assert first["word"] == "Thank"
    assert 0 <= first["start_s"] < 0.2


def test_stretches_without_speech_are_clips_without_words(speaking):
    result = cut(clips([recording("talk")], [transcript("talk")]), "clips")
    rows = zip(result.manifest.to_pylist(), result.transcripts.to_pylist(), strict=True)
    silent = [(m["start_s"], m["end_s"]) for m, t in rows if not t["text"]]
    assert len(silent) == 4
    assert silent[-1][1] == 20.0
    assert set(result.transcripts["source"].to_pylist()) == {"asr", "none"}


def test_a_segment_of_a_file_is_cut_at_times_of_the_file(speaking):
    row = recording("talk", start_s=100.0, end_s=120.0)
    (first, *_) = cut(clips([row], [transcript("talk")])).manifest.to_pylist()
    assert round(first["start_s"], 1) == 100.9


def test_clips_that_are_not_too_long_stay_as_they_are(speaking):
    given = clips([recording("short", 6.0)], [transcript("short")])
    result = cut(given)
    assert result.manifest.drop_columns(["recording_id"]).equals(given.manifest)
    assert result.manifest["recording_id"].to_pylist() == ["short"]
    assert result.transcripts.equals(given.transcripts)


def test_all_recordings_are_cut_at_their_pauses_where_that_is_asked_for(speaking):
    given = clips([recording("talk")], [transcript("talk")])
    assert cut(given, longest=60.0).manifest.num_rows == 1
    assert cut(given, longest=60.0, whole_s=0.0).manifest.num_rows == 3


def test_words_that_are_not_believed_go_to_the_utterance_in_whose_time_they_are(speaking):
    doubted = [{"word": "hm", "start_s": 10.5, "end_s": 10.7, "probability": 0.1}]
    told = {"clip_id": "talk", "language": "en", "language_probability": 0.9, "doubted": doubted,
            "warnings": []}  # fmt: skip
    result = cut(clips([recording("talk")], [transcript("talk")], [told]))
    rows = result.recognition.to_pylist()
    assert [len(row["doubted"]) for row in rows] == [0, 1, 0]
    assert rows[1]["doubted"][0]["start_s"] == pytest.approx(0.6, abs=0.05)
    assert [row["language"] for row in rows] == ["en"] * 3


def test_plain_text_is_spread_over_where_somebody_speaks_and_that_is_told(speaking):
    given = transcript("talk", "given") | {"words": []}
    result = cut(clips([recording("talk", text=given["text"])], [given]))
    assert " ".join(result.transcripts["text"].to_pylist()) == given["text"]
    assert result.manifest["text"].to_pylist() == result.transcripts["text"].to_pylist()
    assert "words of talk came without times" in result.warnings[0]


def test_no_word_is_lost_or_doubled_where_captions_are_not_in_the_order_of_the_text(speaking):
    said = [("there we go", 10.0, 12.0), ("go on then", 1.0, 2.5), ("and so on", 14.0, 15.5)]
    words = [
        {"word": word, "start_s": start_s, "end_s": end_s, "probability": None}
        for text, start_s, end_s in said
        for word in text.split()
    ]
    text = " ".join(text for text, *_ in said)
    given = {"clip_id": "talk", "text": text, "source": "given", "words": words}
    result = cut(clips([recording("talk", text=text)], [given]))
    in_time = ["go on then", "there we go", "and so on"]
    assert result.transcripts["text"].to_pylist() == in_time


def test_words_of_another_utterance_are_not_between_those_of_one():
    first, second = (
        [Word(word, 0.0, 1.0, None) for word in text.split()] for text in ("a c.", "b, d")
    )
    utterances = [Utterance(0.0, 1.0, first), Utterance(1.0, 2.0, second)]
    assert list(segmenting._texts("a b, c. d", utterances)) == ["a c.", "b, d"]
    assert list(segmenting._texts("我很好 a", [Utterance(0.0, 1.0, [
        Word(word, 0.0, 1.0, None) for word in ("我", "很", "好")])])) == ["我很好"]  # fmt: skip


def test_a_recording_that_cannot_be_listened_to_costs_itself(speaking):
    speaking.append("bad")
    rows = [recording("bad"), recording("good")]
    result = cut(clips(rows, [transcript("bad"), transcript("good")]))
    assert set(result.manifest["recording_id"].to_pylist()) == {"good"}
    assert [row.clip_id for row in result.quarantine] == ["bad"]


def test_a_recording_in_which_nothing_is_said_has_no_utterance_and_that_is_told(
    speaking, monkeypatch
):
    quiet = Activity(np.zeros(0, np.float32), [])
    monkeypatch.setattr(segmenting, "voice_activity", lambda *_: Voices({"hush": quiet}, []))
    nothing = {"clip_id": "hush", "text": "", "source": "none", "words": []}
    result = cut(clips([recording("hush")], [nothing]))
    assert result.manifest.num_rows == 0
    assert result.warnings == ["nothing is spoken in hush: no utterances"]
