"""Clips for masks, in which every number is written down and none is drawn."""

from collections.abc import Callable

import numpy as np
import pytest

from contracts.features import FeatureInfo
from lnln.data.features import FeatureSet, ModalityFeatures, TextFeatures

Counts = tuple[int, int, int]  # rows of text, [CLS] and [SEP] among them, of audio and of vision
STEPS = {"audio": 0.04, "vision": 0.1}  # s


def make(counts: list[Counts], timed: bool = True) -> FeatureSet:
    text, audio, vision = (np.array(of) for of in zip(*counts, strict=True))
    offsets = {m: np.cumsum([0, *of]) for m, of in (("audio", audio), ("vision", vision))}
    rows = {
        m: ModalityFeatures(
            FeatureInfo(modality=m, names=("one",)),
            ends,
            np.ones((ends[-1], 1), np.float32),
            np.ones(ends[-1], dtype=bool),
            (np.concatenate([np.arange(n) for n in np.diff(ends)]) + 0.5)
            * (STEPS[m] if timed else np.nan),
        )
        for m, ends in offsets.items()
    }
    special = np.concatenate([[True, *[False] * (n - 2), True] for n in text])
    words = TextFeatures(
        FeatureInfo(modality="text", names=("one",), unk_id=1, pad_id=0),
        np.cumsum([0, *text]),
        np.ones((len(special), 1), np.float32),
        ~special,
        np.full(len(special), np.nan),
        np.full(len(special), 5),
        special,
    )
    return FeatureSet(
        tuple(f"v/{i:03}" for i in range(len(counts))), words, rows["audio"], rows["vision"]
    )


@pytest.fixture(scope="session")
def make_clips() -> Callable[..., FeatureSet]:
    """`make_clips([(text, audio, vision), ...])`: clips of so many rows."""
    return make


@pytest.fixture(scope="session")
def many() -> FeatureSet:
    """200 clips of 3 to 6 s."""
    return make([(9 + i % 14, 75 + (7 * i) % 75, 30 + (3 * i) % 30) for i in range(200)])


@pytest.fixture(scope="session")
def odd() -> FeatureSet:
    """Clips of one row, without words, sound or picture, of one word, and long ones."""
    return make(
        [(2, 1, 1), (2, 30, 12), (8, 0, 12), (8, 30, 0), (2, 0, 0), (3, 25, 10), (30, 400, 160)]
    )
