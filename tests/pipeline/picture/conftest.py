"""A clip that is shown, without MediaPipe."""

from collections.abc import Callable

import pytest

from pipeline.picture.subject import Subject
from tests.pipeline.picture.made import blank, made


@pytest.fixture(autouse=True)
def triangle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three landmarks joined: MediaPipe takes seconds to import."""
    monkeypatch.setattr("pipeline.picture.figure.contours", lambda: [(0, 1), (1, 2), (2, 0)])


@pytest.fixture
def make_subject() -> Callable[..., Subject]:
    return made


@pytest.fixture
def nothing() -> Subject:
    return blank()
