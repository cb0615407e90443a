"""What the page asks of whoever reads videos: `analyst`, or a stand-in for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pipeline.serve.video.analysis import Analysis


class Tell(Protocol):
    """Is told what is being done, and how much of it is done, 0 to 1, where that is known."""

    def __call__(self, step: str, share: float | None = None) -> None: ...


class Works(Protocol):
    """What `pipeline.serve.video.analyst.Analyst` does."""

    def analyse(self, file: Path, tell: Tell) -> Analysis: ...

    def damage(self, file: Path, damages: dict[str, float], seed: int, tell: Tell) -> Analysis: ...

    def give_up(self) -> None: ...

    def tidy(self) -> None: ...
