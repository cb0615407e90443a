"""Clips damaged in this process."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from extractors.damage.one_file import Damager, File, Realised
from extractors.damage.reading import read_frames
from extractors.damage.scenes import Stretch
from extractors.media.container import probe

Degrade = Callable[..., tuple[Path, Realised]]


@pytest.fixture
def degrade_clip(tmp_path: Path) -> Degrade:
    """Damages a clip: `degrade_clip(path, seed=0, name="a/1", **severities)`."""

    def damaged(
        source: Path, seed: int = 0, name: str = "a/1", **severities: float
    ) -> tuple[Path, Realised]:
        info = probe(str(source))
        target = tmp_path / "damaged" / f"{source.stem}.mp4"
        stretches = [Stretch(name, 0.0, info.duration_s)]
        file = File(str(source), str(target), name, stretches, info.has_audio, info.has_video)
        return target, Damager(severities, seed).extract(file)

    return damaged


@pytest.fixture(scope="session")
def decode_frames() -> Callable[[Path], tuple[np.ndarray, np.ndarray]]:
    """The frames of a clip, as RGB, not turned, and their times, s."""

    def decode(path: Path) -> tuple[np.ndarray, np.ndarray]:
        shown = list(read_frames(str(path)))
        pictures = [frame.frame.to_ndarray(format="rgb24") for frame in shown]
        return np.stack(pictures).astype(int), np.array([frame.time_s for frame in shown])

    return decode
