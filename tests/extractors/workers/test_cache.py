import json
import multiprocessing
import os
import pickle
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from extractors.errors import SetupError
from extractors.workers.cache import VARIABLE, Cache, key_of
from extractors.workers.opening import opened

GROUP = "audio-f00"


def entry(number: int) -> pa.Table:
    return pa.table({"x": [number], "values": [[1.5] * number]})


@pytest.fixture(params=["folder", "memory"])
def cache(request, tmp_path) -> Cache:
    """A local cache, and one on a file system that knows no locks and no renaming."""
    return Cache(str(tmp_path) if request.param == "folder" else f"memory://{tmp_path.name}")


def test_entries_come_back_in_the_order_asked_for(cache):
    keys = [key_of(number) for number in range(300)]  # more than are fetched at once
    assert cache.present(GROUP, keys) == set()
    for number, key in enumerate(keys):
        cache.write(GROUP, key, entry(number % 7))
    asked = keys[::-1]
    assert [table["x"][0].as_py() for table in cache.read(GROUP, asked)] == [
        number % 7 for number in reversed(range(300))
    ]
    assert cache.present(GROUP, [*keys, key_of("none")]) == set(keys)
    assert cache.present("audio-other", keys) == set()


def test_copy_in_another_process_is_the_same_cache(cache):
    cache.write(GROUP, key_of(1), entry(1))
    assert pickle.loads(pickle.dumps(cache)).present(GROUP, [key_of(1)]) == {key_of(1)}


def test_use_and_size_are_told_per_extractor(cache):
    cache.write(GROUP, key_of(1), entry(1))
    cache.count(GROUP, asked=10, hits=9)
    cache.count(GROUP, asked=10, hits=10)
    (use,) = cache.uses()
    assert (use.group, use.entries, use.asked, use.hits) == (GROUP, 1, 20, 19)
    assert use.size > 0
    assert use.last == pytest.approx(time.time(), abs=60)


def test_prune_deletes_what_no_run_used_lately(cache):
    for group in ("audio-old", "audio-new"):
        cache.write(group, key_of(1), entry(1))
        cache.count(group, 1, 0)
    note = json.loads(cache.read_note("audio-old", "use.json"))
    note["last"] -= 10 * 24 * 3600
    cache.write_note("audio-old", "use.json", json.dumps(note).encode())
    assert [use.group for use in cache.prune(days=9)] == ["audio-old"]
    assert [use.group for use in cache.uses()] == ["audio-new"]
    cache.write("audio-interrupted", key_of(1), entry(1))  # its run noted nothing
    assert {use.group for use in cache.prune(days=0)} == {"audio-new", "audio-interrupted"}
    assert cache.uses() == []


def test_what_is_not_the_caches_is_neither_shown_nor_deleted(tmp_path):
    (tmp_path / "photos" / "2020").mkdir(parents=True)
    (tmp_path / "photos" / "2020" / "holiday.jpg").touch()
    (tmp_path / "README.md").touch()
    cache = Cache(str(tmp_path))
    cache.write(GROUP, key_of(1), entry(1))
    assert [use.group for use in cache.uses()] == [GROUP]
    assert [use.group for use in cache.prune(days=0)] == [GROUP]
    names = {file.name for file in tmp_path.rglob("*") if file.is_file()}
    assert names == {"README.md", "holiday.jpg"}


@pytest.mark.parametrize("note", [b"[]", b'{"asked": "x"}', b"{", b"\xff"])
def test_damaged_count_of_uses_is_no_obstacle(cache, note):
    cache.write(GROUP, key_of(1), entry(1))
    cache.write_note(GROUP, "use.json", note)
    cache.count(GROUP, asked=2, hits=1)
    (use,) = cache.uses()
    assert (use.asked, use.hits) == (2, 1)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:20], lambda b: b"", lambda b: bytes(4), lambda b: b[:-1] + b"x"]
)
def test_damaged_entry_is_not_taken_for_one_and_removed(tmp_path, damage):
    cache = Cache(str(tmp_path / "odd [name]*"))
    for number in (1, 2):
        cache.write(GROUP, key_of(number), entry(3))
    file = next(tmp_path.rglob(f"{key_of(1)}.arrow"))
    file.write_bytes(damage(file.read_bytes()))
    first, second, third = cache.read(GROUP, [key_of(1), key_of(2), key_of(3)])
    assert (first, third) == (None, None)
    assert second.equals(entry(3))
    assert cache.present(GROUP, [key_of(1), key_of(2)]) == {key_of(2)}


def test_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    cache = Cache(str(tmp_path))
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(SetupError, match=r"no space left; .*run\.cache"):
        cache.write(GROUP, key_of(1), entry(1))
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def hold(folder: str, held, go) -> None:
    with Cache(folder).writing(GROUP, key_of(1)) as missing:
        assert missing
        held.set()
        go.wait(30)
        Cache(folder).write(GROUP, key_of(1), entry(1))


def test_second_writer_waits_and_finds_the_work_done(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, go = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(tmp_path), held, go))
    other.start()
    assert held.wait(60)
    go_later = time.monotonic() + 0.5
    threading.Timer(0.5, go.set).start()
    with Cache(str(tmp_path)).writing(GROUP, key_of(1)) as missing:
        assert time.monotonic() >= go_later - 0.1
        assert not missing
    other.join()
    assert other.exitcode == 0


def test_long_work_on_one_clip_does_not_hold_up_another(tmp_path, monkeypatch):
    monkeypatch.setattr("extractors.workers.cache._LOCK_S", 0.2)
    cache = Cache(str(tmp_path))
    begin = time.monotonic()
    with cache.writing(GROUP, "abc1") as first, cache.writing(GROUP, "abc2") as second:
        assert first
        assert second
        with cache.writing(GROUP, "abc1") as again:  # the same clip: whoever waited does it too
            assert again
    assert time.monotonic() - begin < 2
    assert list(tmp_path.rglob("*.lock")) == []


def test_variable_names_the_cache_and_without_a_name_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "here"))
    with opened("somewhere/else") as cache:
        assert cache.url == str(tmp_path / "here")
    monkeypatch.delenv(VARIABLE)
    with opened("") as cache:
        cache.write(GROUP, key_of(1), entry(1))
        folder = cache.url
        assert os.path.isdir(folder)  # noqa: PTH112
    assert not os.path.exists(folder)  # noqa: PTH110


def test_unknown_protocol_is_named():
    with pytest.raises(SetupError, match="nowhere://x"):
        Cache("nowhere://x")
