"""Whatever ends a command, nothing of a clip stays in the temporary folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

SESSION = """
import signal, time
from pathlib import Path
from contracts.files import replacing
from extractors import Session
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in background
{prepare}
with Session(dict(workers=1)) as session, replacing(Path("half-written")):
    folder = Path(session.cache.url)
    folder.mkdir()
    for number in range(3000):  # to delete them takes longer than to press Ctrl-C again
        (folder / f"words of clip {{number}}").touch()
    print("at work", flush=True)
    time.sleep(100)
"""
COMMAND = SESSION.format(prepare="from pipeline.ending import end_tidily\nend_tidily()")
LIBRARY = SESSION.format(prepare="")
CTRL_C = [signal.SIGINT] * 30


def interrupt(script: str, signals: Sequence[int], folder: Path, *before: str) -> int:
    """Run a script that is interrupted at work; its exit status."""
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [*before, sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder / "tmp"), "LNLN_CACHE": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Also where nohup runs the tests.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    with process:
        assert process.stdout is not None and process.stdout.readline() == "at work\n"
        for number in signals:
            process.send_signal(number)
            time.sleep(0.003)
        return process.wait(60)


def everything_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_closed_terminal_leaves_nothing_behind(tmp_path: Path) -> None:
    assert interrupt(COMMAND, [signal.SIGHUP], tmp_path) == 128 + signal.SIGHUP
    assert everything_in(tmp_path) == ["tmp"]


@pytest.mark.parametrize("script", [COMMAND, LIBRARY], ids=["command", "library"])
def test_impatience_leaves_nothing_behind(script: str, tmp_path: Path) -> None:
    assert interrupt(script, CTRL_C, tmp_path) != 0
    assert everything_in(tmp_path) == ["tmp"]


def test_nohup_is_respected(tmp_path: Path) -> None:
    assert (
        interrupt(COMMAND, [signal.SIGHUP, signal.SIGTERM], tmp_path, "nohup")
        == 128 + signal.SIGTERM
    )
    assert everything_in(tmp_path) == ["tmp"]


def test_what_a_killed_process_left_is_deleted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from extractors import Session

    assert interrupt(COMMAND, [signal.SIGKILL], tmp_path) == -signal.SIGKILL
    (left,) = (tmp_path / "tmp").iterdir()
    just_now = time.time() + 1000  # however long this test takes
    os.utime(left / "in-use.lock", (just_now, just_now))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("LNLN_CACHE", "")
    with Session() as running:
        assert left.exists()  # it could be one that has just begun
        own = Path(running.cache.url).parent
        for folder in (left, own):
            os.utime(folder / "in-use.lock", (0, 0))
        with Session():
            assert not left.exists()
            assert own.exists()
