"""Work is done once, whatever it is called and however often it is asked for."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from extractors.errors import MediaError, SetupError
from extractors.media.container import content_hash
from extractors.settings import RunSettings
from extractors.workers.cache import Cache, key_of
from extractors.workers.cached_map import Collected, Collection
from extractors.workers.serving import Task
from extractors.workers.session import Session
from extractors.workers.work import Job, Source, Work

SCHEMA = pa.schema([pa.field("clip_id", pa.string(), nullable=False), ("x", pa.int64())])


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(RunSettings(workers=2, offline=True)) as session:
        yield session


def collect(work: Work, jobs: list[Job], session: Session) -> Collected:
    return Collection(work, jobs, session, "doubling").finish(SCHEMA)


class Doubler:
    """Writes down what it was asked for."""

    def __init__(self, log: str) -> None:
        self.log = Path(log)

    def extract(self, number: int) -> int:
        with self.log.open("a") as log:
            log.write(f"{number}\n")
        if number == 13:
            raise MediaError("13.mp4", "brings bad luck")
        return 2 * number


def encode(_: Doubler, result: int) -> pa.Table:
    return pa.table({"x": [result]})


def group() -> str:
    return "double-1"


def group_of_this_process() -> str:
    return f"double-{os.getpid()}"


@pytest.fixture
def asked(tmp_path, session):
    """Ask for numbers under names; returns the table, the quarantine and what was worked on."""
    log = tmp_path / "log"

    def ask(clips: dict[str, int]):
        log.write_text("")
        work = Work(partial(Doubler, str(log)), encode, group, Cache(str(tmp_path / "cache")))
        jobs = [
            Job({"clip_id": name, "path": name}, key_of(number), Task((number,), 1.0))
            for name, number in clips.items()
        ]
        found = collect(work, jobs, session)
        return found.table(), found.quarantine, sorted(map(int, log.read_text().split()))

    return ask


def test_only_what_is_new_is_worked_on(asked):
    table, quarantine, done = asked({"a": 1, "b": 2})
    assert table.to_pylist() == [{"clip_id": "a", "x": 2}, {"clip_id": "b", "x": 4}]
    assert (quarantine, done) == ([], [1, 2])
    table, _, done = asked({"a": 1, "b": 2, "c": 3})
    assert done == [3]
    assert table["x"].to_pylist() == [2, 4, 6]
    assert asked({"a": 1, "b": 2, "c": 3})[2] == []


def test_renamed_clip_costs_nothing_and_equal_clips_cost_one(asked):
    asked({"a": 1})
    table, _, done = asked({"renamed": 1, "again": 1})
    assert done == []
    assert table["clip_id"].to_pylist() == ["renamed", "again"]
    assert asked({"x": 5, "y": 5})[2] == [5]


def test_failed_clip_is_told_of_under_every_name_and_tried_again_next_time(asked):
    table, quarantine, _ = asked({"a": 1, "bad": 13, "also bad": 13})
    assert table["clip_id"].to_pylist() == ["a"]
    assert [(row.clip_id, row.reason) for row in quarantine] == [
        ("bad", "brings bad luck"),
        ("also bad", "brings bad luck"),
    ]
    assert asked({"a": 1, "bad": 13})[2] == [13]


def test_nothing_asked_for_is_an_empty_table(asked):
    table, quarantine, done = asked({})
    assert (table.schema, table.num_rows, quarantine, done) == (SCHEMA, 0, [], [])


def test_batches_are_bounded_and_together_the_table(tmp_path, monkeypatch, session):
    monkeypatch.setattr(
        "extractors.workers.cached_map.ROW_GROUP_BYTES", 24
    )  # three entries of 8 bytes
    work = Work(
        partial(Doubler, str(tmp_path / "log")), encode, group, Cache(str(tmp_path / "cache"))
    )
    jobs = [Job({"clip_id": str(n), "path": ""}, key_of(n), Task((n,), 1.0)) for n in range(7)]
    found = collect(work, jobs, session)
    batches = list(found.batches())
    assert [batch.num_rows for batch in batches] == [3, 3, 1]
    assert pa.concat_tables(batches).equals(found.table())


@pytest.fixture
def work(tmp_path) -> Work:
    build = partial(Doubler, str(tmp_path / "log"))
    return Work(build, encode, group, Cache(str(tmp_path / "cache")))


def job(number: int, source: Source | None = None) -> Job:
    row = {"clip_id": str(number), "path": str(number)}
    return Job(row, key_of(number), Task((number,), 1.0), source)


def test_damaged_entries_are_made_anew_in_the_same_run(work, tmp_path, session):
    jobs = [job(number) for number in range(5)]
    before = collect(work, jobs, session).table()
    for file in list((tmp_path / "cache").rglob("*.arrow"))[:3]:
        file.write_bytes(b"")
    assert collect(work, jobs, session).table().equals(before)


def test_file_that_changed_since_it_was_listed_is_not_taken_for_what_it_was(
    work, tmp_path, session
):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"one")
    listed = Source(str(clip), content_hash(str(clip)))
    clip.write_bytes(b"two")
    found = collect(work, [job(1, listed)], session)
    assert found.table().num_rows == 0
    assert "changed since it was listed" in found.quarantine[0].reason


def test_cache_that_cannot_be_written_stops_the_run_and_blames_no_clip(tmp_path, session):
    (tmp_path / "cache").write_text("a file where a folder should be")
    build = partial(Doubler, str(tmp_path / "log"))
    work = Work(build, encode, group, Cache(str(tmp_path / "cache" / "in")))
    with pytest.raises(SetupError, match=r"run\.cache"):
        collect(work, [job(1)], session)


def test_worker_that_would_make_other_results_is_refused(work, session):
    other = Work(work.build, encode, group_of_this_process, work.cache)
    with pytest.raises(SetupError, match="would make other results"):
        collect(other, [job(1)], session)
