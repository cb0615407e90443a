import sys
import time

import pytest

from extractors.workers.progress import Progress, _duration


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when told to; stderr is a file here."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


def lines(capsys):
    return capsys.readouterr().err.splitlines()


def test_file_gets_a_readable_line_now_and_then_and_at_the_end(clock, capsys):
    with Progress(6, "audio") as progress:
        clock(10)
        progress.step(failed=False)
        assert lines(capsys) == ["audio: 1 of 6 clips, 6.0 clips/min, 50 s left, 0 quarantined"]
        clock(29)
        progress.step(failed=True)
        assert lines(capsys) == []
        clock(1)
        progress.show()
        assert lines(capsys) == ["audio: 2 of 6 clips, 3.0 clips/min, 80 s left, 1 quarantined"]
        for _ in range(4):
            progress.step(failed=False)
        assert lines(capsys) == []
    assert lines(capsys) == ["audio: 6 of 6 clips, 9.0 clips/min, took 40 s, 1 quarantined"]


def test_work_of_a_moment_says_nothing(clock, capsys):
    with Progress(2, "audio") as progress:
        for _ in range(2):
            clock(0.5)
            progress.step(failed=False)
    assert lines(capsys) == []


def test_no_clips_say_nothing(clock, capsys):
    with Progress(0, "audio") as progress:
        clock(60)
        progress.show()
    assert lines(capsys) == []


def test_nothing_done_yet_gives_no_time_left(clock, capsys):
    with Progress(2, "audio") as progress:
        clock(3)
        progress.show()
        assert lines(capsys) == ["audio: 0 of 2 clips, 0.0 clips/min, starting, 0 quarantined"]


def test_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress(2, "audio") as progress:
        progress.step(failed=True)
        progress.step(failed=False)
    bar = capsys.readouterr().err
    assert "audio: 100%" in bar
    assert "1 quarantined" in bar


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (600, "10 min"), (7080, "1 h 58 min"), (7199, "2 h 0 min")]
)
def test_durations_are_readable(seconds, text):
    assert _duration(seconds) == text
