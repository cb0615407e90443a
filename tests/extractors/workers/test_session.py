"""A session: no more processes than it can use, and nothing is loaded twice."""

import os
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

import extractors
from extractors import Session, extract
from extractors.errors import GivenUp
from extractors.extraction import extract_modality
from extractors.settings import AudioSettings, RunSettings, SpeechSettings, TextSettings
from extractors.transcription import transcribe
from extractors.workers.cached_map import Collection
from extractors.workers.serving import Task
from extractors.workers.work import Job, Work

SCHEMA = pa.schema([pa.field("clip_id", pa.string(), nullable=False), ("pid", pa.int64())])
NATIVE = ("librosa", "numba", "mediapipe", "av", "cv2", "faster_whisper", "ctranslate2")


class Noted:
    """Writes down when it is built, and crashes or says by which process a clip was done."""

    def __init__(self, name: str, log: Path) -> None:
        with log.open("a") as lines:
            lines.write(f"{name}\n")

    def extract(self, clip: str) -> int:
        if clip == "crash":
            os.abort()
        if clip == "hang":
            time.sleep(1000)
        return os.getpid()


def encode(_: Noted, pid: int) -> pa.Table:
    return pa.table({"pid": [pid]})


def named(name: str) -> str:
    return f"{name}-1"


def workers() -> list[psutil.Process]:
    """Workers of this process; other libraries may have left processes of their own."""
    children = psutil.Process().children()
    return [child for child in children if "extractors.workers" in " ".join(child.cmdline())]


@pytest.fixture
def collect(session: Session, tmp_path: Path):
    """Have clips done by the extractor of a name; the processes that did them, and what failed."""

    def collect(name: str, *clips: str, few: int = 0) -> tuple[set[int], list[str]]:
        build = partial(Noted, name, tmp_path / "log")
        work = Work(build, encode, partial(named, name), session.cache, few)
        jobs = [Job({"clip_id": c, "path": c}, f"{name}{c}", Task((c,), 1.0)) for c in clips]
        collected = Collection(work, jobs, session, name).finish(SCHEMA)
        pids = set(collected.table()["pid"].to_pylist())
        return pids, [row.clip_id for row in collected.quarantine]

    return collect


def test_worker_lives_from_call_to_call_and_builds_each_extractor_once(collect, tmp_path):
    first, _ = collect("audio", "a", "b")
    assert collect("vision", "a")[0] == collect("audio", "c")[0] == first
    assert len(first) == 1
    assert first != {os.getpid()}
    assert (tmp_path / "log").read_text().split() == ["audio", "vision"]


def test_crash_costs_its_clip_and_the_session_goes_on(collect, tmp_path):
    before, _ = collect("vision", "a")
    assert collect("audio", "crash") == (set(), ["crash"])
    after, failed = collect("vision", "b", "c")
    assert (len(after), failed) == (1, [])
    assert after != before
    assert (tmp_path / "log").read_text().split() == ["vision", "audio", "audio", "vision"]


def test_work_that_is_given_up_ends_and_the_session_goes_on(collect, session, tmp_path):
    def give_up() -> None:
        while not (tmp_path / "log").exists():
            time.sleep(0.01)
        session.give_up()

    threading.Thread(target=give_up).start()
    with pytest.raises(GivenUp):
        collect("audio", "hang")
    assert len(collect("vision", "a")[0]) == 1


def test_few_clips_may_be_done_in_the_calling_process(collect, tmp_path):
    assert collect("text", "a", "b", few=2)[0] == {os.getpid()}
    assert collect("text", "c", few=2)[0] == {os.getpid()}
    assert workers() == []
    assert os.getpid() not in collect("text", "d", "e", "f", few=2)[0]
    assert (tmp_path / "log").read_text().split() == ["text", "text"]  # here, and in a worker


def test_end_of_the_session_is_the_end_of_its_workers(tmp_path):
    with Session(RunSettings(workers=1)) as session:
        session.warm_up()
        while not (started := workers()):
            pass
    (worker,) = started
    assert not worker.is_running()


def test_words_are_encoded_alike_in_the_calling_process_and_in_a_worker(
    session, tmp_path, one_worker, monkeypatch, make_clip
):
    from extractors.datasets.listing import probe_files

    manifest = probe_files([make_clip(seconds=0.2)], session, language="en").manifest
    text = pa.array(["it is not as good as they say"], pa.string())
    manifest = manifest.set_column(manifest.schema.get_field_index("text"), "text", [text])
    said = transcribe(manifest, SpeechSettings(), session).table
    here = extract_modality("text", manifest, said, TextSettings(), session).table()
    monkeypatch.setattr("extractors.extraction.FEW_SENTENCES", 0)
    with Session(one_worker) as other:
        there = extract_modality("text", manifest, said, TextSettings(), other).table()
    assert here.equals(there, check_metadata=True)


SCRIPT = """
import json, sys
import psutil
from extractors import Session, extract

with Session({"offline": True}) as session:
    session.warm_up()
    pids = []
    for clip in sys.argv[1:]:
        features = extract(clip, None, session)
        assert features.quarantine == [] and features.text.num_rows == features.vision.num_rows == 1
        pids.append([child.pid for child in psutil.Process().children()])
print(json.dumps([pids, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def two_calls(spoken_clips) -> tuple[list[list[int]], set[str]]:
    """Two clips, one after the other, in a fresh process: its children after each, its modules."""
    import json

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *(str(path) for path, _ in spoken_clips[:2])],
        env=os.environ | {"PYTHONPATH": str(Path(extractors.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    pids, modules = json.loads(done.stdout)
    return pids, set(modules)


def test_one_short_clip_takes_one_worker_and_the_next_one_the_same(two_calls):
    first, second = two_calls[0]
    assert len(first) == 1
    assert second == first


def test_each_heavy_library_is_in_one_of_the_two_processes_alone(two_calls):
    assert two_calls[1].isdisjoint(NATIVE)  # the worker's
    assert {"torch", "transformers"} <= two_calls[1]  # the encoder of the words


def test_settings_of_the_session_say_how_the_work_is_done(session, make_clip):
    features = extract(make_clip(seconds=0.2), {"run": {"workers": 7}}, session)
    assert features.audio.num_rows == 1
    assert len(workers()) == 1


def test_a_session_that_failed_for_want_of_a_model_can_still_be_used(session, make_clip):
    clip = make_clip(seconds=0.2)
    with pytest.raises(extractors.SetupError, match="no/such-model"):
        extract(clip, {"text": {"model": "no/such-model"}}, session)
    assert extract(clip, {"audio": AudioSettings()}, session).quarantine == []
