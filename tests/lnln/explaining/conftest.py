"""A reader whose words are named after their tokens, and clips whose sentiment is in one place."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers import BertTokenizerFast

from lnln.data.extent import Spoken
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.explaining.reader import Reader
from tests.conftest import SPECIAL
from tests.lnln.conftest import WORDS

STEP_S = {"audio": 0.04, "vision": 0.1}


@pytest.fixture(scope="session")
def reader(language: FrozenLanguageEncoder, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Reads `w7` as token 7."""
    words = [f"w{i}" for i in range(len(SPECIAL), WORDS[1])]
    vocabulary = tmp_path_factory.mktemp("words") / "vocab.txt"
    Path(vocabulary).write_text("\n".join([*SPECIAL, *words]) + "\n", "utf-8")
    return Reader(language, BertTokenizerFast(str(vocabulary)))


@pytest.fixture(scope="session")
def timed(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    """Six clips whose rows have times; the fourth has no words, the fifth no sound."""
    clips = make_set("test", 6, without={"test/003": ("text",), "test/004": ("audio",)})
    for modality, step_s in STEP_S.items():
        rows = clips.modality(modality)
        places = np.arange(len(rows.values)) - np.repeat(rows.offsets[:-1], rows.counts)
        clips = replace(clips, **{modality: replace(rows, times=(places + 0.5) * step_s)})
    return clips


def said(clips: FeatureSet) -> dict[str, Spoken]:
    """What is said in clips of `make_set`, without times."""
    words = {}
    for i, clip_id in enumerate(clips.clip_ids):
        rows = clips.text.rows(i)
        content = clips.text.token_ids[rows][~clips.text.special[rows]]
        words[clip_id] = Spoken(" ".join(f"w{token}" for token in content))
    return words
