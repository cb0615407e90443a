"""Masks: the same for any order and machine, nested, independent, special tokens kept."""

from collections.abc import Callable

import numpy as np
import pytest

from lnln.data.features import FeatureSet
from lnln.missing.masks import (
    evaluation_masks,
    evenly,
    masks_under,
    training_masks,
    uniforms,
)
from lnln.missing.patterns import PATTERNS, Condition, conditions

KEY = {"seed": 1, "purpose": "test", "epoch": 0, "clip_id": "v/1", "modality": "audio"}


@pytest.fixture(scope="module")
def clips(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return make_set("test", 40)


def at(clips: FeatureSet, rate: float, **more: object) -> dict:
    return evaluation_masks(clips, rate, **{"seed": 1, "purpose": "test"} | more)


def joined(masks: dict, modality: str) -> np.ndarray:
    return np.concatenate([getattr(masks[c], modality) for c in sorted(masks)])


def test_draws_are_these_numbers_on_every_machine() -> None:
    # Pinned when first drawn: stored masks and results depend on them.
    assert uniforms(3, **KEY).tolist() == [
        0.14962231744351973,
        0.11009309558253533,
        0.07923500984848408,
    ]


@pytest.mark.parametrize("part", sorted(KEY))
def test_draws_depend_on_every_part_of_the_key(part: str) -> None:
    other = KEY | {part: 7 if isinstance(KEY[part], int) else "other"}
    assert not np.array_equal(uniforms(8, **KEY), uniforms(8, **other))


def test_more_rows_leave_the_first_draws_as_they_are() -> None:
    assert np.array_equal(uniforms(9, **KEY)[:5], uniforms(5, **KEY))


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.7, 1.0])
def test_rows_are_dropped_at_the_missing_rate(rate: float) -> None:
    kept = uniforms(200_000, **KEY) >= rate
    assert 1 - kept.mean() == pytest.approx(rate, abs=0.005)


def test_special_tokens_are_always_kept(clips: FeatureSet) -> None:
    for masks in (
        at(clips, 1.0),
        at(clips, 1.0, pattern="block"),
        at(clips, 0.0, pattern="no_text"),
        training_masks(clips, seed=1, epoch=1)[0],
    ):
        kept = np.concatenate([masks[c].text for c in clips.clip_ids])
        assert kept[clips.text.special].all()
    assert not joined(at(clips, 1.0), "text")[~clips.text.special].any()


def test_audio_and_vision_masks_are_independent() -> None:
    audio = uniforms(20_000, **KEY) >= 0.5
    vision = uniforms(20_000, **KEY | {"modality": "vision"}) >= 0.5
    assert abs(np.corrcoef(audio, vision)[0, 1]) < 0.03


def test_masks_do_not_depend_on_the_order_of_clips(clips: FeatureSet) -> None:
    backwards = clips.take(range(len(clips) - 1, -1, -1))
    for a, b in (
        (at(clips, 0.5), at(backwards, 0.5)),
        (training_masks(clips, seed=1, epoch=3)[0], training_masks(backwards, seed=1, epoch=3)[0]),
    ):
        assert all(np.array_equal(x, y) for c in a for x, y in zip(a[c], b[c], strict=True))


def test_training_leaves_half_complete_and_spreads_the_other_rates(clips: FeatureSet) -> None:
    rates = [
        r for e in range(50) for r in training_masks(clips, seed=1, epoch=e)[1].values()
    ]  # 2000 draws
    drawn = [r for r in rates if r > 0]
    assert len(drawn) / len(rates) == pytest.approx(0.5, abs=0.04)
    assert np.quantile(drawn, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.05)


def test_training_masks_change_with_the_epoch(clips: FeatureSet) -> None:
    first, second = (training_masks(clips, seed=1, epoch=e)[0] for e in (1, 2))
    assert not np.array_equal(joined(first, "audio"), joined(second, "audio"))


def test_training_drops_modalities_independently(clips: FeatureSet) -> None:
    masks, _ = training_masks(clips, seed=1, epoch=1)
    complete = {(m.audio.all(), m.vision.all(), m.text.all()) for m in masks.values()}
    assert len(complete) == 8  # every combination occurs


@pytest.mark.parametrize("modality", ["text", "audio", "vision"])
def test_whole_modality_goes_missing_and_the_others_lose_rows(
    clips: FeatureSet, modality: str
) -> None:
    masks, usual = at(clips, 0.4, pattern=f"no_{modality}"), at(clips, 0.4)
    for clip_id in clips.clip_ids:
        for m in ("text", "audio", "vision"):
            kept, as_usual = getattr(masks[clip_id], m), getattr(usual[clip_id], m)
            assert kept.sum() == (2 if m == "text" else 0) if m == modality else True
            assert m == modality or np.array_equal(kept, as_usual)


def test_impossible_rates_and_patterns_are_refused(clips: FeatureSet) -> None:
    with pytest.raises(ValueError, match=r"missing rate 1.5 is not between 0 and 1"):
        at(clips, 1.5)
    with pytest.raises(ValueError, match="'half' is not one of random, unequal"):
        at(clips, 0.5, pattern="half")


def test_clip_without_words_or_rows_has_a_mask(make_set: Callable[..., FeatureSet]) -> None:
    silent = make_set("test", 1, without={"test/000": ("text",)})
    for pattern in PATTERNS:
        assert at(silent, 0.5, pattern=pattern)["test/000"].text.tolist() == [True, True]


def test_masks_of_several_conditions_are_those_of_each(clips: FeatureSet) -> None:
    asked = conditions(["random", "bursts"], [0.0, 0.4], draws=2)
    found = masks_under(asked, clips, seed=1, purpose="test")
    assert list(found) == asked
    for pattern, rate, draw in asked:
        single = at(clips, rate, pattern=pattern, draw=draw)
        for modality in ("text", "audio", "vision"):
            several = found[Condition(pattern, rate, draw)]
            assert np.array_equal(joined(several, modality), joined(single, modality))


def test_a_mean_over_even_masks_is_a_mean_over_rates(clips: FeatureSet) -> None:
    asked = conditions(["random"], [0.0, 0.5, 0.9], draws=3)
    masks = masks_under(asked, clips, seed=1, purpose="valid")
    listed = evenly(masks)
    assert len(listed) == 9
    assert [sum(m is masks[c] for m in listed) for c in asked] == [3, *[1] * 6]
    one = Condition("random", 0.5, 0)
    assert evenly({one: masks[one]}) == [masks[one]]
    uneven = {c: of for c, of in masks.items() if c != Condition("random", 0.9, 2)}
    with pytest.raises(ValueError, match=r"evenly over the rates: 1 at 0, 3 at 0\.5, 2 at 0\.9"):
        evenly(uneven)
