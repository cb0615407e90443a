"""Patterns of missing data: named once, and each does what its name says."""

import hashlib
from collections.abc import Callable
from itertools import combinations, pairwise
from typing import get_args

import numpy as np
import pytest

from contracts.schemas import MODALITIES, Modality
from lnln.data.features import FeatureSet
from lnln.missing.masks import evaluation_masks
from lnln.missing.patterns import ONLY, PATTERNS, Condition, PatternName, conditions

RATES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
# Of `odd` at the rates 0, 0.3, 0.7 and 1, two draws each. Pinned when first drawn: stored masks and
# results depend on them.
SHA256 = {
    "random": "d05fe2201c78a24b98fbabd46944605436a035c0d3e6607c0bc33a3753767d1c",
    "unequal": "908b611ec3083ab911cabe2e50e46fb8518ba436d7b99138db2e2abe2878f2ef",
    "bursts": "0804c503137ac4b50157dec1c7a3c1205751703514039dab7d2b02e4c6aaa2ac",
    "block": "ced94d1137c9f2df3b8e7c40f5d6f387ffb9109196938d75cd7a7d011c945d07",
    "block_begin": "6a4cba52261e92ef5765631ad21d49f21df6367aea1cb7e122c7673446f09070",
    "block_middle": "f2b59067e58f7d89f6d50de6513ca06eb2e1e292106652a459246e26c974f20f",
    "block_end": "45536d0e7ff986500b437e957e48e3a9d286189f0820a9caa500bed96ab1b241",
    "synchronous": "783b9e2fd622dadbe0da34b1e9adbd7cf28aa4a0dae0fb807b44e13b79b65d85",
    "no_text": "c998fcc64cfff01d202207bdc7807d6f01e69d5d79ef60962c9a7b13f0f2de85",
    "no_audio": "06c1a2fd632935bda37a265d5b056c2e04d88735c8e9ab53f2359c8e27716abd",
    "no_vision": "673a95896b543019d11b4503ee5bd6161886be595b7b7f0dc2239feeb705cca8",
    "only_text": "ab1e08297811b1ed0abbcb1ce5748f146d45325a3918e05f636e3de675a13a16",
    "only_audio": "685837b07c1acfb19c56ecfaf7a7587a221ea2dfb60a02b8980cf032d47a1a90",
    "only_vision": "e6dc3aa742df215ee13c4c4ed3f5052cc41b65724284d38fd745fc7010dcd35b",
    "natural": "41590e0a765793d4d833ba3ea527643957a2947b6ce5a2327aa36479bcbae749",
}


