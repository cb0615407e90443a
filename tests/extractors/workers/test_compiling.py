"""Machine code: compiled by one process while the others wait, in a folder that can be written."""

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest

from extractors.audio.extractor import AudioExtractor
from extractors.media.container import Clip
from extractors.settings import AudioSettings, RunSettings
from extractors.workers.compiling import VARIABLE, compiled
from extractors.workers.pool import Pool, Task

fork = multiprocessing.get_context("fork")


def elsewhere(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Give machine code another place than the one that all tests share."""
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def test_one_process_compiles_and_the_others_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, tmp_path)
    log = tmp_path / "log"

    def compile_it() -> None:
        with log.open("a") as file:
            file.write(f"{os.getpid()} begins\n")
            file.flush()
            time.sleep(0.3)
            file.write(f"{os.getpid()} ends\n")

    def work() -> None:
        compiled("it", compile_it)
        assert log.read_text().endswith("ends\n")

    children = [fork.Process(target=work) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
    first, second = log.read_text().splitlines()
    assert first.split()[0] == second.split()[0]


def test_compilation_that_was_cut_off_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, tmp_path)
    child = fork.Process(target=compiled, args=("it", lambda: os.kill(os.getpid(), 9)))
    child.start()
    child.join()
    assert child.exitcode == -9
    calls: list[int] = []
    for _ in range(2):
        compiled("it", lambda: calls.append(1))
    assert calls == [1]


@pytest.mark.slow
def test_workers_that_start_together_on_a_new_machine_do_not_crash(
    tmp_path: Path, clip_writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, tmp_path)
    clip = clip_writer(tmp_path / "tone.mp4", seconds=1.0)
    tasks = [Task((Clip(str(clip), 0.0, 1.0),), 1.0)] * 4
    for _ in range(2):  # on what was compiled just now, and on what was kept
        with Pool(RunSettings(workers=4)) as pool:
            outcomes = list(pool.run(build, tasks, "audio"))
        assert [outcome.reason for outcome in outcomes] == [None] * 4
    assert len(list((tmp_path / "lnln" / "numba").glob("*.done"))) == 1


def build() -> AudioExtractor:
    return AudioExtractor(AudioSettings())
