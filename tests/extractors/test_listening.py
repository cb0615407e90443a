"""Recordings that are longer than what is recognised at a time."""

import re
from pathlib import Path

import av
import numpy as np
import pytest

from extractors import listening
from extractors.media.container import probe
from extractors.settings import SpeechSettings
from extractors.transcription import transcribe
from extractors.words import Transcript, Word


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


@pytest.fixture(scope="module")
def sentences(spoken_clips, decode_sound) -> list[tuple[np.ndarray, str]]:
    """Some sentences, each with a second of silence after it, and their words."""
    return [
        (
            np.concatenate(
                [decode_sound(path, probe(str(path)).duration_s), np.zeros(16_000, np.float32)]
            ),
            text,
        )
        for path, text in spoken_clips[:8]
    ]


@pytest.fixture(scope="module")
def recording(sentences, tmp_path_factory) -> Path:
    """All of the sentences, with a hum beneath."""
    signal = np.concatenate([sentence for sentence, _ in sentences])
    signal = signal + 0.02 * np.sin(2 * np.pi * 100 * np.arange(len(signal)) / 16_000)
    path = tmp_path_factory.mktemp("recording") / "talk.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        packed = (signal * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout="mono")
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture
def short_windows(monkeypatch):
    monkeypatch.setattr(listening, "WINDOW_S", 12.0)
    monkeypatch.setattr(listening, "_SEARCH_S", 5.0)


@pytest.mark.slow
def test_long_recording_is_recognised_part_by_part_on_one_time_axis(
    recording, sentences, short_windows, session, listed
):
    result = transcribe(listed(recording), SpeechSettings(), session)
    (row,) = result.table.to_pylist()
    assert row["source"] == "asr"
    starts = [word["start_s"] for word in row["words"]]
    assert starts == sorted(starts)
    assert " ".join(word["word"] for word in row["words"]) == row["text"]
    begin_s, correct, total = 0.0, 0, 0
    for signal, text in sentences:
        end_s = begin_s + len(signal) / 16_000
        heard = [w["word"] for w in row["words"] if begin_s - 0.3 < w["start_s"] < end_s]
        total += len(set(words_of(text)))
        correct += len(set(words_of(text)) & set(words_of(" ".join(heard))))
        begin_s = end_s
    assert correct > 0.8 * total
    groups = {name.partition("-")[0]: name for name in session.cache.groups()}
    assert len(session.cache.keys(groups["speech"])) > 2  # each part is kept


def heard(text: str, words: list[Word], **more) -> dict:
    entry = listening._entry(None, Transcript(text, "asr", words, [], **more))
    return entry.to_pylist()[0]


def test_parts_of_a_recording_are_joined_with_times_from_its_beginning():
    first = heard("one", [Word("one", 1.0, 1.5, 0.9)])
    second = heard("two", [Word("two", 0.5, 1.0, 0.9)], doubted=[Word("x", 2.0, 2.5, 0.1)])
    row = listening._joined("a", [first, listening._later(second, 40.0)])
    assert (row["text"], row["source"]) == ("one two", "asr")
    assert [word["start_s"] for word in row["words"]] == [1.0, 40.5]
    assert [word["start_s"] for word in row["doubted"]] == [42.0]


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        (["我很好。", "", "谢谢"], "我很好。谢谢"),
        (["元気です", "カメラ"], "元気ですカメラ"),
        (["我用", "Python", "3", "写"], "我用 Python 3 写"),
        (["네", "그래요"], "네 그래요"),
    ],
)
def test_parts_are_joined_as_their_language_is_written(texts, whole):
    row = listening._joined("a", [heard(text, []) for text in texts])
    assert row["text"] == whole


def test_language_of_a_recording_is_that_of_most_of_its_parts():
    parts = [heard("a", [], language=name, language_probability=p) for name, p in
             (("en", 0.9), ("de", 0.5), ("en", 0.7))]  # fmt: skip
    row = listening._joined("a", parts)
    assert row["language"] == "en"
    assert row["language_probability"] == pytest.approx(1.6 / 3)
    assert listening._joined("a", [])["language"] is None


def test_parts_in_which_nobody_speaks_are_not_listened_to():
    heard = np.zeros(round(150 / 0.032), np.float32)
    heard[: round(20 / 0.032)] = 0.9
    (span,) = listening.parts_of(heard, 150.0)
    assert span.start_s == 0
    assert listening.parts_of(np.zeros(0, np.float32), 150.0) == []