@pytest.fixture(scope="module")
def clips(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return make_set("test", 5, without={"test/002": ("audio",)})


def test_every_name_is_a_pattern_and_every_pattern_has_a_name() -> None:
    assert tuple(PATTERNS) == get_args(PatternName)


def test_every_subset_of_the_modalities_has_a_pattern() -> None:
    """All of them is `random`; none of them is r = 1."""
    found = {frozenset(pattern.whole) for pattern in PATTERNS.values()}
    subsets = {frozenset(s) for size in (0, 1, 2) for s in combinations(MODALITIES, size)}
    assert found == subsets


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


Lost = dict[Modality, list[np.ndarray]]


def lost_in(features: FeatureSet, pattern: str, rate: float, draw: int = 0) -> Lost:
    """By modality, which content rows of each clip are lost."""
    drawn = evaluation_masks(features, rate, seed=1, purpose="test", pattern=pattern, draw=draw)
    special = [features.text.special[features.text.rows(i)] for i in range(len(features))]
    return {
        "text": [~kept.text[~s] for kept, s in zip(drawn.values(), special, strict=True)],
        "audio": [~kept.audio for kept in drawn.values()],
        "vision": [~kept.vision for kept in drawn.values()],
    }


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_share_of_lost_rows_is_the_missing_rate(
    many: FeatureSet, pattern: str, rate: float
) -> None:
    """Within 4.5 standard errors over the clips, which are independent, and exactly at 0 and 1."""
    for modality, clips in lost_in(many, pattern, rate).items():
        expected = 1.0 if modality in PATTERNS[pattern].whole else rate
        shares = np.array([lost.mean() for lost in clips])
        if pattern == "natural":
            assert not shares.any()
        elif expected in (0, 1):
            assert (shares == expected).all()
        else:
            error = shares.std() / np.sqrt(len(shares))
            assert shares.mean() == pytest.approx(expected, abs=4.5 * error)
            assert error < 0.03


@pytest.mark.parametrize("rate", RATES)
def test_random_loses_rows_within_binomial_bounds(many: FeatureSet, rate: float) -> None:
    for clips in lost_in(many, "random", rate).values():
        lost = np.concatenate(clips)
        deviation = np.sqrt(rate * (1 - rate) / len(lost))
        assert lost.mean() == pytest.approx(rate, abs=4 * deviation)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_clip_of_one_row_loses_it_with_the_probability_that_was_asked_for(
    make_clips: Callable[..., FeatureSet], pattern: str
) -> None:
    single = make_clips([(3, 1, 1)] * 1000)
    for modality, lost in lost_in(single, pattern, 0.3).items():
        whole = modality in PATTERNS[pattern].whole
        expected = 1.0 if whole else 0.0 if pattern == "natural" else 0.3
        assert np.mean(lost) == pytest.approx(expected, abs=4 * np.sqrt(0.21 / 1000))


@pytest.mark.parametrize("clips", ["many", "odd"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_row_that_is_lost_at_one_rate_is_lost_at_every_greater_one(
    pattern: str, clips: str, request: pytest.FixtureRequest
) -> None:
    features = request.getfixturevalue(clips)
    drawn = [lost_in(features, pattern, rate) for rate in np.linspace(0, 1, 11)]
    for modality in MODALITIES:
        rows = (np.concatenate(lost[modality]) for lost in drawn)
        for less, more in pairwise(rows):
            assert not (less & ~more).any()


@pytest.mark.parametrize("pattern", ["random", "bursts", "no_text", "only_audio"])
def test_audio_and_vision_lose_other_rows(
    make_clips: Callable[..., FeatureSet], pattern: str
) -> None:
    lost = lost_in(make_clips([(2, 50, 50)] * 400), pattern, 0.5)
    audio, vision = np.concatenate(lost["audio"]), np.concatenate(lost["vision"])
    if pattern == "only_audio":
        assert vision.all()
    else:
        bound = 0.1 if pattern == "bursts" else 0.03  # rows in a burst are not independent
        assert abs(np.corrcoef(audio, vision)[0, 1]) < bound


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p != "natural"])
def test_draws_and_seeds_differ(many: FeatureSet, pattern: str) -> None:
    modality = next(m for m in MODALITIES if m not in PATTERNS[pattern].whole)
    first, second = (np.concatenate(lost_in(many, pattern, 0.5, draw)[modality]) for draw in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_odd_clips_keep_their_special_tokens_and_lose_the_rest_at_1(
    odd: FeatureSet, pattern: str
) -> None:
    for rate in RATES:
        drawn = evaluation_masks(odd, rate, seed=1, purpose="test", pattern=pattern)
        for i, kept in enumerate(drawn.values()):
            special = odd.text.special[odd.text.rows(i)]
            assert kept.text[special].all()
            if rate == 1 and pattern != "natural":
                assert np.array_equal(kept.text, special)
                assert not kept.audio.any() and not kept.vision.any()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_masks_are_these_on_every_machine(odd: FeatureSet, pattern: str) -> None:
    digest = hashlib.sha256()
    for rate in (0.0, 0.3, 0.7, 1.0):
        for draw in (0, 1):
            drawn = evaluation_masks(odd, rate, seed=1, purpose="test", pattern=pattern, draw=draw)
            for kept in drawn.values():
                for rows in kept:
                    digest.update(np.packbits(rows).tobytes())
    assert digest.hexdigest() == SHA256[pattern]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_masks_of_a_clip_depend_on_no_other_clip(odd: FeatureSet, pattern: str) -> None:
    """Clips may be shared out among any number of workers, in any order."""
    everything = evaluation_masks(odd, 0.5, seed=1, purpose="test", pattern=pattern)
    for i in reversed(range(len(odd))):
        alone = evaluation_masks(odd.take([i]), 0.5, seed=1, purpose="test", pattern=pattern)
        for clip_id, kept in alone.items():
            assert all(map(np.array_equal, kept, everything[clip_id]))


def test_conditions_are_asked_in_one_draw_where_all_are_the_same() -> None:
    assert conditions(["random", "natural"], [0.5, 0.0, 0.5, 1.0], draws=2) == [
        Condition("random", 0.0, 0),
        Condition("random", 0.5, 0),
        Condition("random", 0.5, 1),
        Condition("random", 1.0, 0),
        *(Condition("natural", rate, 0) for rate in (0.0, 0.5, 1.0)),
    ]
