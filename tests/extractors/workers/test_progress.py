import sys

import pytest

from extractors.workers.progress import Progress, Reporting


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when told to; stderr is a file here."""
    now = [100.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


def lines(capsys):
    return capsys.readouterr().err.splitlines()


def test_file_gets_a_readable_line_now_and_then_and_at_the_end(clock, capsys):
    with Progress([3.0] * 6, "audio") as progress:
        clock(10)
        progress.step(failed=False)
        assert lines(capsys) == ["audio: 1 of 6 clips, 10.00s/clip, 00:10 gone, 00:50 left"]
        clock(29)
        progress.step(failed=True)
        assert lines(capsys) == []
        clock(1)
        progress.show()
        assert lines(capsys) == [
            "audio: 2 of 6 clips, 20.00s/clip, 00:40 gone, 01:20 left, 1 quarantined"
        ]
        for _ in range(4):
            progress.step(failed=False)
        assert lines(capsys) == []
    assert lines(capsys) == [
        "audio: 6 of 6 clips,  6.67s/clip, 00:40 gone, 00:00 left, 1 quarantined"
    ]


def test_work_of_a_moment_says_nothing(clock, capsys):
    with Progress([3.0] * 2, "audio") as progress:
        for _ in range(2):
            clock(0.5)
            progress.step(failed=False)
    assert lines(capsys) == []


def test_no_clips_say_nothing(clock, capsys):
    with Progress([3.0] * 0, "audio") as progress:
        clock(60)
        progress.show()
    assert lines(capsys) == []


def test_long_wait_for_the_first_clip_is_shown(clock, capsys):
    with Progress([3.0] * 2, "audio") as progress:
        clock(3)
        progress.show()
        assert lines(capsys) == ["audio: 0 of 2 clips, ?clip/s, 00:03 gone, ? left"]


def test_terminal_gets_a_bar(clock, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress([3.0] * 2, "audio") as progress:
        clock(3)
        progress.step(failed=True)
        progress.step(failed=False)
    bar = capsys.readouterr().err
    assert "audio: 100%" in bar
    assert "1 quarantined" in bar


def test_utterances_of_a_recording_are_counted_by_seconds_of_video_and_told_to_a_listener(
    clock, capsys
):
    told = []
    reporting = Reporting("seconds", lambda *what: told.append(what))
    with Progress([4.0, 2.5], "vision", reporting) as progress:
        clock(10)
        progress.step(failed=False)
        clock(30)
        progress.step(failed=True)
    assert told == [("vision", 0.0, 6.5), ("vision", 4.0, 6.5), ("vision", 6.5, 6.5)]
    assert lines(capsys) == [
        "vision: 4 of 6 s of video, 00:10 gone, 00:06 left",
        "vision: 6 of 6 s of video, 00:40 gone, 00:00 left, 1 quarantined",
    ]


def test_what_has_no_title_is_not_told(clock, capsys):
    told = []
    with Progress([1.0], "", Reporting("clips", lambda *what: told.append(what))) as progress:
        clock(60)
        progress.step(failed=False)
    assert (told, lines(capsys)) == ([], [])
