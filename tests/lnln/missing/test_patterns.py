"""Patterns of missing data: named once, and each does what its name says."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

from contracts.schemas import MODALITIES, Modality
from lnln.data.features import FeatureSet
from lnln.missing.masks import evaluation_masks
from lnln.missing.patterns import ONLY, PATTERNS, PatternName


@pytest.fixture(scope="module")
def clips(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return make_set("test", 5, without={"test/002": ("audio",)})


def test_every_name_is_a_pattern_and_every_pattern_has_a_name() -> None:
    assert tuple(PATTERNS) == get_args(PatternName)


def test_there_is_a_pattern_that_leaves_each_modality_alone() -> None:
    assert tuple(ONLY) == MODALITIES
    for modality, pattern in ONLY.items():
        assert {*PATTERNS[pattern].whole, modality} == set(MODALITIES)
        assert modality not in PATTERNS[pattern].whole


@pytest.mark.parametrize("modality", MODALITIES)
def test_only_leaves_one_modality_and_the_special_tokens(
    clips: FeatureSet, modality: Modality
) -> None:
    drawn = evaluation_masks(clips, 0.0, seed=1, purpose="test", pattern=ONLY[modality])
    assert list(drawn) == list(clips.clip_ids)
    for i, kept in enumerate(drawn.values()):
        special = clips.text.special[clips.text.rows(i)]
        for name in MODALITIES:
            rows = getattr(kept, name)
            assert len(rows) == clips.modality(name).counts[i]
            if name == modality:
                assert rows.all()
            else:
                assert np.array_equal(rows, special if name == "text" else np.zeros_like(rows))
