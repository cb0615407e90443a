import shutil

import numpy as np
import pyarrow as pa
import pytest

from extractors import ExtractorSettings, extract
from extractors.forgetting import forget_entries
from extractors.listening import parts_of_row
from extractors.settings import SpeechSettings
from extractors.speech.activity import STEP_S
from extractors.words import Word
from extractors.workers.cache import Cache
from extractors.workers.keys import clip_key, speech_key, text_key

ANN = {"sha256": "a" * 64, "path": "a.mp4", "start_s": None, "duration_s": 2.0, "language": "en"}
BOB = ANN | {"sha256": "b" * 64}


def entries(cache: Cache) -> set[tuple[str, str]]:
    return {(group, key) for group in cache.groups() for key in cache.keys(group)}


def fill(cache: Cache, row: dict, text: str) -> None:
    said = pa.table({"text": [text], "words": pa.array([[]], pa.list_(pa.struct([])))})
    for group in ("audio-old", "audio-new", "vision-1"):
        cache.write(group, clip_key(row), pa.table({"x": [1]}))
    cache.write("speech-1", speech_key(row), said)
    cache.write("text-1", text_key(text, []), pa.table({"x": [1]}))
    cache.write("files-1", clip_key(row), pa.table({"sha256": [row["sha256"]]}))


@pytest.mark.parametrize("url", ["{}/cache", "memory://forget"])
def test_entries_of_a_clip_go_in_every_version_and_those_of_others_stay(tmp_path, url):
    cache = Cache(url.format(tmp_path))
    fill(cache, BOB, "hers")
    expected = entries(cache)
    fill(cache, ANN, "mine")
    cache.write("text-1", text_key("typed", [], [5]), pa.table({"x": [1]}))
    cache.write("text-1", text_key("", []), pa.table({"x": [1]}))  # everybody's who says nothing
    expected.add(("text-1", text_key("", [])))
    assert forget_entries(cache, [ANN], [("typed", [], [5]), ("", [], None)]) == 7
    assert entries(cache) == expected
    assert forget_entries(cache, [ANN], []) == 0


@pytest.mark.slow
def test_nothing_that_an_extraction_kept_of_a_clip_is_left(
    make_clip, session, spoken_clip, tmp_path
):
    said = make_clip("in/a.mp4", seconds=0.4)
    said.with_suffix(".txt").write_text("So be it.\n")
    spoken = shutil.copyfile(spoken_clip[0], said.with_name("b.mp4"))
    settings = ExtractorSettings(speech=SpeechSettings())
    other = make_clip("c.mp4", seconds=0.6)
    extract(other, settings, session)
    expected = entries(session.cache)
    features = extract([said, spoken], settings, session, transcripts="beside")
    assert len(entries(session.cache)) >= len(expected) + 9
    texts = [(text, [], None) for text in features.manifest["text"].to_pylist()]
    forget_entries(session.cache, features.manifest.to_pylist(), texts)
    assert entries(session.cache) == expected


def test_parts_that_a_long_recording_was_recognised_in_go_with_it(tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    long = ANN | {"clip_id": "a", "duration_s": 150.0}
    heard = np.full(round(150 / STEP_S), 0.9, np.float32)
    cache.write("voice-1", clip_key(long), pa.table({"probabilities": [heard]}))
    parts = list(parts_of_row(long, heard))
    assert len(parts) == 3
    words = [{"word": word, "start_s": 0.0, "end_s": 1.0, "probability": probability}
             for word, probability in (("hello", 0.9), ("oh", 0.1))]  # fmt: skip
    for part in parts:
        said = pa.table({"text": ["hello oh"], "words": [words]})
        cache.write("speech-1", speech_key(part), said)
    believed = [Word(**words[0])]
    cache.write("text-1", text_key("hello", believed), pa.table({"x": [1]}))
    assert forget_entries(cache, [long], []) == 5
    assert not entries(cache)
