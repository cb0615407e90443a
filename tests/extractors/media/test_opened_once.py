"""A recording is opened for every utterance: what its whole file tells is read once."""

import os

import pytest

from extractors.media import clip, container
from extractors.media.clip import content_hash, state_of
from extractors.media.container import opened


@pytest.fixture
def old(make_clip):
    """A clip that was not changed a moment ago."""
    path = make_clip("old.mp4", seconds=0.2)
    os.utime(path, (1_000_000, 1_000_000))
    return path


@pytest.fixture
def calls(monkeypatch):
    """How often packets and bytes of a file are gone through."""
    counted = {"_stamps": 0, "_digest": 0}
    for module, name in ((container, "_stamps"), (clip, "_digest")):
        read = getattr(module, name)

        def counting(*arguments, name=name, read=read):
            counted[name] += 1
            return read(*arguments)

        monkeypatch.setattr(module, name, counting)
    return counted


def look(path) -> None:
    content_hash(str(path))
    with opened(str(path)) as file:
        assert file.streams("video")


def test_a_file_that_has_not_changed_is_gone_through_once(old, calls):
    look(old)
    look(old)
    assert calls == {"_stamps": 1, "_digest": 1}


def test_a_file_that_has_changed_is_gone_through_again(old, make_clip, calls):
    look(old)
    os.utime(make_clip("old.mp4", seconds=0.4), (1_000_000, 1_000_000))
    look(old)
    assert calls == {"_stamps": 2, "_digest": 2}


def test_a_file_that_was_changed_a_moment_ago_may_change_again_unnoticed(make_clip, calls):
    new = make_clip(seconds=0.2)
    assert state_of(str(new)) is None
    look(new)
    look(new)
    assert calls == {"_stamps": 2, "_digest": 2}


def test_a_file_that_is_not_there_has_no_state(tmp_path):
    assert state_of(str(tmp_path / "gone.mp4")) is None
    assert state_of("memory://gone.mp4") is None
